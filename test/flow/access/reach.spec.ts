import { useGuardedApp } from '../../support/guarded-app.ts';
import { type Api, problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { allPages, bodyOf, type Reservation, ShopClient } from '../../support/shop.ts';
import { StoreClient } from '../../support/store-client.ts';

describeOnBothEngines('A storefront', (engine) => {
  const app = useGuardedApp(engine);
  let shop: ShopClient;
  let storefront: Api;
  let sibling: Api;
  let rival: Api;
  let sku: string;
  const lines = () => [{ sku, quantity: 1 }];
  const reserve = (api: Api, more: object = {}) =>
    api.post<Reservation>('/v1/reservations', { lines: lines(), ...more });

  beforeAll(async () => {
    shop = new ShopClient(app.it.admin);
    sku = await shop.stocked({ [await shop.location()]: 1_000 });
    storefront = await app.it.as({ role: 'storefront', clientId: 'web' });
    sibling = await app.it.as({ role: 'storefront', clientId: 'web' });
    rival = await app.it.as({ role: 'storefront', clientId: 'app' });
  });

  it('makes, changes and ends its own reservations, with each of its keys', async () => {
    const { id } = bodyOf(await reserve(storefront), 201);
    bodyOf(await sibling.put(`/v1/reservations/${id}/lines`, { lines: [{ sku, quantity: 2 }] }));
    bodyOf(await storefront.post(`/v1/reservations/${id}/refresh`, {}));
    expect(bodyOf(await sibling.get<Reservation>(`/v1/reservations/${id}`)).lines[0]?.quantity).toBe(2);
    expect((await sibling.get(`/v1/reservations/${id}/timeline`)).status).toBe(200);
    bodyOf(await storefront.post(`/v1/reservations/${id}/confirm`, { orderId: 'O-1' }));
    problemOf(await storefront.post(`/v1/reservations/${id}/fulfil`, {}), 403, 'FORBIDDEN');
    bodyOf(await storefront.post(`/v1/reservations/${id}/cancel`, {}));
  });

  it("is told of another client's reservation what it is told of one that there is not", async () => {
    const { id } = bodyOf(await reserve(storefront), 201);
    const nothing = '019ab0c2-0000-7000-8000-000000000000';
    const calls: [string, string, object | undefined][] = [
      ['GET', '', undefined],
      ['GET', '/timeline', undefined],
      ['PUT', '/lines', { lines: lines() }],
      ['POST', '/refresh', {}],
      ['POST', '/confirm', { orderId: 'O-2' }],
      ['POST', '/cancel', {}],
    ];
    for (const [method, rest, body] of calls) {
      for (const headers of [{}, { 'if-match': '"1"' }]) {
        const ask = (of: string) => rival.send(method, `/v1/reservations/${of}${rest}`, body, { key: null, headers });
        const [foreign, unknown] = [await ask(id), await ask(nothing)];
        problemOf(foreign, 404, 'NOT_FOUND');
        const asUnknown = (text: string) => text.replaceAll(id, nothing).replace(/"correlationId":"[^"]*"/, '');
        expect(asUnknown(foreign.text)).toBe(asUnknown(unknown.text));
      }
    }
    expect(bodyOf(await storefront.get<Reservation>(`/v1/reservations/${id}`))).toMatchObject({
      status: 'ACTIVE',
      version: 1,
    });
    expect(bodyOf(await app.it.admin.get<Reservation>(`/v1/reservations/${id}`)).id).toBe(id);
  });

  it('lists its own only, by whatever filter', async () => {
    const own = bodyOf(await reserve(rival, { cartId: 'listed' }), 201).id;
    const foreign = bodyOf(await reserve(storefront, { cartId: 'listed' }), 201).id;
    const place = bodyOf(await app.it.admin.get<Reservation>(`/v1/reservations/${foreign}`)).lines[0]?.allocations[0];
    const locationId = place?.locationId ?? '';
    for (const filter of [
      '',
      '?status=ACTIVE',
      '?cartId=listed',
      `?locationId=${locationId}`,
      '?status=ACTIVE&cartId=listed',
    ]) {
      const ids = (await allPages<Reservation>(rival, `/v1/reservations${filter}`, 1)).map(({ id }) => id);
      expect(ids).toContain(own);
      expect(ids).not.toContain(foreign);
    }
    const all = (await allPages<Reservation>(app.it.admin, '/v1/reservations?cartId=listed')).map(({ id }) => id);
    expect(all).toEqual([foreign, own]);
  });

  it('has carts of its own: a name is no credential', async () => {
    const first = bodyOf(await reserve(storefront, { cartId: 'cart' }), 201).id;
    const second = bodyOf(await reserve(rival, { cartId: 'cart' }), 201).id;
    for (const [api, id] of [
      [sibling, first],
      [rival, second],
    ] as const) {
      expect(problemOf(await reserve(api, { cartId: 'cart' }), 409, 'CART_ALREADY_RESERVED').reservationId).toBe(id);
    }
  });

  it('has Idempotency-Keys of its own', async () => {
    const body = { lines: lines() };
    const first = await storefront.post<Reservation>('/v1/reservations', body, { key: 'same' });
    expect((await sibling.post<Reservation>('/v1/reservations', body, { key: 'same' })).body).toEqual(first.body);
    const other = await rival.post<Reservation>('/v1/reservations', body, { key: 'same' });
    expect(other.headers['idempotency-replayed']).toBeUndefined();
    expect(bodyOf(other, 201).id).not.toBe(first.body.id);
  });
});

describeOnBothEngines('A store', (engine) => {
  const app = useGuardedApp(engine);
  let shop: ShopClient;
  let store: Api;
  let own: string;
  let other: string;
  let sku: string;

  beforeAll(async () => {
    shop = new ShopClient(app.it.admin);
    [own, other] = [await shop.location(), await shop.location()];
    sku = await shop.stocked({ [own]: 10, [other]: 10 });
    store = await app.it.as({ role: 'store', locationId: own });
  });

  it('reads and counts its own stock', async () => {
    bodyOf(await store.get(`/v1/locations/${own}`));
    bodyOf(await store.get(`/v1/stock/${sku}/${own}`));
    bodyOf(await store.get(`/v1/stock?locationId=${own}`));
    bodyOf(await store.get(`/v1/stock/${sku}/${own}/movements`));
    bodyOf(await store.post(`/v1/stock/${sku}/${own}/counts`, { counted: 9 }), 201);
  });

  it('names its own location, and no other', async () => {
    const refused = [
      await store.get(`/v1/locations/${other}`),
      await store.get(`/v1/stock/${sku}/${other}`),
      await store.get(`/v1/stock/${sku}/${other}/movements`),
      await store.get(`/v1/stock?locationId=${other}`),
      await store.get(`/v1/stock?locationId=${own}&locationId=${other}`),
      await store.get('/v1/stock'),
      await store.get(`/v1/stock?skus=${sku}`),
      await store.get('/v1/reservations'),
      await store.get(`/v1/reservations?locationId=${other}&status=CONFIRMED`),
      await store.post(`/v1/stock/${sku}/${other}/counts`, { counted: 0 }),
      await store.post(`/v1/stock/${sku}/${other}/counts`, { locationId: own }),
    ];
    for (const answer of refused) problemOf(answer, 403, 'FORBIDDEN');
    expect((await shop.stock(sku, other)).onHand).toBe(10);
  });

  it('hands over what is to be picked up there, and nothing else', async () => {
    const reserve = async (at: string) => {
      const { id } = await shop.reserve([{ sku, quantity: 1, locationId: at }]);
      await shop.confirm(id, `order-${id}`);
      return id;
    };
    const [here, there] = [await reserve(own), await reserve(other)];
    const both = await shop.reserve([
      { sku, quantity: 1, locationId: own },
      { sku, quantity: 1, locationId: other },
    ]);
    await shop.confirm(both.id, 'order-both');

    const toPick = await allPages<Reservation>(store, `/v1/reservations?status=CONFIRMED&locationId=${own}`, 1);
    expect(toPick.map(({ id }) => id)).toEqual([both.id, here]);
    problemOf(await store.post(`/v1/reservations/${here}/fulfil`, {}), 403, 'FORBIDDEN');
    problemOf(await store.post(`/v1/reservations/${here}/fulfil`, { locationId: other }), 403, 'FORBIDDEN');
    problemOf(await store.post(`/v1/reservations/${there}/fulfil`, { locationId: own }), 404, 'NOT_FOUND');
    const fulfilled = bodyOf(await store.post<Reservation>(`/v1/reservations/${both.id}/fulfil`, { locationId: own }));
    expect(fulfilled.status).toBe('CONFIRMED');
    expect(bodyOf(await store.post<Reservation>(`/v1/reservations/${here}/fulfil`, { locationId: own })).status).toBe(
      'FULFILLED',
    );
    problemOf(await store.get(`/v1/reservations/${there}`), 403, 'FORBIDDEN');
  });

  it('reports what happened there, under its own name only', async () => {
    const picked = await shop.reserve([{ sku, quantity: 1, locationId: own }]);
    const elsewhere = await shop.reserve([{ sku, quantity: 1, locationId: other }]);
    for (const { id } of [picked, elsewhere]) await shop.confirm(id, `order-${id}`);
    const agent = await StoreClient.open(store, own, () => app.it.running.clock.iso());
    const { onHand } = await shop.stock(sku, own);
    const { results } = await agent.push([
      agent.event(1, 'sale', { sku, quantity: 1 }),
      agent.event(2, 'pickup', { reservationId: picked.id }),
      agent.event(3, 'pickup', { reservationId: elsewhere.id }),
    ]);
    expect(results.map(({ outcome, code }) => code ?? outcome)).toEqual(['applied', 'applied', 'UNKNOWN_LOCATION']);
    expect((await shop.stock(sku, own)).onHand).toBe(onHand - 2);
    expect((await shop.reservation(elsewhere.id)).status).toBe('CONFIRMED');
    bodyOf(await store.get(`/v1/sync/stores/${own}/changes?after=0`));
    problemOf(await store.post(`/v1/sync/stores/${other}/streams`), 403, 'FORBIDDEN');
    problemOf(await store.get(`/v1/sync/stores/${other}/changes?after=0`), 403, 'FORBIDDEN');
    problemOf(await store.get(`/v1/sync/stores/${other}/snapshot`), 403, 'FORBIDDEN');
    problemOf(await store.get('/v1/sync/stores'), 403, 'FORBIDDEN');
    problemOf(await store.get('/v1/streams/stock'), 403, 'FORBIDDEN');
  });
});
