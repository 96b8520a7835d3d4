import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type Movement, type StockOfSku, type Transfer, useShop } from '../support/shop.ts';

describeOnBothEngines('Transfers', (engine) => {
  const shop = useShop(engine);
  let source: string;
  let target: string;

  beforeAll(async () => {
    source = await shop.location({ kind: 'WAREHOUSE' });
    target = await shop.location();
  });

  /** A new product with 10 units at the source. */
  const tenAtSource = (fields: object = {}) => shop.stocked({ [source]: 10 }, fields);
  const sumsOf = async (sku: string) => bodyOf(await shop.api.get<StockOfSku>(`/v1/stock/${sku}`)).totals;
  const told = ({ type, delta, onHandAfter, reason, reference }: Movement) => [
    type,
    delta,
    onHandAfter,
    reason,
    reference,
  ];

  describe('POST /v1/transfers', () => {
    it('takes the units off the source and shows them as incoming at the target', async () => {
      const sku = await tenAtSource();

      const answer = await shop.tryDispatch(sku, source, target, 4);

      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        id: expect.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/) as string,
        sku,
        fromLocationId: source,
        toLocationId: target,
        quantity: 4,
        received: null,
        status: 'IN_TRANSIT',
        reason: null,
        createdAt: shop.clock.iso(),
        updatedAt: shop.clock.iso(),
        version: 1,
      });
      expect(answer.headers.location).toBe(`/v1/transfers/${answer.body.id}`);
      expect(answer.headers.etag).toBe('"1"');
      expect((await shop.api.get(answer.headers.location ?? '')).body).toEqual(answer.body);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 6, available: 6, incoming: 0, version: 2 });
      expect(await shop.stock(sku, target)).toMatchObject({ onHand: 0, available: 0, incoming: 4, version: 1 });
      expect(await sumsOf(sku)).toMatchObject({ onHand: 6, incoming: 4, available: 6 });
      expect((await shop.ledger(sku, source)).map(told)[0]).toEqual(['TRANSFER_OUT', -4, 6, null, answer.body.id]);
      expect(await shop.ledger(sku, target)).toEqual([]);
    });

    it('leaves what is held, committed or safety stock to its owner, and may take all the rest', async () => {
      const sku = await tenAtSource();
      await shop.reserve([{ sku, quantity: 2, locationId: source }]);
      await shop.confirm((await shop.reserve([{ sku, quantity: 3, locationId: source }])).id);
      await shop.safetyStock(sku, source, 1);

      const problem = problemOf(await shop.tryDispatch(sku, source, target, 5), 409, 'INSUFFICIENT_STOCK');

      expect(problem.shortages).toEqual([{ sku, locationId: source, requested: 5, available: 4 }]);
      expect(await shop.stock(sku, target)).toMatchObject({ incoming: 0, version: 0 });
      await shop.dispatch(sku, source, target, 4);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 6, held: 2, committed: 3, available: 0 });
    });

    it('has the units of holds that are over, before anything has swept them', async () => {
      const sku = await tenAtSource();
      const { id } = await shop.reserve([{ sku, quantity: 10 }], { ttlSeconds: 30 });
      problemOf(await shop.tryDispatch(sku, source, target, 1), 409, 'INSUFFICIENT_STOCK');
      shop.clock.advanceSeconds(30);
      await shop.dispatch(sku, source, target, 10);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 0, held: 0, available: 0 });
      expect((await shop.reservation(id)).status).toBe('EXPIRED');
    });

    it('names other locations that have units when the source has not: not the target, also those not sold online', async () => {
      const other = await shop.location();
      const store = await shop.location({ sellsOnline: false });
      const sku = await shop.stocked({ [source]: 2, [target]: 50, [other]: 7, [store]: 9 });
      const problem = problemOf(await shop.tryDispatch(sku, source, target, 3), 409, 'INSUFFICIENT_STOCK');
      expect(problem.alternatives).toEqual([
        { sku, locationId: other, available: 7 },
        { sku, locationId: store, available: 9 },
      ]);
    });

    it('sends an inactive product', async () => {
      const sku = await tenAtSource();
      bodyOf(await shop.api.put(`/v1/products/${sku}`, { name: 'gone', active: false }));
      await shop.end('receive', (await shop.dispatch(sku, source, target, 10)).id);
      expect(await shop.stock(sku, target)).toMatchObject({ onHand: 10, incoming: 0 });
    });

    it('tells that the source ran low', async () => {
      const sku = await tenAtSource({ lowStockThreshold: 3 });
      await shop.dispatch(sku, source, target, 7);
      const low = bodyOf(await shop.api.get<{ items: object[] }>(`/v1/stock?state=low&skus=${sku}`));
      expect(low.items).toMatchObject([{ locationId: source }, { locationId: target, incoming: 7, available: 0 }]);
    });

    it('does not know an unknown product, then an unknown location, all of them', async () => {
      const sku = await tenAtSource();
      const product = problemOf(await shop.tryDispatch('nothing', 'nowhere', 'void', 1), 422, 'UNKNOWN_PRODUCT');
      expect(product.skus).toEqual(['nothing']);
      const location = problemOf(await shop.tryDispatch(sku, 'nowhere', 'void', 99), 422, 'UNKNOWN_LOCATION');
      expect(location.locationIds).toEqual(['nowhere', 'void']);
      problemOf(await shop.tryDispatch(sku, source, 'void', 99), 422, 'UNKNOWN_LOCATION');
    });

    it.each([
      ['no sku', { sku: undefined }, 'sku'],
      ['no source', { fromLocationId: undefined }, 'fromLocationId'],
      ['no target', { toLocationId: undefined }, 'toLocationId'],
      ['a target that is null', { toLocationId: null }, 'toLocationId'],
      ['no quantity', { quantity: undefined }, 'quantity'],
      ['nothing', { quantity: 0 }, 'quantity'],
      ['less than nothing', { quantity: -1 }, 'quantity'],
      ['a part of a unit', { quantity: 1.5 }, 'quantity'],
      ['more than a million', { quantity: 1_000_001 }, 'quantity'],
      ['a way to where it starts', { toLocationId: 'S1', fromLocationId: 'S1' }, 'toLocationId'],
      ['a field that it does not know', { reason: 'x' }, 'reason'],
    ])('refuses %s', async (_what, wrong, field) => {
      const sku = await tenAtSource();
      const body = { sku, fromLocationId: source, toLocationId: target, quantity: 1, ...wrong };
      const problem = problemOf(await shop.api.post('/v1/transfers', body), 400, 'VALIDATION_FAILED');
      expect((problem.errors as { field: string }[]).map((error) => error.field)).toEqual([field]);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 10, version: 1 });
    });

    it('needs a key, and under the same key is done once', async () => {
      const sku = await tenAtSource();
      const body = { sku, fromLocationId: source, toLocationId: target, quantity: 4 };
      problemOf(await shop.api.post('/v1/transfers', body, { key: null }), 400, 'IDEMPOTENCY_KEY_MISSING');
      const key = shop.name('key');
      const first = await shop.api.post<Transfer>('/v1/transfers', body, { key });
      await shop.end('receive', first.body.id);
      const again = await shop.api.post('/v1/transfers', body, { key });
      expect([again.status, again.text, again.headers.etag, again.headers.location]).toEqual([
        201,
        first.text,
        first.headers.etag,
        first.headers.location,
      ]);
      problemOf(await shop.api.post('/v1/transfers', { ...body, quantity: 5 }, { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 6 });
      expect(await shop.stock(sku, target)).toMatchObject({ onHand: 4, incoming: 0 });
    });
  });

  describe('POST /v1/transfers/{id}/receive', () => {
    it('brings all of them in when nothing else is said', async () => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);
      shop.clock.advanceSeconds(60);

      const answer = await shop.tryEnd('receive', id);

      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ status: 'RECEIVED', quantity: 4, received: 4, reason: null, version: 2 });
      expect(answer.body).toMatchObject({ updatedAt: shop.clock.iso(), createdAt: shop.clock.iso(-60) });
      expect(answer.headers.etag).toBe('"2"');
      expect(await shop.transfer(id)).toEqual(answer.body);
      expect(await shop.stock(sku, target)).toMatchObject({ onHand: 4, incoming: 0, available: 4, version: 2 });
      expect((await shop.ledger(sku, target)).map(told)).toEqual([['TRANSFER_IN', 4, 4, null, id]]);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 6, version: 2 });
    });

    it.each([3, 0])('writes off at the target what is missing when %i of 4 arrived', async (received) => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);

      expect(await shop.end('receive', id, { quantity: received, reason: 'broken' })).toMatchObject({
        status: 'RECEIVED',
        received,
        reason: 'broken',
        version: 2,
      });

      expect(await shop.stock(sku, target)).toMatchObject({ onHand: received, incoming: 0, version: 3 });
      expect((await shop.ledger(sku, target)).map(told)).toEqual([
        ['WRITE_OFF', received - 4, received, 'broken', id],
        ['TRANSFER_IN', 4, 4, 'broken', id],
      ]);
      expect(await sumsOf(sku)).toMatchObject({ onHand: 6 + received, incoming: 0 });
    });

    it('gives the same answer to the same again, however often, and changes nothing', async () => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);
      const first = await shop.tryEnd('receive', id, { quantity: 4, reason: 'well' });
      shop.clock.advanceSeconds(5);
      const before = await shop.stock(sku, target);
      for (const body of [{ quantity: 4, reason: 'well' }, { quantity: 4 }, {}, { quantity: null }]) {
        const again = await shop.tryEnd('receive', id, body);
        expect([again.status, again.text, again.headers.etag]).toEqual([200, first.text, first.headers.etag]);
      }
      expect(await shop.stock(sku, target)).toEqual(before);
      expect(await shop.ledger(sku, target)).toHaveLength(1);
    });

    it('refuses another count than the first, and any of what was cancelled', async () => {
      const sku = await tenAtSource();
      const short = await shop.dispatch(sku, source, target, 4);
      await shop.end('receive', short.id, { quantity: 3 });
      for (const body of [{}, { quantity: 4 }, { quantity: 2 }, { quantity: 0 }]) {
        const problem = problemOf(await shop.tryEnd('receive', short.id, body), 409, 'TRANSFER_NOT_IN_TRANSIT');
        expect(problem).toMatchObject({ transferStatus: 'RECEIVED', received: 3 });
      }
      const cancelled = await shop.dispatch(sku, source, target, 4);
      await shop.end('cancel', cancelled.id);
      const problem = problemOf(await shop.tryEnd('receive', cancelled.id), 409, 'TRANSFER_NOT_IN_TRANSIT');
      expect(problem).toMatchObject({ transferStatus: 'CANCELLED', received: null });
      expect(await shop.stock(sku, target)).toMatchObject({ onHand: 3, incoming: 0 });
    });

    it('is a fact: it goes through while the target is oversold, and leaves it so when too little came', async () => {
      const place = await shop.location();
      const sku = await shop.stocked({ [source]: 10, [place]: 5 });
      await shop.reserve([{ sku, quantity: 5, locationId: place }]);
      await shop.count(sku, place, 0);
      const { id } = await shop.dispatch(sku, source, place, 4);
      await shop.end('receive', id, { quantity: 1 });
      expect(await shop.stock(sku, place)).toMatchObject({ onHand: 1, held: 5, incoming: 0, available: -4 });
    });

    it.each([
      ['more than were dispatched', { quantity: 5 }, 'quantity'],
      ['less than nothing', { quantity: -1 }, 'quantity'],
      ['a part of a unit', { quantity: 0.5 }, 'quantity'],
      ['a text for a number', { quantity: '4' }, 'quantity'],
      ['a reason of 501 characters', { reason: 'r'.repeat(501) }, 'reason'],
      ['a field that it does not know', { received: 4 }, 'received'],
    ])('refuses %s, and the transfer stays in transit', async (_what, body, field) => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);
      const problem = problemOf(await shop.tryEnd('receive', id, body), 400, 'VALIDATION_FAILED');
      expect((problem.errors as { field: string }[]).map((error) => error.field)).toEqual([field]);
      expect(await shop.transfer(id)).toMatchObject({ status: 'IN_TRANSIT', version: 1 });
    });
  });

  describe('POST /v1/transfers/{id}/cancel', () => {
    it('brings the units back to the source, and the target no longer waits', async () => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);

      const answer = await shop.tryEnd('cancel', id, { reason: 'no van' });

      expect(answer.body).toMatchObject({ status: 'CANCELLED', received: null, reason: 'no van', version: 2 });
      expect([answer.status, answer.headers.etag]).toEqual([200, '"2"']);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 10, available: 10, version: 3 });
      expect(await shop.stock(sku, target)).toMatchObject({ onHand: 0, incoming: 0, version: 2 });
      expect((await shop.ledger(sku, source)).map(told)[0]).toEqual(['TRANSFER_IN', 4, 10, 'no van', id]);
      expect(await shop.ledger(sku, target)).toEqual([]);
    });

    it('needs no body, and gives the same answer again', async () => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);
      const first = await shop.api.post(`/v1/transfers/${id}/cancel`, undefined, { key: null });
      shop.clock.advanceSeconds(5);
      const again = await shop.tryEnd('cancel', id, { reason: 'said later' });
      expect([again.status, again.text, again.headers.etag]).toEqual([200, first.text, first.headers.etag]);
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 10, version: 3 });
    });

    it('is refused once it was received', async () => {
      const sku = await tenAtSource();
      const { id } = await shop.dispatch(sku, source, target, 4);
      await shop.end('receive', id, { quantity: 0 });
      problemOf(await shop.tryEnd('cancel', id), 409, 'TRANSFER_NOT_IN_TRANSIT');
      expect(await shop.stock(sku, source)).toMatchObject({ onHand: 6 });
    });
  });

  it('meets errors in their order: the path, the body, the version, the state', async () => {
    const sku = await tenAtSource();
    const { id } = await shop.dispatch(sku, source, target, 4);
    await shop.end('cancel', id);
    const stale = { headers: { 'if-match': '"1"' } };
    problemOf(await shop.tryEnd('receive', 'nobody', { quantity: -1 }, stale), 400, 'VALIDATION_FAILED');
    const missing = problemOf(await shop.tryEnd('receive', 'nobody', { quantity: 5 }, stale), 404, 'NOT_FOUND');
    expect(missing.transferId).toBe('nobody');
    problemOf(await shop.tryEnd('cancel', 'nobody', {}, stale), 404, 'NOT_FOUND');
    problemOf(await shop.api.get('/v1/transfers/nobody'), 404, 'NOT_FOUND');
    problemOf(await shop.tryEnd('receive', id, { quantity: 5 }, stale), 400, 'VALIDATION_FAILED');
    problemOf(await shop.tryEnd('receive', id, {}, stale), 412, 'VERSION_MISMATCH');
    problemOf(await shop.tryEnd('cancel', id, {}, stale), 412, 'VERSION_MISMATCH');
    problemOf(await shop.tryEnd('receive', id), 409, 'TRANSFER_NOT_IN_TRANSIT');
  });

  it('counts its movements by type, place and outcome, a repeat not at all', async () => {
    const [from, to] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [from]: 5 });
    const { id } = await shop.dispatch(sku, from, to, 3);
    problemOf(await shop.tryDispatch(sku, from, to, 3), 409, 'INSUFFICIENT_STOCK');
    await shop.end('receive', id, { quantity: 2 });
    await shop.end('receive', id, { quantity: 2 });
    await shop.end('cancel', (await shop.dispatch(sku, from, to, 1)).id);

    const counted = (await shop.api.get('/metrics')).text
      .split('\n')
      .filter((line) => line.includes(`store="${from}"`) || line.includes(`store="${to}"`))
      .map((line) => line.replace(/^.*type="(\w+)",status="(\w+)",store="(.*)"} (\d+)$/, '$1 $2 $3 $4'));
    expect(counted.sort()).toEqual(
      [
        `RECEIPT success ${from} 1`,
        `TRANSFER_OUT success ${from} 2`,
        `TRANSFER_OUT refused ${from} 1`,
        `TRANSFER_IN success ${from} 1`,
        `TRANSFER_IN success ${to} 1`,
        `WRITE_OFF success ${to} 1`,
      ].sort(),
    );
  });

  it('lets at most a thousand million be on their way to one place, to the unit, and refuses no dispatch in part', async () => {
    const sku = await shop.product();
    await Promise.all(Array.from({ length: 1_000 }, () => shop.receive(sku, source, 1_000_000)));
    await Promise.all(Array.from({ length: 999 }, () => shop.dispatch(sku, source, target, 1_000_000)));
    await shop.dispatch(sku, source, target, 999_999);
    await shop.receive(sku, source, 10);

    problemOf(await shop.tryDispatch(sku, source, target, 2), 422, 'QUANTITY_LIMIT');

    expect(await shop.stock(sku, source)).toMatchObject({ onHand: 11 });
    expect(await shop.stock(sku, target)).toMatchObject({ onHand: 0, incoming: 999_999_999 });
    await shop.dispatch(sku, source, target, 1);
    expect(await shop.stock(sku, target)).toMatchObject({ incoming: 1_000_000_000 });
    problemOf(await shop.tryDispatch(sku, source, target, 11), 409, 'INSUFFICIENT_STOCK');
  });
});
