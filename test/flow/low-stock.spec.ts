import { Sweeper } from '../../src/modules/reservation/sweeper.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, useShop } from '../support/shop.ts';
import { rowsOf } from '../support/sql.ts';

const THRESHOLD = 4;

describeOnBothEngines('Low stock', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let other: string;

  beforeAll(async () => {
    place = await shop.location();
    other = await shop.location({ sellsOnline: false });
  });

  /** Ten units, of which six may go. */
  const tenOf = (fields: object = { lowStockThreshold: THRESHOLD }) => shop.stocked({ [place]: 10 }, fields);

  /** What was available each time that the item was said to be low. */
  async function alarmsOf(sku: string): Promise<number[]> {
    const events = await rowsOf<{ payload: string }>(
      shop.app.databaseUrl,
      `SELECT payload FROM outbox_events WHERE type = 'inventory.stock.low' AND subject = 'stock/${sku}/${place}'
       ORDER BY position`,
    );
    return events.map(({ payload }) => (JSON.parse(payload) as { stock: { available: number } }).stock.available);
  }

  const isListed = async (sku: string) =>
    bodyOf(await shop.api.get<{ items: unknown[] }>(`/v1/stock?state=low&skus=${sku}&locationId=${place}`)).items
      .length === 1;
  const sell = async (sku: string, units: number) => bodyOf(await shop.tryMove(sku, place, 'SALE', units), 201);
  const setThreshold = async (sku: string, lowStockThreshold: number | null) =>
    bodyOf(await shop.api.put(`/v1/products/${sku}`, { name: 'x', lowStockThreshold }));

  it.each<[way: string, take: (sku: string, units: number) => Promise<unknown>]>([
    ['a hold', (sku, units) => shop.reserve([{ sku, quantity: units }])],
    ['a sale', sell],
    ['a safety stock', (sku, units) => shop.safetyStock(sku, place, units)],
    ['a transfer', (sku, units) => shop.dispatch(sku, place, other, units)],
    ['a count', (sku, units) => shop.count(sku, place, 10 - units)],
    ['a higher threshold', (sku, units) => setThreshold(sku, THRESHOLD + units)],
    [
      'an update',
      async (sku, units) => {
        const { id } = await shop.reserve([{ sku, quantity: 1 }]);
        await shop.update(id, [{ sku, quantity: units }]);
      },
    ],
  ])('is told once when %s takes the item to its threshold, not one unit earlier', async (_way, take) => {
    const [above, at] = [await tenOf(), await tenOf()];
    await take(above, 5);
    await take(at, 6);
    expect([await alarmsOf(above), await isListed(above)]).toEqual([[], false]);
    expect([(await alarmsOf(at)).length, await isListed(at)]).toEqual([1, true]);
    await sell(at, 1);
    expect(await alarmsOf(at)).toHaveLength(1);
  });

  it('is told again only after the item was above its threshold', async () => {
    const sku = await tenOf();
    await sell(sku, 7);
    await shop.receive(sku, place, 1);
    await sell(sku, 1);
    expect(await alarmsOf(sku)).toEqual([3]);
    await shop.receive(sku, place, 2);
    await sell(sku, 2);
    expect(await alarmsOf(sku)).toEqual([3, 3]);
    await setThreshold(sku, 2);
    await setThreshold(sku, 3);
    expect(await alarmsOf(sku)).toEqual([3, 3, 3]);
  });

  it('is told again when a hold ended and its units were taken anew', async () => {
    const sku = await tenOf();
    const { expiresAt } = await shop.reserve([{ sku, quantity: 6 }]);
    shop.clock.set(expiresAt);
    await shop.app.app.get(Sweeper, { strict: false }).sweep();
    expect([await alarmsOf(sku), await isListed(sku)]).toEqual([[4], false]);
    await shop.reserve([{ sku, quantity: 7 }]);
    expect([await alarmsOf(sku), await isListed(sku)]).toEqual([[4, 3], true]);
  });

  it('is not told again when what was held is paid for, handed over or given back', async () => {
    const sku = await tenOf();
    const paid = await shop.reserve([{ sku, quantity: 6 }]);
    const given = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.confirm(paid.id);
    await shop.fulfil(paid.id);
    await shop.cancel(given.id);
    expect(await alarmsOf(sku)).toEqual([4]);
  });

  it('is of no interest without a threshold; at a threshold of 0 an item is low when nothing is left', async () => {
    const [without, zero] = [await tenOf({}), await tenOf({ lowStockThreshold: 0 })];
    for (const sku of [without, zero]) await sell(sku, 9);
    expect([await alarmsOf(without), await alarmsOf(zero)]).toEqual([[], []]);
    for (const sku of [without, zero]) await sell(sku, 1);
    expect([await alarmsOf(without), await alarmsOf(zero)]).toEqual([[], [0]]);
  });
});
