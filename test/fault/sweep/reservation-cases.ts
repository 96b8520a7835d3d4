import { purge, passDays } from '../../support/retention.ts';
import { Sweeper } from '../../../src/modules/reservation/sweeper.ts';
import { sending, type SweptShop, type UseCases } from './use-case.ts';

/** Reservations, and what time does to them. */
export const RESERVATION_CASES: UseCases = {
  'POST /v1/reservations': {
    prepare: async (shop) => {
      const { places, sku, other } = await twoSkus(shop);
      const lines = [
        { sku, quantity: 7 },
        { sku: other, quantity: 1, locationId: places[1] },
      ];
      return sending(shop.api, 'POST', '/v1/reservations', { lines, cartId: shop.name('cart') });
    },
  },
  'POST /v1/reservations, for the cart of one that is over': {
    prepare: async (shop) => {
      const { sku } = await twoSkus(shop);
      const body = { lines: [{ sku, quantity: 9 }], cartId: shop.name('cart') };
      await shop.reserve(body.lines, { cartId: body.cartId, ttlSeconds: 1 });
      shop.clock.advanceSeconds(1);
      return sending(shop.api, 'POST', '/v1/reservations', body);
    },
  },
  'PUT /v1/reservations/{id}/lines': {
    prepare: async (shop) => {
      const { places, sku, other } = await twoSkus(shop);
      const { id } = await shop.reserve([
        { sku, quantity: 4 },
        { sku: other, quantity: 2, locationId: places[0] },
      ]);
      const lines = [
        { sku, quantity: 8 },
        { sku: other, quantity: 1, locationId: places[1] },
      ];
      return sending(shop.api, 'PUT', `/v1/reservations/${id}/lines`, { lines });
    },
  },
  'POST /v1/reservations/{id}/refresh': {
    prepare: async (shop) => {
      const id = await reserved(shop);
      return sending(shop.api, 'POST', `/v1/reservations/${id}/refresh`, { ttlSeconds: 1_000 });
    },
  },
  'POST /v1/reservations/{id}/confirm': {
    prepare: async (shop) => {
      const id = await reserved(shop);
      return sending(shop.api, 'POST', `/v1/reservations/${id}/confirm`, { orderId: shop.name('order') });
    },
  },
  'POST /v1/reservations/{id}/cancel': {
    prepare: async (shop) => sending(shop.api, 'POST', `/v1/reservations/${await reserved(shop)}/cancel`, {}),
  },
  'POST /v1/reservations/{id}/cancel, of a confirmed one': {
    prepare: async (shop) => sending(shop.api, 'POST', `/v1/reservations/${await confirmed(shop)}/cancel`, {}),
  },
  'POST /v1/reservations/{id}/fulfil': {
    prepare: async (shop) => sending(shop.api, 'POST', `/v1/reservations/${await confirmed(shop)}/fulfil`, {}),
  },
  'POST /v1/reservations/{id}/fulfil, in part': {
    prepare: async (shop) => {
      const id = await confirmed(shop);
      const locationId = (await shop.reservation(id)).lines[0]?.allocations[0]?.locationId;
      return sending(shop.api, 'POST', `/v1/reservations/${id}/fulfil`, { locationId });
    },
  },
  'job: the sweeper': {
    prepare: async (shop) => {
      const sweeper = shop.app.app.get(Sweeper, { strict: false });
      await sweeper.sweep();
      const { sku, other } = await twoSkus(shop);
      for (let n = 0; n < 3; n += 1) {
        await shop.reserve(
          [
            { sku, quantity: 1 },
            { sku: other, quantity: 2 },
          ],
          { ttlSeconds: 1 },
        );
      }
      shop.clock.advanceSeconds(1);
      return () => sweeper.sweep().then(() => null);
    },
  },
};

/** They come last: time passes by days. */
export const PURGE_CASES: UseCases = {
  'job: the purge of what was kept for its time': {
    purges: true,
    prepare: async (shop) => {
      // What one round ends makes something due for the next: reservations expire, are purged, and then their events.
      for (let round = 0; round < 3; round += 1) {
        await passDays(shop.app, 40);
        await shop.app.app.get(Sweeper, { strict: false }).sweep();
        await purge(shop.app);
      }
      const id = await reserved(shop);
      await shop.cancel(id);
      await passDays(shop.app, 40);
      return () => purge(shop.app).then(() => null);
    },
  },
};

/** Two products at two places: 6 of the first and 3 of the other at each. */
async function twoSkus(shop: SweptShop): Promise<{ places: readonly string[]; sku: string; other: string }> {
  const places = [await shop.location(), await shop.location()];
  const stocked = (units: number) =>
    shop.stocked(Object.fromEntries(places.map((place) => [place, units])), { lowStockThreshold: 2 });
  return { places, sku: await stocked(6), other: await stocked(3) };
}

/** Of units at two places. */
async function reserved(shop: SweptShop): Promise<string> {
  const { sku, other } = await twoSkus(shop);
  return (
    await shop.reserve([
      { sku, quantity: 7 },
      { sku: other, quantity: 1 },
    ])
  ).id;
}

async function confirmed(shop: SweptShop): Promise<string> {
  const id = await reserved(shop);
  await shop.confirm(id);
  return id;
}
