import { CommandBus } from '@nestjs/cqrs';
import type { Command } from '@nestjs/cqrs';
import {
  CommitHold,
  FulfilHold,
  type HoldOutcome,
  HoldStock,
  ReleaseHold,
  RenewHold,
  type SourcedLine,
} from '../../src/modules/inventory/contract.ts';
import { ONLY_CALLER } from '../../src/shared/http/caller.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

const TTL_MS = 60_000;

/** Inventory keeps to its holds by itself, whatever the caller believes of them: the reservation is not asked here. */
describeOnBothEngines('A hold that inventory is told about by another module', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  function tell<R>(command: Command<R>): Promise<R> {
    const context = { ...ONLY_CALLER, correlationId: 'holds', traceparent: null };
    return runInContext(context, () => shop.app.app.get(CommandBus, { strict: false }).execute(command));
  }

  async function aHold(
    units: number,
    stock: number,
  ): Promise<{ sku: string; holdId: string; at: Instant; expiresAt: Instant; held: readonly SourcedLine[] }> {
    const sku = await shop.stocked({ [place]: stock });
    const holdId = shop.name('hold');
    const at = shop.clock.now();
    const expiresAt = at + TTL_MS;
    const { lines } = await tell(
      new HoldStock(holdId, [{ sku, quantity: units, locationId: place }], [], expiresAt, at),
    );
    return { sku, holdId, at, expiresAt, held: lines };
  }

  const change: Record<string, (hold: Awaited<ReturnType<typeof aHold>>, at: Instant) => Promise<HoldOutcome>> = {
    'is committed': ({ holdId }, at) => tell(new CommitHold(holdId, 4, at)),
    'is renewed': ({ holdId }, at) => tell(new RenewHold(holdId, 4, at + TTL_MS, at)),
    'is changed': async ({ holdId, sku, held }, at) => {
      const lines = [{ sku, quantity: 5, locationId: place }];
      return (await tell(new HoldStock(holdId, lines, held, at + TTL_MS, at))).outcome;
    },
  };

  describe.each(Object.entries(change))('%s', (_, ask) => {
    it('in its last instant', async () => {
      const hold = await aHold(4, 10);
      expect(await ask(hold, hold.expiresAt - 1)).toBe('done');
    });

    it('but not when it is over, and then keeps its units until somebody gives them back', async () => {
      const hold = await aHold(4, 10);
      expect(await ask(hold, hold.expiresAt)).toBe('over');
      expect(await ask(hold, hold.expiresAt + 1)).toBe('over');
      expect(await shop.stock(hold.sku, place)).toMatchObject({ onHand: 10, held: 4, committed: 0 });
    });

    it('but not when others got some of its units while it was over, by whatever clock', async () => {
      const hold = await aHold(4, 10);
      const other = shop.name('hold');
      const late = hold.expiresAt;
      await tell(new HoldStock(other, [{ sku: hold.sku, quantity: 8, locationId: place }], [], late + TTL_MS, late));
      // The clock was set back: by it the hold would have some time left.
      expect(await ask(hold, hold.at)).toBe('over');
      expect(await shop.stock(hold.sku, place)).toMatchObject({ held: 8, committed: 0 });
    });

    it('but not when it was released', async () => {
      const hold = await aHold(4, 10);
      await tell(new ReleaseHold(hold.holdId, 'CANCELLED', hold.at));
      expect(await ask(hold, hold.at)).toBe('over');
      expect(await shop.stock(hold.sku, place)).toMatchObject({ held: 0, committed: 0, available: 10 });
    });
  });

  it('gives its units back once', async () => {
    const { sku, holdId, at } = await aHold(4, 10);
    for (let time = 0; time < 3; time += 1) await tell(new ReleaseHold(holdId, 'EXPIRED', at));
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 10, held: 0, available: 10 });
  });

  it('no longer expires when it is committed, and is handed over once', async () => {
    const { sku, holdId, at, expiresAt } = await aHold(4, 10);
    await tell(new CommitHold(holdId, 4, at));
    expect(await tell(new RenewHold(holdId, 4, at + TTL_MS, at))).toBe('over');
    expect(await tell(new CommitHold(holdId, 4, at))).toBe('over');
    const others = [{ sku, quantity: 7, locationId: place }];
    await expect(
      tell(new HoldStock(shop.name('hold'), others, [], expiresAt + TTL_MS, expiresAt + 1)),
    ).rejects.toMatchObject({ code: 'INSUFFICIENT_STOCK' });
    for (let time = 0; time < 2; time += 1) await tell(new FulfilHold(holdId, null, null, expiresAt));
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 6, committed: 0, available: 6 });
  });

  it('gives way oldest first, and only as many holds as it takes', async () => {
    const { sku, holdId: oldest, expiresAt } = await aHold(3, 9);
    const younger = shop.name('hold');
    const at = shop.clock.now();
    const three = [{ sku, quantity: 3, locationId: place }];
    await tell(new HoldStock(younger, three, [], expiresAt + 1, at));
    await tell(
      new HoldStock(
        shop.name('hold'),
        [{ sku, quantity: 5, locationId: place }],
        [],
        expiresAt + 2 * TTL_MS,
        expiresAt + 1,
      ),
    );
    // 3 were free: the oldest gave way, and the younger one, which is over as well, was not needed.
    expect(await shop.stock(sku, place)).toMatchObject({ held: 8 });
    expect(await tell(new RenewHold(oldest, 3, expiresAt + TTL_MS, at))).toBe('over');
    expect(await tell(new RenewHold(younger, 3, expiresAt + TTL_MS, at))).toBe('done');
  });

  it('gives nothing back for a command that is refused all the same', async () => {
    const { sku, holdId, at, expiresAt } = await aHold(4, 10);
    const tooMany = [{ sku, quantity: 11, locationId: place }];
    await expect(
      tell(new HoldStock(shop.name('hold'), tooMany, [], expiresAt + TTL_MS, expiresAt)),
    ).rejects.toMatchObject({ code: 'INSUFFICIENT_STOCK' });
    expect(await tell(new RenewHold(holdId, 4, expiresAt + TTL_MS, at))).toBe('done');
  });
});
