import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type Line, type Reservation, useShop } from '../support/shop.ts';

describeOnBothEngines('An update that cannot be had', (engine) => {
  const shop = useShop(engine);
  let first: string;
  let second: string;

  beforeAll(async () => {
    first = await shop.location({ priority: 1 });
    second = await shop.location({ priority: 2 });
  });

  /** Lines, units and expiry as before: the reservation itself, its tag, and every balance. */
  async function expectNothingChanged(id: string, attempt: () => Promise<void>): Promise<void> {
    const read = async () => {
      const answer = await shop.api.get<Reservation>(`/v1/reservations/${id}`);
      return [bodyOf(answer), answer.headers.etag, await shop.everything()];
    };
    const before = await read();
    shop.clock.advanceSeconds(1);
    await attempt();
    expect(await read()).toEqual(before);
  }

  it('says what could be had, own units included, and leaves lines, units and expiry as before', async () => {
    const sku = await shop.stocked({ [first]: 5, [second]: 2 });
    const { id } = await shop.reserve([{ sku, quantity: 3, locationId: first }]);
    await shop.reserve([{ sku, quantity: 1, locationId: first }]);

    await expectNothingChanged(id, async () => {
      const answer = await shop.tryUpdate(id, [{ sku, quantity: 5, locationId: first }]);
      const problem = problemOf(answer, 409, 'INSUFFICIENT_STOCK');
      expect(problem.shortages).toEqual([{ sku, locationId: first, requested: 5, available: 4 }]);
      expect(problem.alternatives).toEqual([{ sku, locationId: second, available: 2 }]);
    });
    // What it said could be had can be had.
    await shop.update(id, [{ sku, quantity: 4, locationId: first }]);
  });

  it('gives nothing up for lines that would shrink or go when another line is short', async () => {
    const a = await shop.stocked({ [first]: 5 });
    const b = await shop.stocked({ [first]: 1 });
    const { id } = await shop.reserve([{ sku: a, quantity: 5 }]);

    for (const lines of [
      [
        { sku: a, quantity: 1 },
        { sku: b, quantity: 2 },
      ],
      [{ sku: b, quantity: 2 }],
    ] satisfies Line[][]) {
      await expectNothingChanged(id, async () => {
        const problem = problemOf(await shop.tryUpdate(id, lines), 409, 'INSUFFICIENT_STOCK');
        expect(problem.shortages).toEqual([{ sku: b, locationId: null, requested: 2, available: 1 }]);
      });
    }
    expect((await shop.tryReserve([{ sku: a, quantity: 1 }])).status).toBe(409);
  });

  it('keeps the units at the old place when the new one is short', async () => {
    const sku = await shop.stocked({ [first]: 3, [second]: 2 });
    const { id } = await shop.reserve([{ sku, quantity: 3, locationId: first }]);
    await expectNothingChanged(id, async () => {
      const answer = await shop.tryUpdate(id, [{ sku, quantity: 3, locationId: second }]);
      expect(problemOf(answer, 409, 'INSUFFICIENT_STOCK').shortages).toEqual([
        { sku, locationId: second, requested: 3, available: 2 },
      ]);
    });
  });

  it('changes nothing for what is malformed or unknown', async () => {
    const sku = await shop.stocked({ [first]: 3 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    await expectNothingChanged(id, async () => {
      problemOf(await shop.tryUpdate(id, []), 400, 'VALIDATION_FAILED');
      problemOf(await shop.tryUpdate(id, [{ sku, quantity: 0 }]), 400, 'VALIDATION_FAILED');
      problemOf(await shop.tryUpdate(id, [{ sku, quantity: 1 }], { ttlSeconds: 0 }), 400, 'VALIDATION_FAILED');
      problemOf(await shop.tryUpdate(id, [{ sku, quantity: 1 }], { cartId: 'c' }), 400, 'VALIDATION_FAILED');
      problemOf(
        await shop.tryUpdate(id, [
          { sku, quantity: 1 },
          { sku: 'nothing', quantity: 1 },
        ]),
        422,
        'UNKNOWN_PRODUCT',
      );
      problemOf(await shop.tryUpdate(id, [{ sku, quantity: 1, locationId: 'nowhere' }]), 422, 'UNKNOWN_LOCATION');
    });
  });

  it('is refused unless the reservation is active', async () => {
    const sku = await shop.stocked({ [first]: 9 });
    const lines = [{ sku, quantity: 1 }];
    const paid = await shop.reserve(lines);
    await shop.confirm(paid.id);
    const cancelled = await shop.reserve(lines);
    await shop.cancel(cancelled.id);
    const done = await shop.reserve(lines);
    await shop.confirm(done.id);
    await shop.fulfil(done.id);
    const over = await shop.reserve(lines);
    shop.clock.set(over.expiresAt);

    problemOf(await shop.tryUpdate(paid.id, lines), 409, 'RESERVATION_NOT_ACTIVE');
    problemOf(await shop.tryUpdate(cancelled.id, lines), 409, 'RESERVATION_NOT_ACTIVE');
    problemOf(await shop.tryUpdate(done.id, lines), 409, 'RESERVATION_NOT_ACTIVE');
    problemOf(await shop.tryUpdate(over.id, lines), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryUpdate('nobody', lines), 404, 'NOT_FOUND');
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 8, held: 0, committed: 1 });
  });

  it('refuses for the state before it refuses for the stock', async () => {
    const sku = await shop.stocked({ [first]: 1 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.cancel(id);
    problemOf(await shop.tryUpdate(id, [{ sku, quantity: 99 }]), 409, 'RESERVATION_NOT_ACTIVE');
  });
});
