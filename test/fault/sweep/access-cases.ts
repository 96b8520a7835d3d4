import { bodyOf } from '../../support/shop.ts';
import { sending, type SweptShop, type UseCases } from './use-case.ts';

/** Tenants, keys and tokens. */
export const ACCESS_CASES: UseCases = {
  'POST /v1/admin/tenants': {
    prepare: (shop) =>
      Promise.resolve(sending(shop.api, 'POST', '/v1/admin/tenants', { id: shop.name('chain'), name: 'Chain' })),
  },
  'POST /v1/admin/tenants/{id}/suspend': {
    prepare: async (shop) => sending(shop.api, 'POST', `/v1/admin/tenants/${await aTenant(shop)}/suspend`),
  },
  'POST /v1/admin/tenants/{id}/resume': {
    prepare: async (shop) => {
      const id = await aTenant(shop);
      bodyOf(await shop.api.post(`/v1/admin/tenants/${id}/suspend`));
      return sending(shop.api, 'POST', `/v1/admin/tenants/${id}/resume`);
    },
  },
  'DELETE /v1/admin/tenants/{id}': {
    doneStatus: 404,
    purges: true,
    prepare: async (shop) => {
      const id = shop.name('erased');
      const operator = await shop.guarded.operatorOf(id);
      bodyOf(await operator.put('/v1/locations/L', { name: 'L', kind: 'STORE' }), 201);
      bodyOf(await operator.put('/v1/products/P', { name: 'P' }), 201);
      bodyOf(await operator.post('/v1/stock/P/L/movements', { type: 'RECEIPT', quantity: 2 }), 201);
      bodyOf(await operator.post('/v1/reservations', { lines: [{ sku: 'P', quantity: 1 }] }), 201);
      return sending(shop.api, 'DELETE', `/v1/admin/tenants/${id}`, undefined, { key: null });
    },
  },
  'POST /v1/admin/keys': {
    addsTo: ['api_keys', 'outbox_events'],
    prepare: (shop) =>
      Promise.resolve(sending(shop.api, 'POST', '/v1/admin/keys', { name: 'Key', role: 'auditor' }, { key: null })),
  },
  'DELETE /v1/admin/keys/{id}': {
    prepare: async (shop) => {
      const { id } = await shop.guarded.makeKey({ role: 'auditor' });
      return sending(shop.api, 'DELETE', `/v1/admin/keys/${id}`, undefined, { key: null });
    },
  },
  'POST /v1/auth/token': {
    // Each is another one, and is told.
    addsTo: ['outbox_events'],
    prepare: async (shop) => {
      const { key } = await shop.guarded.makeKey({ role: 'auditor' });
      return sending(shop.guarded.withKey(key), 'POST', '/v1/auth/token', undefined, { key: null });
    },
  },
  'POST /v1/auth/logout': {
    // The token is over.
    doneStatus: 401,
    prepare: async (shop) => {
      const { key } = await shop.guarded.makeKey({ role: 'auditor' });
      const { accessToken } = bodyOf(await shop.guarded.withKey(key).post<{ accessToken: string }>('/v1/auth/token'));
      return sending(shop.guarded.withToken(accessToken), 'POST', '/v1/auth/logout', undefined, { key: null });
    },
  },
};

async function aTenant(shop: SweptShop): Promise<string> {
  const id = shop.name('chain');
  bodyOf(await shop.api.post('/v1/admin/tenants', { id, name: 'Chain' }), 201);
  return id;
}
