import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { jest } from '@jest/globals';
import { ListStockWithHolds, RecordMovement } from '../../src/modules/inventory/contract.ts';
import { FulfilReservation } from '../../src/modules/reservation/contract.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import { counts } from '../support/counts.ts';
import { allChangesOf, changesOf, type Snapshot, snapshotOf } from '../support/feeds.ts';
import { problemOf } from '../support/http.ts';
import { passDays, purge } from '../support/retention.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type Shop, stockPath, useShop } from '../support/shop.ts';
import { StoreCopy } from '../support/store-copy.ts';
import { aStormWorld, storm, type StormWorld } from '../support/storm.ts';

const snapshotPath = (locationId: string) => `/v1/sync/stores/${locationId}/snapshot`;

describeOnBothEngines('GET /v1/sync/stores/{locationId}/snapshot', (engine) => {
  const shop = useShop(engine);

  it('has the cursor first, then every stock item of the location by sku, with its holds', async () => {
    const [place, other] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [place]: 10, [other]: 5 });
    const empty = await shop.product();
    const another = await shop.stocked({ [place]: 3 });
    const held = await shop.reserve([{ sku, quantity: 2, locationId: place }], { ttlSeconds: 60 });
    const paid = await shop.reserve([{ sku, quantity: 1, locationId: place }]);
    await shop.confirm(paid.id);
    const gone = await shop.reserve([{ sku, quantity: 1, locationId: place }]);
    await shop.cancel(gone.id);

    const { start, items } = await snapshotOf(shop.api, place);

    expect(start).toEqual({ cursor: expect.stringMatching(/^[1-9]\d*$/), epoch: 0, nextSequence: 1 });
    expect(items.map((item) => item.sku)).toEqual([sku, another]);
    expect(items.map((item) => item.sku)).not.toContain(empty);
    const { holds, ...stock } = items[0]!;
    expect(stock).toEqual(await shop.stock(sku, place));
    expect(holds).toEqual([
      { holdId: held.id, units: 2, state: 'HELD', expiresAt: held.expiresAt },
      { holdId: paid.id, units: 1, state: 'COMMITTED', expiresAt: null },
    ]);
    expect(items[1]).toMatchObject({ sku: another, onHand: 3, holds: [] });
    expect(await changesOf(shop.api, place, { after: start.cursor })).toEqual({ changes: [], cursor: start.cursor });
  });

  it('counts a hold that is over until it is released, as the changes do', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 2 });
    await shop.reserve([{ sku, quantity: 2 }], { ttlSeconds: 1 });
    shop.clock.advanceSeconds(2);
    const { start, items } = await snapshotOf(shop.api, place);
    expect(items).toMatchObject([{ onHand: 2, held: 2, available: 0 }]);
    const copy = new StoreCopy({ start, items });
    await shop.reserve([{ sku, quantity: 1 }]);
    (await allChangesOf(shop.api, place, start.cursor)).changes.forEach((change) => {
      copy.apply(change);
    });
    expect(copy.items.get(sku)).toMatchObject({ held: 1 });
  });

  it('has a cursor to go on from when the whole log is purged', async () => {
    const place = await shop.location();
    await shop.stocked({ [place]: 2 });
    await passDays(shop.app, 31);
    await purge(shop.app);
    const { start } = await snapshotOf(shop.api, place);
    expect(await changesOf(shop.api, place, { after: start.cursor })).toMatchObject({ changes: [] });
  });

  it('is refused for an unknown location; of a place without stock it has the first line only', async () => {
    problemOf(await shop.api.get(snapshotPath('nowhere')), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(`${snapshotPath('nowhere')}?limit=1`), 400, 'VALIDATION_FAILED');
    const place = await shop.location();
    expect((await snapshotOf(shop.api, place)).items).toEqual([]);
    const answer = await shop.api.get(snapshotPath(place), { accept: 'application/x-ndjson' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
    });
    const head = await shop.api.send('HEAD', snapshotPath(place));
    expect([head.status, head.text]).toEqual([200, '']);
  });
});

/** What a store did itself: the centre does not tell it, so its copy adds it. */
interface OwnDeeds {
  readonly deltas: { readonly sku: string; readonly delta: number }[];
  readonly pickups: string[];
}

/** A store that pushes a few sales, receipts and pickups. */
async function push(shop: Shop, place: string, world: StormWorld, random: Random, known: string[]): Promise<OwnDeeds> {
  const done: OwnDeeds = { deltas: [], pickups: [] };
  const context = { tenantId: 'default', clientId: place, correlationId: 'push', traceparent: null, origin: place };
  const carryOut = async (command: RecordMovement | FulfilReservation): Promise<boolean> => {
    try {
      await runInContext(context, () =>
        shop.app.app.get(CommandBus, { strict: false }).execute<object, object>(command),
      );
      return true;
    } catch {
      return false;
    }
  };
  for (let deed = 0; deed < 6; deed += 1) {
    const id = known.length > 0 && random.chance(40) ? random.pick(known) : null;
    if (id !== null) {
      const isPaid = (await shop.reservation(id)).status === 'CONFIRMED';
      if (isPaid && (await carryOut(new FulfilReservation(id, place)))) done.pickups.push(id);
      continue;
    }
    const [sku, quantity] = [random.pick(world.skus), random.whole(1, 3)];
    const type = random.chance(50) ? 'SALE' : 'RECEIPT';
    const movement = { type, quantity, reason: null, reference: null } as const;
    if (await carryOut(new RecordMovement(sku, place, movement))) {
      done.deltas.push({ sku, delta: type === 'SALE' ? -quantity : quantity });
    }
  }
  return done;
}

describeOnBothEngines('A copy of a store', (engine) => {
  const shop = useShop(engine);

  it(`made of a snapshot, the changes behind it and what the store pushed is the centre's stock (seed ${SEED})`, async () => {
    for (let round = 0; round < counts(2, 60); round += 1) {
      const random = new Random(SEED + round);
      const world = await aStormWorld(shop.api, `copied-${round}`, 12);
      const [place = ''] = world.locations;
      await manyItems(shop, place, world);
      const known: string[] = [];
      await storm(shop.api, world, random, 30, known);
      await push(shop, place, world, random, known);

      const snapshot = await whileOthersWrite(shop, () => storm(shop.api, world, random, 6, known), place);
      const copy = new StoreCopy(snapshot);
      const own: OwnDeeds = { deltas: [], pickups: [] };
      let { cursor } = snapshot.start;
      for (let leg = 0; leg < 4; leg += 1) {
        const [deeds] = await Promise.all([
          push(shop, place, world, random, known),
          storm(shop.api, world, random, 15, known),
        ]);
        own.deltas.push(...deeds.deltas);
        own.pickups.push(...deeds.pickups);
        const told = await allChangesOf(shop.api, place, cursor, random.whole(1, 40));
        told.changes.forEach((change) => {
          copy.apply(change);
          // Each may come twice.
          if (change.type.startsWith('inventory.stock.')) copy.apply(change);
        });
        ({ cursor } = told);
      }
      own.deltas.forEach(({ sku, delta }) => {
        copy.applyOwn(sku, delta);
      });
      own.pickups.forEach((id) => {
        copy.pickUp(id);
      });

      const { items } = await snapshotOf(shop.api, place);
      const centre = new StoreCopy({ ...snapshot, items });
      const seen = (of: StoreCopy) =>
        [...of.items].filter(([sku]) => world.skus.includes(sku)).map(([sku, { version: _, ...item }]) => [sku, item]);
      expect([round, seen(copy)]).toEqual([round, seen(centre)]);
      expect(world.skus.map((sku) => copy.items.get(sku)?.onHand)).toEqual(
        await Promise.all(world.skus.map(async (sku) => (await shop.stock(sku, place)).onHand)),
      );
    }
  }, 600_000);

  /** So many between those that are written that a snapshot takes several pages. */
  async function manyItems(of: Shop, place: string, world: StormWorld): Promise<void> {
    const skus = world.skus.flatMap((sku) => Array.from({ length: 130 }, (_, index) => `${sku}-${index}`));
    await Promise.all(skus.map((sku) => of.product({}, sku)));
    await Promise.all(skus.map((sku) => of.api.post(stockPath(sku, place, '/counts'), { counted: 1 })));
  }

  async function whileOthersWrite(of: Shop, write: () => Promise<unknown>, place: string): Promise<Snapshot> {
    const queries = of.app.app.get(QueryBus, { strict: false });
    const execute = queries.execute.bind(queries);
    let pages = 0;
    const spy = jest.spyOn(queries, 'execute').mockImplementation(async (query: object) => {
      if (!(query instanceof ListStockWithHolds)) return execute(query as never);
      pages += 1;
      await write();
      const page = await execute(query);
      await write();
      return page;
    });
    try {
      const snapshot = await snapshotOf(of.api, place);
      expect(pages).toBe(3);
      return snapshot;
    } finally {
      spy.mockRestore();
    }
  }
});
