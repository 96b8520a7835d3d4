import { RawBody } from '../../support/http.ts';
import { NDJSON, ndjson } from '../../support/importing.ts';
import { OutsideShop } from '../../support/order-events.ts';
import { rowsOf } from '../../support/sql.ts';
import { StoreClient } from '../../support/store-client.ts';
import { sending, type Send, type SweptShop, type UseCases } from './use-case.ts';

/** What stores and outside shops report, and what becomes of it when it cannot be applied. */
export const SYNC_CASES: UseCases = {
  'POST /v1/sync/stores/{locationId}/streams': {
    prepare: async (shop) => {
      const { store, sku } = await aStore(shop);
      // Parked: number 1 is missing.
      await store.push([store.event(2, 'sale', { sku, quantity: 1 })]);
      return sending(shop.api, 'POST', `/v1/sync/stores/${store.locationId}/streams`);
    },
  },
  'POST /v1/sync/stores/{locationId}/events': {
    prepare: async (shop) => {
      const { store, sku } = await aStore(shop);
      const { id } = await shop.reserve([{ sku, quantity: 1, locationId: store.locationId }]);
      await shop.confirm(id);
      return pushing(shop, store, [
        store.event(1, 'sale', { sku, quantity: 9 }),
        store.event(2, 'sale', { sku: shop.name('unknown'), quantity: 1 }),
        store.event(3, 'pickup', { reservationId: id }),
        store.event(4, 'count', { sku, counted: 6, cursor: await store.cursor() }),
        store.event(6, 'sale', { sku, quantity: 1 }),
      ]);
    },
  },
  'POST /v1/sync/stores/{locationId}/events, one that others wait for': {
    prepare: async (shop) => {
      const { store, sku } = await aStore(shop);
      await store.push([2, 3].map((sequence) => store.event(sequence, 'sale', { sku, quantity: 1 })));
      return pushing(shop, store, [store.event(1, 'receipt', { sku, quantity: 2 })]);
    },
  },
  'POST /v1/sync/stores/{locationId}/events, after an epoch that has left some': {
    prepare: async (shop) => {
      const { store, sku } = await aStore(shop);
      await store.push([store.event(2, 'sale', { sku, quantity: 1 })]);
      const next = await StoreClient.open(shop.api, store.locationId, () => shop.clock.iso());
      return pushing(shop, next, [next.event(1, 'sale', { sku, quantity: 1 })]);
    },
  },
  'POST /v1/sync/stores/{locationId}/reconciliations': {
    addsTo: ['store_reconciliations'],
    prepare: async (shop) => {
      const { store, sku } = await aStore(shop);
      const lines = [
        { epoch: store.epoch, sequence: 0, cursor: await store.cursor() },
        { sku, onHand: 4 },
      ];
      const path = `/v1/sync/stores/${store.locationId}/reconciliations?apply=true`;
      return sending(shop.api, 'POST', path, new RawBody(ndjson(lines), NDJSON), { key: null });
    },
  },
  'PUT /v1/sync/stores/{locationId}/policy': {
    prepare: async (shop) => {
      const { store } = await aStore(shop);
      const path = `/v1/sync/stores/${store.locationId}/policy`;
      return sending(shop.api, 'PUT', path, { staleAfterSeconds: 60 });
    },
  },
  'POST /v1/sync/orders/events': {
    mayDie: true,
    prepare: async (shop) => {
      const { sku, order, outside } = await anOrder(shop);
      const events = [order.created(1, [{ sku, quantity: 2 }]), order.paid(2), order.cancelled(4)];
      return () => outside.trySend(...events);
    },
  },
  'POST /v1/sync/orders/events, of which one waited': {
    mayDie: true,
    prepare: async (shop) => {
      const { sku, order, outside } = await anOrder(shop);
      await outside.send(order.created(1, [{ sku, quantity: 2 }]), order.shipped(3));
      return () => outside.trySend(order.paid(2));
    },
  },
  'POST /v1/sync/orders/events, a cancellation': {
    mayDie: true,
    prepare: async (shop) => {
      const { sku, order, outside } = await anOrder(shop);
      await outside.send(order.created(1, [{ sku, quantity: 2 }]), order.paid(2));
      return () => outside.trySend(order.cancelled(3));
    },
  },
  'POST /v1/dead-letters/{id}/replay': {
    prepare: async (shop) => {
      const { letter, reservationId } = await aLetter(shop);
      await shop.confirm(reservationId);
      return sending(shop.api, 'POST', `/v1/dead-letters/${letter}/replay`);
    },
  },
  'POST /v1/dead-letters/{id}/replay, of an order': {
    prepare: async (shop) => {
      const { sku, place, order, outside } = await anOrder(shop);
      await outside.send(order.created(1, [{ sku, quantity: 7 }]), order.paid(2));
      const letter = await outside.letterOf(order.orderId);
      await shop.receive(sku, place, 10);
      return sending(shop.api, 'POST', `/v1/dead-letters/${letter}/replay`);
    },
  },
  'POST /v1/dead-letters/{id}/replay, only rehearsed': {
    prepare: async (shop) => {
      const { letter, reservationId } = await aLetter(shop);
      await shop.confirm(reservationId);
      return sending(shop.api, 'POST', `/v1/dead-letters/${letter}/replay?dryRun=true`, undefined, { key: null });
    },
  },
  'POST /v1/dead-letters/{id}/discard': {
    prepare: async (shop) => {
      const { letter } = await aLetter(shop);
      return sending(shop.api, 'POST', `/v1/dead-letters/${letter}/discard`, { reason: 'not needed' });
    },
  },
};

async function aStore(shop: SweptShop): Promise<{ store: StoreClient; sku: string }> {
  const place = await shop.location();
  const sku = await shop.stocked({ [place]: 10 });
  return { store: await StoreClient.open(shop.api, place, () => shop.clock.iso()), sku };
}

function pushing(shop: SweptShop, { locationId, epoch }: StoreClient, events: readonly object[]): Send {
  return sending(shop.api, 'POST', `/v1/sync/stores/${locationId}/events`, { epoch, events }, { key: null });
}

async function anOrder(shop: SweptShop) {
  const place = await shop.location();
  const outside = new OutsideShop(shop.api, shop.name('shop'));
  return { place, sku: await shop.stocked({ [place]: 5 }), order: outside.order(), outside };
}

/** A pickup of what was not confirmed. */
async function aLetter(shop: SweptShop): Promise<{ letter: string; reservationId: string }> {
  const { store, sku } = await aStore(shop);
  const { id: reservationId } = await shop.reserve([{ sku, quantity: 1, locationId: store.locationId }]);
  const event = store.event(1, 'pickup', { reservationId });
  await store.push([event]);
  const [row] = await rowsOf<{ id: string }>(
    shop.app.databaseUrl,
    `SELECT id FROM dead_letters WHERE event_id = '${event.id}'`,
  );
  return { letter: row?.id ?? 'none', reservationId };
}
