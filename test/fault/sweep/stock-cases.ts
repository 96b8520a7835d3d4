import { counts } from '../../support/counts.ts';
import { RawBody } from '../../support/http.ts';
import { IMPORT_PATH, ndjson, NDJSON } from '../../support/importing.ts';
import { stockPath } from '../../support/shop.ts';
import { StoreClient } from '../../support/store-client.ts';
import { sending, type SweptShop, type UseCases } from './use-case.ts';

/** Catalogue, ledger, import and transfers. */
export const STOCK_CASES: UseCases = {
  'PUT /v1/locations/{locationId}': {
    prepare: (shop) =>
      Promise.resolve(
        sending(shop.api, 'PUT', `/v1/locations/${shop.name('loc')}`, { name: 'Place', kind: 'WAREHOUSE' }),
      ),
  },
  'PUT /v1/products/{sku}': {
    prepare: async (shop) => {
      const [place, sku] = [await shop.location(), await shop.stocked({ [await shop.location()]: 3 })];
      await shop.receive(sku, place, 2);
      return sending(shop.api, 'PUT', `/v1/products/${sku}`, { name: 'Thing', lowStockThreshold: 5 });
    },
  },
  'PUT /v1/products/{sku}, for which reports of a store wait: delivery by the relay': {
    prepare: async (shop) => {
      const store = await StoreClient.open(shop.api, await shop.location(), () => shop.clock.iso());
      const sku = shop.name('late');
      await store.push([1, 2, 3].map((sequence) => store.event(sequence, 'sale', { sku, quantity: 1 })));
      return sending(shop.api, 'PUT', `/v1/products/${sku}`, { name: 'Late' });
    },
  },
  'POST /v1/stock/{sku}/{locationId}/movements': {
    prepare: async (shop) => {
      const [sku, place] = [await shop.product(), await shop.location()];
      return sending(shop.api, 'POST', stockPath(sku, place, '/movements'), { type: 'RECEIPT', quantity: 3 });
    },
  },
  'POST /v1/stock/{sku}/{locationId}/movements, of units whose hold is over': {
    prepare: async (shop) => {
      const place = await shop.location();
      const sku = await shop.stocked({ [place]: 3 }, { lowStockThreshold: 1 });
      await shop.reserve([{ sku, quantity: 3 }], { ttlSeconds: 1 });
      shop.clock.advanceSeconds(1);
      return sending(shop.api, 'POST', stockPath(sku, place, '/movements'), { type: 'SALE', quantity: 2 });
    },
  },
  'POST /v1/stock/{sku}/{locationId}/counts': {
    prepare: async (shop) => {
      const place = await shop.location();
      const sku = await shop.stocked({ [place]: 3 });
      await shop.reserve([{ sku, quantity: 2 }]);
      return sending(shop.api, 'POST', stockPath(sku, place, '/counts'), { counted: 1 });
    },
  },
  'PUT /v1/stock/{sku}/{locationId}/policy': {
    prepare: async (shop) => {
      const place = await shop.location();
      return sending(shop.api, 'PUT', stockPath(await shop.stocked({ [place]: 3 }), place, '/policy'), {
        safetyStock: 2,
      });
    },
  },
  'POST /v1/availability': {
    prepare: async (shop) =>
      sending(shop.api, 'POST', '/v1/availability', { skus: [await shop.product()] }, { key: null }),
  },
  'POST /v1/stock/import': {
    prepare: async (shop) => {
      const locationId = await shop.location();
      const [sku, other] = [await shop.product(), await shop.stocked({ [locationId]: 5 })];
      // The server takes a hundred rows in a commit: the long run has two.
      const many = Array.from({ length: counts(2, 100) }, () => ({ sku, locationId, type: 'RECEIPT', quantity: 1 }));
      const rows = [
        { sku: other, locationId, counted: 4 },
        { sku: other, locationId, type: 'SALE', quantity: 1_000 },
        { sku: 'nothing', locationId, counted: 1 },
        ...many,
        { sku: other, locationId, type: 'SALE', quantity: 1 },
      ];
      return sending(shop.api, 'POST', IMPORT_PATH, new RawBody(ndjson(rows), NDJSON));
    },
  },
  'POST /v1/transfers': {
    prepare: async (shop) => {
      const { sku, from, to } = await aPath(shop);
      const body = { sku, fromLocationId: from, toLocationId: to, quantity: 3 };
      return sending(shop.api, 'POST', '/v1/transfers', body);
    },
  },
  'POST /v1/transfers/{id}/receive': {
    prepare: async (shop) => {
      const { sku, from, to } = await aPath(shop);
      const { id } = await shop.dispatch(sku, from, to, 3);
      return sending(shop.api, 'POST', `/v1/transfers/${id}/receive`, { quantity: 2, reason: 'one broke' });
    },
  },
  'POST /v1/transfers/{id}/cancel': {
    prepare: async (shop) => {
      const { sku, from, to } = await aPath(shop);
      const { id } = await shop.dispatch(sku, from, to, 3);
      return sending(shop.api, 'POST', `/v1/transfers/${id}/cancel`, {});
    },
  },
};

async function aPath(shop: SweptShop): Promise<{ sku: string; from: string; to: string }> {
  const [from, to] = [await shop.location(), await shop.location()];
  return { sku: await shop.stocked({ [from]: 5 }), from, to };
}
