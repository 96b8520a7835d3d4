import type { Api } from '../../support/http.ts';
import { useGuardedApp } from '../../support/guarded-app.ts';
import { problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { allPages, bodyOf, type Reservation, ShopClient, type StockItem } from '../../support/shop.ts';

interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

describeOnBothEngines('A tenant', (engine) => {
  const app = useGuardedApp(engine);

  it('is made once, by the platform', async () => {
    const { admin } = app.it;
    const made = bodyOf(await admin.post<Tenant>('/v1/admin/tenants', { id: 'once', name: 'Once' }), 201);
    expect(made).toMatchObject({ id: 'once', name: 'Once', status: 'ACTIVE', version: 1 });
    expect(bodyOf(await admin.post<Tenant>('/v1/admin/tenants', { id: 'once', name: 'Once' }))).toEqual(made);
    problemOf(await admin.post('/v1/admin/tenants', { id: 'once', name: 'Twice' }), 409, 'TENANT_EXISTS');
    problemOf(await admin.post('/v1/admin/tenants', { id: '*', name: 'All' }), 400, 'VALIDATION_FAILED');
    const tenants = await allPages<Tenant>(admin, '/v1/admin/tenants', 1);
    expect(tenants.map(({ id }) => id)).toEqual(expect.arrayContaining(['default', 'once']));
    const operator = await app.it.as({ role: 'operator' });
    problemOf(await operator.post('/v1/admin/tenants', { id: 'mine', name: 'Mine' }), 403, 'FORBIDDEN');
    problemOf(await operator.get('/v1/admin/tenants'), 403, 'FORBIDDEN');
    const platform = await app.it.as({ role: 'platform' });
    expect((await platform.get('/v1/admin/tenants')).status).toBe(200);
    problemOf(await platform.get('/v1/stock'), 403, 'FORBIDDEN');
  });

  it('sees nothing of another, whose ids are as good as unknown', async () => {
    const [one, other] = [await app.it.operatorOf('one'), await app.it.operatorOf('other')];
    const shop = (api: Api) => new ShopClient(api);
    const locationId = await shop(one).location();
    const sku = await shop(one).stocked({ [locationId]: 5 });
    const { id } = await shop(one).reserve([{ sku, quantity: 1 }], { cartId: 'cart' });
    for (const path of ['/v1/locations', '/v1/products', '/v1/stock', '/v1/reservations', '/v1/transfers']) {
      expect(await allPages(other, path)).toEqual([]);
    }
    const unknown = async (method: string, path: string, nothing: string, body?: object) => {
      const told = problemOf(await other.send(method, path, body, { key: null }), 404, 'NOT_FOUND');
      const never = problemOf(await other.send(method, nothing, body, { key: null }), 404, 'NOT_FOUND');
      expect(Object.keys(told)).toEqual(Object.keys(never));
      expect(told.detail.replace(/\S+$/, '')).toBe(never.detail.replace(/\S+$/, ''));
    };
    await unknown('GET', `/v1/products/${sku}`, '/v1/products/nothing');
    await unknown('GET', `/v1/stock/${sku}`, '/v1/stock/nothing');
    await unknown('GET', `/v1/reservations/${id}`, '/v1/reservations/nothing');
    await unknown('GET', `/v1/reservations/${id}/timeline`, '/v1/reservations/nothing/timeline');
    await unknown('POST', `/v1/reservations/${id}/cancel`, '/v1/reservations/nothing/cancel', {});
    await unknown('POST', `/v1/reservations/${id}/confirm`, '/v1/reservations/nothing/confirm', { orderId: 'o' });
    expect(bodyOf(await one.get<Reservation>(`/v1/reservations/${id}`)).status).toBe('ACTIVE');

    // The same names are other things there.
    bodyOf(await other.put(`/v1/locations/${locationId}`, { name: 'Theirs', kind: 'STORE' }), 201);
    bodyOf(await other.put(`/v1/products/${sku}`, { name: 'Theirs' }), 201);
    expect(bodyOf(await other.get<StockItem>(`/v1/stock/${sku}/${locationId}`)).onHand).toBe(0);
    expect(bodyOf(await one.get<StockItem>(`/v1/stock/${sku}/${locationId}`)).onHand).toBe(5);
  });

  it('has its own Idempotency-Keys and cursors', async () => {
    const [one, other] = [await app.it.operatorOf('keys-one'), await app.it.operatorOf('keys-other')];
    for (const api of [one, other]) {
      for (const sku of ['A', 'B']) {
        const answer = await api.put(`/v1/products/${sku}`, { name: sku }, { key: `same-${sku}` });
        expect([answer.status, answer.headers['idempotency-replayed']]).toEqual([201, undefined]);
      }
    }
    const { nextCursor } = bodyOf(await one.get<{ nextCursor: string }>('/v1/products?limit=1'));
    expect((await one.get(`/v1/products?limit=1&cursor=${nextCursor}`)).status).toBe(200);
    problemOf(await other.get(`/v1/products?limit=1&cursor=${nextCursor}`), 400, 'VALIDATION_FAILED');
  });

  it('does nothing while it is suspended, at any server, and goes on afterwards', async () => {
    const operator = await app.it.operatorOf('late');
    const other = await app.it.another(engine);
    const there = other.admin.as({ 'x-api-key': (await app.it.makeKey({ role: 'auditor', tenantId: 'late' })).key });
    try {
      expect([(await operator.get('/v1/stock')).status, (await there.get('/v1/stock')).status]).toEqual([200, 200]);
      const suspended = bodyOf(await app.it.admin.post<Tenant>('/v1/admin/tenants/late/suspend'));
      expect(suspended.status).toBe('SUSPENDED');
      for (const api of [operator, there]) {
        expect(problemOf(await api.get('/v1/stock'), 403, 'FORBIDDEN').detail).toBe('The tenant is suspended');
        problemOf(await api.post('/v1/auth/token'), 403, 'FORBIDDEN');
        problemOf(await api.get('/v1/no/such/path'), 403, 'FORBIDDEN');
      }
      expect(bodyOf(await app.it.admin.post<Tenant>('/v1/admin/tenants/late/suspend'))).toEqual(suspended);
      expect(bodyOf(await app.it.admin.post<Tenant>('/v1/admin/tenants/late/resume')).status).toBe('ACTIVE');
      expect([(await operator.get('/v1/stock')).status, (await there.get('/v1/stock')).status]).toEqual([200, 200]);
      problemOf(await app.it.admin.post('/v1/admin/tenants/nowhere/suspend'), 404, 'NOT_FOUND');
    } finally {
      there.close();
      await other.close();
    }
  });

  it('of whoever runs the platform cannot lock the platform out', async () => {
    bodyOf(await app.it.admin.post('/v1/admin/tenants/default/suspend'));
    problemOf(await app.it.admin.get('/v1/stock'), 403, 'FORBIDDEN');
    bodyOf(await app.it.admin.post('/v1/admin/tenants/default/resume'));
    expect((await app.it.admin.get('/v1/stock')).status).toBe(200);
  });
});
