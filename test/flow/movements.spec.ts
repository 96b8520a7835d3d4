import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, DIRECT, stockPath, useShop } from '../support/shop.ts';

describeOnBothEngines('Movements', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  it('answers a receipt with the movement and the stock item after it', async () => {
    const sku = await shop.product();

    const answer = await shop.tryMove(sku, place, 'RECEIPT', 10);

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      movementId: expect.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/) as string,
      stock: {
        sku,
        locationId: place,
        onHand: 10,
        held: 0,
        committed: 0,
        incoming: 0,
        safetyStock: 0,
        available: 10,
        version: 1,
        updatedAt: shop.clock.iso(),
        freshness: DIRECT,
      },
    });
    expect(await shop.stock(sku, place)).toEqual(answer.body.stock);
  });

  it('shows a known product at a known location as zeros before its first movement', async () => {
    const sku = await shop.product();
    expect(await shop.stock(sku, place)).toEqual({
      sku,
      locationId: place,
      onHand: 0,
      held: 0,
      committed: 0,
      incoming: 0,
      safetyStock: 0,
      available: 0,
      version: 0,
      updatedAt: null,
      freshness: DIRECT,
    });
    expect(await shop.ledger(sku, place)).toEqual([]);
  });

  it.each([
    ['RECEIPT', 4, 4],
    ['RETURN', 3, 3],
    ['SALE', 2, -2],
    ['WRITE_OFF', 1, -1],
    ['ADJUSTMENT', 5, 5],
    ['ADJUSTMENT', -6, -6],
  ])('books %s of %i as a change of %i and one version', async (type, quantity, delta) => {
    const sku = await shop.stocked({ [place]: 100 });

    const { stock } = bodyOf(
      await shop.tryMove(sku, place, type, quantity, { reason: 'why', reference: 'doc-1' }),
      201,
    );

    expect(stock).toMatchObject({ onHand: 100 + delta, available: 100 + delta, version: 2 });
    expect((await shop.ledger(sku, place))[0]).toMatchObject({
      type,
      delta,
      onHandAfter: 100 + delta,
      reason: 'why',
      reference: 'doc-1',
      occurredAt: shop.clock.iso(),
    });
  });

  it.each([
    ['SALE', 11],
    ['WRITE_OFF', 11],
    ['ADJUSTMENT', -11],
  ])('refuses %s of %i when 10 are available, and changes nothing', async (type, quantity) => {
    const elsewhere = await shop.location();
    const sku = await shop.stocked({ [place]: 10, [elsewhere]: 3 });
    const before = await shop.stock(sku, place);

    const problem = problemOf(await shop.tryMove(sku, place, type, quantity), 409, 'INSUFFICIENT_STOCK');

    expect(problem.shortages).toEqual([{ sku, locationId: place, requested: 11, available: 10 }]);
    expect(problem.alternatives).toEqual([{ sku, locationId: elsewhere, available: 3 }]);
    expect(await shop.stock(sku, place)).toEqual(before);
    expect(await shop.ledger(sku, place)).toHaveLength(1);
  });

  it('names other locations in the order of sourcing, holds that are over counted as given back', async () => {
    const [late, much, few] = [await shop.location({ priority: 200 }), await shop.location(), await shop.location()];
    const [none, unsold] = [await shop.location(), await shop.location({ sellsOnline: false, priority: 0 })];
    const sku = await shop.stocked({ [place]: 1, [late]: 9, [much]: 8, [few]: 4, [none]: 2, [unsold]: 7 });
    await shop.reserve([{ sku, quantity: 2, locationId: none }]);
    await shop.reserve([{ sku, quantity: 3, locationId: few }], { ttlSeconds: 1 });
    shop.clock.advanceSeconds(1);
    const online = [
      { sku, locationId: much, available: 8 },
      { sku, locationId: few, available: 4 },
      { sku, locationId: late, available: 9 },
    ];

    const sale = problemOf(await shop.tryMove(sku, place, 'SALE', 2), 409, 'INSUFFICIENT_STOCK');
    expect(sale.alternatives).toEqual(online);
    for (const [type, quantity] of [
      ['WRITE_OFF', 2],
      ['ADJUSTMENT', -2],
    ] as const) {
      const problem = problemOf(await shop.tryMove(sku, place, type, quantity), 409, 'INSUFFICIENT_STOCK');
      expect(problem.alternatives).toEqual([...online, { sku, locationId: unsold, available: 7 }]);
    }
  });

  it.each([
    ['SALE', 10],
    ['WRITE_OFF', 10],
    ['ADJUSTMENT', -10],
  ])('lets %s take all of it', async (type, quantity) => {
    const sku = await shop.stocked({ [place]: 10 });
    expect(bodyOf(await shop.tryMove(sku, place, type, quantity), 201).stock).toMatchObject({
      onHand: 0,
      available: 0,
    });
  });

  it('leaves what is held, committed or safety stock to its owner', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    await shop.reserve([{ sku, quantity: 2, locationId: place }]);
    const paid = await shop.reserve([{ sku, quantity: 3, locationId: place }]);
    await shop.confirm(paid.id);
    await shop.safetyStock(sku, place, 1);

    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 10, held: 2, committed: 3, available: 4 });
    problemOf(await shop.tryMove(sku, place, 'SALE', 5), 409, 'INSUFFICIENT_STOCK');
    problemOf(await shop.tryMove(sku, place, 'WRITE_OFF', 5), 409, 'INSUFFICIENT_STOCK');
    problemOf(await shop.tryMove(sku, place, 'ADJUSTMENT', -5), 409, 'INSUFFICIENT_STOCK');
    expect(bodyOf(await shop.tryMove(sku, place, 'SALE', 4), 201).stock).toMatchObject({ onHand: 6, available: 0 });
  });

  it('sells no inactive product, not elsewhere either, and books everything else of it', async () => {
    const sku = await shop.stocked({ [place]: 10, [await shop.location()]: 5 }, { active: true });
    bodyOf(await shop.api.put(`/v1/products/${sku}`, { name: 'gone', active: false }));

    const problem = problemOf(await shop.tryMove(sku, place, 'SALE', 1), 409, 'INSUFFICIENT_STOCK');
    expect(problem.shortages).toEqual([{ sku, locationId: place, requested: 1, available: 0 }]);
    expect(problem.alternatives).toEqual([]);

    for (const [type, quantity] of [
      ['RECEIPT', 5],
      ['RETURN', 1],
      ['WRITE_OFF', 2],
      ['ADJUSTMENT', -3],
    ] as const) {
      expect((await shop.tryMove(sku, place, type, quantity)).status).toBe(201);
    }
    expect((await shop.count(sku, place, 20)).onHand).toBe(20);
  });

  it.each([
    ['no type', { quantity: 1 }, 'type'],
    ['a type in small letters', { type: 'receipt', quantity: 1 }, 'type'],
    ['COUNT, which has its own resource', { type: 'COUNT', quantity: 1 }, 'type'],
    ['FULFILMENT, which follows from a reservation', { type: 'FULFILMENT', quantity: 1 }, 'type'],
    ['TRANSFER_IN, which follows from a transfer', { type: 'TRANSFER_IN', quantity: 1 }, 'type'],
    ['no quantity', { type: 'RECEIPT' }, 'quantity'],
    ['nothing', { type: 'RECEIPT', quantity: 0 }, 'quantity'],
    ['an adjustment of nothing', { type: 'ADJUSTMENT', quantity: 0 }, 'quantity'],
    ['a negative receipt', { type: 'RECEIPT', quantity: -1 }, 'quantity'],
    ['a negative sale', { type: 'SALE', quantity: -1 }, 'quantity'],
    ['a negative return', { type: 'RETURN', quantity: -1 }, 'quantity'],
    ['a negative write-off', { type: 'WRITE_OFF', quantity: -1 }, 'quantity'],
    ['more than a million', { type: 'RECEIPT', quantity: 1_000_001 }, 'quantity'],
    ['an adjustment below minus a million', { type: 'ADJUSTMENT', quantity: -1_000_001 }, 'quantity'],
    ['a reason of 501 characters', { type: 'RECEIPT', quantity: 1, reason: 'r'.repeat(501) }, 'reason'],
    ['a reason that is no text', { type: 'RECEIPT', quantity: 1, reason: 7 }, 'reason'],
    ['a reference with a control character', { type: 'RECEIPT', quantity: 1, reference: 'a\u0007' }, 'reference'],
    ['a field that it does not know', { type: 'RECEIPT', quantity: 1, delta: 1 }, 'delta'],
  ])('refuses %s', async (_what, body, field) => {
    const sku = await shop.product();
    const problem = problemOf(await shop.api.post(stockPath(sku, place, '/movements'), body), 400, 'VALIDATION_FAILED');
    expect((problem.errors as { field: string }[]).map((error) => error.field)).toContain(field);
    expect((await shop.stock(sku, place)).version).toBe(0);
  });

  it('takes a million at once, a reason of 500 characters and null for what is optional', async () => {
    const sku = await shop.product();
    const more = { reason: 'r'.repeat(500), reference: null };
    expect(bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 1_000_000, more), 201).stock.onHand).toBe(1_000_000);
    expect(bodyOf(await shop.tryMove(sku, place, 'ADJUSTMENT', -1_000_000), 201).stock.onHand).toBe(0);
    expect((await shop.ledger(sku, place))[1]).toMatchObject(more);
  });

  it('does not know an unknown sku or location in the path', async () => {
    const sku = await shop.product();
    problemOf(await shop.tryMove('nothing', place, 'RECEIPT', 1), 404, 'NOT_FOUND');
    problemOf(await shop.tryMove(sku, 'nowhere', 'RECEIPT', 1), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(stockPath('nothing', place)), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(stockPath(sku, 'nowhere')), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(stockPath('nothing', place, '/movements')), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(stockPath(sku, 'nowhere', '/movements')), 404, 'NOT_FOUND');
  });

  it('stops at a balance of a thousand million, to the unit', async () => {
    const sku = await shop.product();
    await Promise.all(Array.from({ length: 999 }, () => shop.receive(sku, place, 1_000_000)));
    expect((await shop.receive(sku, place, 999_999)).onHand).toBe(999_999_999);
    expect((await shop.receive(sku, place, 1)).onHand).toBe(1_000_000_000);

    for (const type of ['RECEIPT', 'RETURN', 'ADJUSTMENT']) {
      problemOf(await shop.tryMove(sku, place, type, 1), 422, 'QUANTITY_LIMIT');
    }

    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 1_000_000_000, version: 1001 });
    expect(bodyOf(await shop.tryMove(sku, place, 'SALE', 1), 201).stock.onHand).toBe(999_999_999);
  });
});
