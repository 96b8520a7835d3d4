import { RawBody, problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type StockOfSku, useShop } from '../support/shop.ts';
import { rowsOf } from '../support/sql.ts';

type Totals = StockOfSku['totals'];
type Item = Totals & { readonly sku: string; readonly unknown?: true };

const ZEROS: Totals = { onHand: 0, held: 0, committed: 0, incoming: 0, available: 0 };

describeOnBothEngines('POST /v1/availability', (engine) => {
  const shop = useShop(engine);
  let north: string;
  let south: string;

  beforeAll(async () => {
    north = await shop.location();
    south = await shop.location({ sellsOnline: false });
  });

  const ask = (body: unknown, key: string | null = null) =>
    shop.api.post<{ items: Item[] }>('/v1/availability', body, { key });
  const find = async (skus: readonly string[], more: object = {}) => bodyOf(await ask({ skus, ...more })).items;

  async function totalsOf(sku: string): Promise<Item> {
    const { totals } = bodyOf(await shop.api.get<StockOfSku>(`/v1/stock/${sku}`));
    return { sku, ...totals };
  }

  /** At both places, with every sort of units. */
  async function busy(): Promise<string> {
    const sku = await shop.stocked({ [north]: 20, [south]: 7 });
    await shop.safetyStock(sku, north, 3);
    await shop.reserve([{ sku, quantity: 2 }]);
    const { id } = await shop.reserve([{ sku, quantity: 4, locationId: south }]);
    await shop.confirm(id);
    return sku;
  }

  it('answers the totals that each sku has by itself, in the order asked', async () => {
    const skus = [await busy(), await shop.product(), await busy()].reverse();
    const items = await find(skus);
    expect(items).toEqual([await totalsOf(skus[0]!), await totalsOf(skus[1]!), await totalsOf(skus[2]!)]);
    expect(items[0]).toEqual({ sku: skus[0], onHand: 27, held: 2, committed: 4, incoming: 0, available: 18 });
    expect(items[1]).toEqual({ sku: skus[1], ...ZEROS });
  });

  it('answers what one location has, zeros where it never had any', async () => {
    const [sku, elsewhere] = [await busy(), await shop.stocked({ [north]: 5 })];
    expect(await find([elsewhere, sku], { locationId: south })).toEqual([
      { sku: elsewhere, ...ZEROS },
      { sku, onHand: 7, held: 0, committed: 4, incoming: 0, available: 3 },
    ]);
    expect(await find([sku], { locationId: null })).toEqual([await totalsOf(sku)]);
  });

  it('says which skus are unknown and still answers the others; one that is asked twice is answered once', async () => {
    const sku = await busy();
    const delisted = { sku: 'never-listed', ...ZEROS, unknown: true };
    const known = await totalsOf(sku);
    expect(await find(['never-listed', sku, sku, 'never-listed'])).toEqual([delisted, known]);
    expect(await find(['never-listed'])).toEqual([delisted]);
    expect(await find(['never-listed'], { locationId: north })).toEqual([delisted]);
  });

  it('counts inactive products and tells of what facts oversold, as the single read does', async () => {
    const sku = await shop.stocked({ [north]: 5 });
    await shop.reserve([{ sku, quantity: 5 }]);
    await shop.count(sku, north, 1);
    await shop.api.put(`/v1/products/${sku}`, { name: 'out of season', active: false });
    expect(await find([sku])).toEqual([{ sku, onHand: 1, held: 5, committed: 0, incoming: 0, available: -4 }]);
  });

  it('is true at the instant: a hold that is over does not count, swept or not', async () => {
    const sku = await shop.stocked({ [north]: 5, [south]: 5 });
    await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 14_400 });
    const { expiresAt } = await shop.reserve([{ sku, quantity: 2 }], { ttlSeconds: 60 });
    await shop.reserve([{ sku, quantity: 4, locationId: south }], { ttlSeconds: 60 });
    shop.clock.set(expiresAt, -1);
    expect(await find([sku])).toMatchObject([{ held: 7, available: 3 }]);
    shop.clock.set(expiresAt);
    expect(await find([sku])).toMatchObject([{ held: 1, available: 9 }]);
    expect(await find([sku], { locationId: south })).toMatchObject([{ held: 0, available: 5 }]);
  });

  it('finds skus that are named like what objects are born with, or like numbers', async () => {
    const skus = ['toString', '__proto__', '2', '1', 'hasOwnProperty', '0x1', 'key'];
    for (const sku of skus) await shop.receive(await shop.product({}, sku), north, 2);
    expect(await find(skus)).toEqual(skus.map((sku) => ({ sku, ...ZEROS, onHand: 2, available: 2 })));
    expect(await find(['valueOf'])).toEqual([{ sku: 'valueOf', ...ZEROS, unknown: true }]);
  });

  it('answers as many skus as a page may have', async () => {
    const sku = await busy();
    const skus = [...Array.from({ length: 199 }, (_, n) => `nothing-${n}`), sku];
    const items = await find(skus);
    expect(items.map((item) => item.sku)).toEqual(skus);
    expect(items[199]).toEqual(await totalsOf(sku));
  });

  it('is a read: it takes no Idempotency-Key, keeps none that is sent, and answers anew each time', async () => {
    const sku = await shop.stocked({ [north]: 5 });
    const first = await ask({ skus: [sku] }, 'a-key-for-a-read');
    await shop.receive(sku, north, 1);
    const second = await ask({ skus: [sku] }, 'a-key-for-a-read');
    expect([first, second].map((answer) => bodyOf(answer).items[0]?.onHand)).toEqual([5, 6]);
    expect(second.headers['idempotency-replayed']).toBeUndefined();
    const { databaseUrl } = shop.app;
    expect(await rowsOf(databaseUrl, "SELECT key FROM idempotency_keys WHERE key = 'a-key-for-a-read'")).toEqual([]);
    problemOf(await ask({ skus: [sku] }, 'x'.repeat(256)), 400, 'VALIDATION_FAILED');
  });

  it('refuses an unknown location, after what is no request', async () => {
    const problem = problemOf(await ask({ skus: ['x'], locationId: 'nowhere' }), 422, 'UNKNOWN_LOCATION');
    expect(problem.locationIds).toEqual(['nowhere']);
    problemOf(await ask({ skus: [], locationId: 'nowhere' }), 400, 'VALIDATION_FAILED');
  });

  it.each([
    [{}, ['skus']],
    [{ skus: [] }, ['skus']],
    [{ skus: null }, ['skus']],
    [{ skus: 'MUG' }, ['skus']],
    [{ skus: Array.from({ length: 201 }, (_, n) => `sku-${n}`) }, ['skus']],
    [{ skus: ['a', '', 'b c', 7, null, '..', 'x"y', 'é'] }, [1, 2, 3, 4, 5, 6, 7].map((index) => `skus[${index}]`)],
    [{ skus: ['a'], locationId: '' }, ['locationId']],
    [{ skus: ['a'], locations: ['S1'] }, ['locations']],
  ])('refuses %j', async (body, fields) => {
    const { errors } = problemOf(await ask(body), 400, 'VALIDATION_FAILED') as unknown as {
      errors: { field: string }[];
    };
    expect(errors.map(({ field }) => field).sort()).toEqual(fields);
  });

  it('takes no other method and nothing but JSON', async () => {
    const answer = await shop.api.get('/v1/availability');
    problemOf(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toBe('POST');
    problemOf(await ask(new RawBody('skus=a', 'text/plain')), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });
});
