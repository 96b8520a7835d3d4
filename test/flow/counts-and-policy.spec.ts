import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type StockItem, stockPath, useShop } from '../support/shop.ts';

describeOnBothEngines('Counts', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  it('sets on-hand through a COUNT movement, up or down', async () => {
    const sku = await shop.product();
    const answer = await shop.tryCount(sku, place, 7, { reason: 'yearly' });
    expect(answer.status).toBe(201);
    expect(answer.body.stock).toMatchObject({ onHand: 7, available: 7, version: 1 });
    expect(await shop.count(sku, place, 3)).toMatchObject({ onHand: 3, version: 2 });

    expect(await shop.ledger(sku, place)).toMatchObject([
      { type: 'COUNT', delta: -4, onHandAfter: 3, reason: null },
      { type: 'COUNT', delta: 7, onHandAfter: 7, reason: 'yearly', movementId: answer.body.movementId },
    ]);
  });

  it('records a count that finds what the books say, with a version of its own', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    expect(await shop.count(sku, place, 5)).toMatchObject({ onHand: 5, version: 2 });
    expect((await shop.ledger(sku, place))[0]).toMatchObject({ type: 'COUNT', delta: 0, onHandAfter: 5 });

    const untouched = await shop.product();
    expect(await shop.count(untouched, place, 0)).toMatchObject({ onHand: 0, version: 1 });
  });

  it('is a fact: below what is promised it is recorded, and the item is oversold', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    await shop.reserve([{ sku, quantity: 4, locationId: place }]);
    const paid = await shop.reserve([{ sku, quantity: 3, locationId: place }]);
    await shop.confirm(paid.id);

    expect(await shop.count(sku, place, 2)).toMatchObject({ onHand: 2, held: 4, committed: 3, available: -5 });

    const negative = await shop.api.get<{ items: StockItem[] }>(`/v1/stock?state=negative&skus=${sku}`);
    expect(negative.body.items).toMatchObject([{ sku, available: -5 }]);
    problemOf(await shop.tryMove(sku, place, 'SALE', 1), 409, 'INSUFFICIENT_STOCK');
    problemOf(await shop.tryReserve([{ sku, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK');
  });

  it('keeps every promise of an oversold item, and lets goods leave only when they are there', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    const held = await shop.reserve([{ sku, quantity: 5, locationId: place }]);
    await shop.count(sku, place, 3);

    const unchanged = await shop.update(held.id, [{ sku, quantity: 5, locationId: place }]);
    expect(unchanged.lines[0]?.allocations).toEqual([{ locationId: place, quantity: 5, fulfilled: false }]);
    expect((await shop.confirm(held.id)).status).toBe('CONFIRMED');
    problemOf(await shop.tryTo('fulfil', held.id), 409, 'INSUFFICIENT_STOCK');
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 3, committed: 5, available: -2 });

    await shop.receive(sku, place, 2);
    expect((await shop.fulfil(held.id)).status).toBe('FULFILLED');
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 0, held: 0, committed: 0, available: 0 });
  });

  it('takes 0 and a million', async () => {
    const sku = await shop.product();
    expect((await shop.count(sku, place, 1_000_000)).onHand).toBe(1_000_000);
    expect((await shop.count(sku, place, 0)).onHand).toBe(0);
  });

  it.each([
    ['nothing counted', {}, 'counted'],
    ['null', { counted: null }, 'counted'],
    ['less than nothing', { counted: -1 }, 'counted'],
    ['more than a million', { counted: 1_000_001 }, 'counted'],
    ['half a unit', { counted: 0.5 }, 'counted'],
    ['text', { counted: '5' }, 'counted'],
    ['a reference, which counts do not have', { counted: 1, reference: 'x' }, 'reference'],
  ])('refuses %s', async (_what, body, field) => {
    const sku = await shop.product();
    const problem = problemOf(await shop.api.post(stockPath(sku, place, '/counts'), body), 400, 'VALIDATION_FAILED');
    expect(problem.errors).toMatchObject([{ field }]);
    expect((await shop.stock(sku, place)).version).toBe(0);
  });

  it('does not know an unknown sku or location', async () => {
    const sku = await shop.product();
    problemOf(await shop.tryCount('nothing', place, 1), 404, 'NOT_FOUND');
    problemOf(await shop.tryCount(sku, 'nowhere', 1), 404, 'NOT_FOUND');
  });
});

describeOnBothEngines('The policy of a stock item', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  const put = (sku: string, body: unknown) => shop.api.put<StockItem>(stockPath(sku, place, '/policy'), body);

  it('sets units aside that commands may not take', async () => {
    const sku = await shop.stocked({ [place]: 10 });

    const answer = await put(sku, { safetyStock: 4 });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ sku, locationId: place, onHand: 10, safetyStock: 4, available: 6, version: 2 });
    expect(await shop.stock(sku, place)).toEqual(answer.body);
    const problem = problemOf(await shop.tryReserve([{ sku, quantity: 7 }]), 409, 'INSUFFICIENT_STOCK');
    expect(problem.shortages).toEqual([{ sku, locationId: null, requested: 7, available: 6 }]);
    await shop.reserve([{ sku, quantity: 6 }]);
  });

  it('is never refused, and more safety than stock is no overselling', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    await shop.reserve([{ sku, quantity: 3, locationId: place }]);

    expect(bodyOf(await put(sku, { safetyStock: 1_000_000 })).available).toBe(5 - 3 - 1_000_000);

    const list = async (state: string) =>
      bodyOf(await shop.api.get<{ items: StockItem[] }>(`/v1/stock?state=${state}&skus=${sku}`)).items.length;
    expect(await list('negative')).toBe(0);
    expect(await list('out')).toBe(1);
  });

  it('changes nothing when it is set as it was, and can be set before there is stock', async () => {
    const sku = await shop.product();
    expect(bodyOf(await put(sku, { safetyStock: 2 }))).toMatchObject({ available: -2, version: 1 });
    expect(bodyOf(await put(sku, { safetyStock: 2 }))).toMatchObject({ available: -2, version: 1 });
    expect(bodyOf(await put(sku, { safetyStock: 0 }))).toMatchObject({ available: 0, version: 2 });
    expect(await shop.ledger(sku, place)).toEqual([]);
  });

  it('lets a hold keep what it has when safety stock grows past what is left', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    const held = await shop.reserve([{ sku, quantity: 5 }]);
    bodyOf(await put(sku, { safetyStock: 3 }));
    expect((await shop.update(held.id, [{ sku, quantity: 4 }])).lines[0]?.quantity).toBe(4);
    // One unit came back, but safety stock keeps it.
    const problem = problemOf(await shop.tryUpdate(held.id, [{ sku, quantity: 5 }]), 409, 'INSUFFICIENT_STOCK');
    expect(problem.shortages).toEqual([{ sku, locationId: null, requested: 5, available: 4 }]);
  });

  it.each([
    ['nothing', {}],
    ['null', { safetyStock: null }],
    ['a negative number', { safetyStock: -1 }],
    ['half a unit', { safetyStock: 1.5 }],
    ['text', { safetyStock: '1' }],
    ['too much', { safetyStock: 1_000_001 }],
  ])('refuses %s', async (_what, body) => {
    const sku = await shop.product();
    const problem = problemOf(await put(sku, body), 400, 'VALIDATION_FAILED');
    expect(problem.errors).toMatchObject([{ field: 'safetyStock' }]);
  });

  it('does not know an unknown sku or location', async () => {
    const sku = await shop.product();
    problemOf(await put('nothing', { safetyStock: 1 }), 404, 'NOT_FOUND');
    problemOf(await shop.api.put(stockPath(sku, 'nowhere', '/policy'), { safetyStock: 1 }), 404, 'NOT_FOUND');
  });
});
