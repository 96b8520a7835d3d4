import { OutsideShop } from './order-events.ts';
import type { Draft, RefusedCall, Spoiling } from './refusals.ts';
import { bodyOf, type Shop } from './shop.ts';
import { change } from './sql.ts';
import { StoreClient } from './store-client.ts';

/*
 * Every operation of the OpenAPI document, with a right request and what it can be refused for besides what any call
 * can. A new call gets an entry; one whose answers are streams names the suite that proves its errors instead.
 */

/** The suite, relative to test/flow, that proves the errors of a call. */
export interface ProvedElsewhere {
  readonly suite: string;
}

/** Settings under which everything below can be prepared. */
export const REFUSING_ENVIRONMENT = { HOLD_LIFETIME_MAX_SECONDS: '14400' };

/** Things that are there to be asked for; refusals change none of them. */
export interface RefusingWorld {
  readonly placeId: string;
  readonly otherPlaceId: string;
  readonly sku: string;
  /** Its units on hand at the other place are at their limit. */
  readonly fullSku: string;
  /** Its units on their way to the other place are at their limit. */
  readonly awaitedSku: string;
  readonly cartId: string;
  readonly reservations: Readonly<
    Record<'active' | 'capped' | 'cancelled' | 'expired' | 'confirmed' | 'fulfilled' | 'notOnHand', string>
  >;
  readonly tenantId: string;
  readonly keyId: string;
  /** Closed. */
  readonly deadLetterId: string;
  readonly reconciliationId: string;
  /** Of an outside shop. */
  readonly orderId: string;
  readonly transfers: Readonly<Record<'inTransit' | 'cancelled' | 'received' | 'toFull' | 'fromFull', string>>;
}

const LONG_TTL = { ttlSeconds: 14_400 };
const BALANCE_MAX = 1_000_000_000;

export async function aRefusingWorld(shop: Shop): Promise<RefusingWorld> {
  const [placeId, otherPlaceId] = [await shop.location(), await shop.location()];
  const sku = await shop.stocked({ [placeId]: 100 });
  const reserve = async (more: object = LONG_TTL) =>
    (await shop.reserve([{ sku, quantity: 1, locationId: placeId }], more)).id;
  const cancelled = await reserve();
  await shop.cancel(cancelled);
  const expired = await reserve({ ttlSeconds: 1 });
  shop.clock.advanceSeconds(1);
  const confirmed = await reserve();
  await shop.confirm(confirmed, 'paid');
  const fulfilled = await reserve();
  await shop.confirm(fulfilled, 'paid');
  await shop.fulfil(fulfilled);
  const active = await reserve({ ttlSeconds: 10_000 });
  const capped = await reserve({ ...LONG_TTL, cartId: 'taken' });
  const full = await aFullWorld(shop, placeId, otherPlaceId);
  // Replaced once: the first epoch is over.
  await StoreClient.open(shop.api, placeId);
  const store = await StoreClient.open(shop.api, placeId);
  const { id: reconciliationId } = await store.reconcile({ sequence: 0, cursor: '0' }, []);
  const notOnHand = await aReservationWithoutUnits(shop, placeId);
  shop.clock.advanceSeconds(1);
  return {
    placeId,
    otherPlaceId,
    sku,
    cartId: 'taken',
    ...full,
    ...(await aTenantAndAKey(shop)),
    deadLetterId: await aDeadLetter(shop),
    reconciliationId,
    orderId: await anOrder(shop),
    reservations: { active, capped, cancelled, expired, confirmed, fulfilled, notOnHand },
  };
}

async function aTenantAndAKey({ api }: Shop): Promise<Pick<RefusingWorld, 'tenantId' | 'keyId'>> {
  const tenantId = bodyOf(await api.post<{ id: string }>('/v1/admin/tenants', { id: 'acme', name: 'Acme' }), 201).id;
  const key = { name: 'Key', role: 'auditor' };
  return { tenantId, keyId: bodyOf(await api.post<{ id: string }>('/v1/admin/keys', key), 201).id };
}

/** Sold and paid, and then nothing was on the shelf. */
async function aReservationWithoutUnits(shop: Shop, placeId: string): Promise<string> {
  const sku = await shop.stocked({ [placeId]: 1 });
  const { id } = await shop.reserve([{ sku, quantity: 1 }]);
  await shop.confirm(id, 'paid');
  await shop.count(sku, placeId, 0);
  return id;
}

/** Items with as many units as there can be, and transfers that would bring one of them one more. */
async function aFullWorld(
  shop: Shop,
  placeId: string,
  otherPlaceId: string,
): Promise<Pick<RefusingWorld, 'fullSku' | 'awaitedSku' | 'transfers'>> {
  const fullSku = await shop.stocked({ [placeId]: 10 });
  const dispatch = async (from: string, to: string, sku = fullSku) => (await shop.dispatch(sku, from, to, 1)).id;
  const toFull = await dispatch(placeId, otherPlaceId);
  const cancelled = await dispatch(placeId, otherPlaceId);
  await shop.end('cancel', cancelled);
  const inTransit = await dispatch(placeId, otherPlaceId, await shop.stocked({ [placeId]: 1 }));
  const received = await dispatch(placeId, otherPlaceId);
  await shop.end('receive', received);
  const fromFull = await dispatch(otherPlaceId, placeId);
  const awaitedSku = await shop.stocked({ [placeId]: 10, [otherPlaceId]: 10 });
  // As a thousand receipts and a thousand transfers would have it.
  await change(shop.app.databaseUrl, `UPDATE stock_items SET on_hand = ${BALANCE_MAX} ${at(fullSku, otherPlaceId)}`);
  await change(
    shop.app.databaseUrl,
    `UPDATE stock_items SET incoming = ${BALANCE_MAX} ${at(awaitedSku, otherPlaceId)}`,
  );
  return { fullSku, awaitedSku, transfers: { inTransit, cancelled, received, toFull, fromFull } };
}

function at(sku: string, locationId: string): string {
  return `WHERE sku = '${sku}' AND location_id = '${locationId}'`;
}

/** Of an event that nobody processes again, so that whoever replays it gets the letter as it is. */
async function aDeadLetter(shop: Shop): Promise<string> {
  await change(
    shop.app.databaseUrl,
    `INSERT INTO dead_letters (tenant_id, id, event_id, consumer, type, data, code, detail, attempts, status, reason,
       origin, created_at, closed_at, version)
     VALUES ('default', 'letter', 'event', 'test', 'inventory.stock.moved', '{}', 'NOT_FOUND', 'There is none', 1,
       'DISCARDED', 'not needed', '{}', 1, 1, 2)`,
  );
  return 'letter';
}

async function anOrder(shop: Shop): Promise<string> {
  const order = new OutsideShop(shop.api, 'order').order();
  await new OutsideShop(shop.api, 'order').send(order.cancelled(1));
  return order.orderId;
}

const STALE: Spoiling = {
  code: 'VERSION_MISMATCH',
  parts: ['version'],
  spoil: ({ headers }) => (headers['if-match'] = '"77"'),
};

/** Of a log that is longer than this one. */
const CURSOR_GONE: Spoiling = {
  code: 'CURSOR_GONE',
  parts: ['after'],
  spoil: ({ query }) => query.push('after=9007199254740991'),
};

/** Another thing in the path: one that is not there, or is in a state that does not allow it. */
function inPath(code: Spoiling['code'], name: string, value: string): Spoiling {
  return { code, parts: [`the ${name} in the path`], spoil: ({ params }) => (params[name] = value) };
}

const nothing = (name: string): Spoiling => inPath('NOT_FOUND', name, 'nothing');

/** Another body: `with` says which of its members become what. */
function inBody(code: Spoiling['code'], part: string, change: (body: Record<string, unknown>) => void): Spoiling {
  return { code, parts: [part], spoil: ({ body }: Draft) => (body === undefined ? undefined : change(body as never)) };
}

const member = (code: Spoiling['code'], name: string, value: unknown): Spoiling =>
  inBody(code, name, (body) => (body[name] = value));

const ofLine = (code: Spoiling['code'], name: string, value: unknown): Spoiling =>
  inBody(code, name, ({ lines }) => Object.assign((lines as object[])[0] ?? {}, { [name]: value }));

const none = (params: Record<string, string> = {}, ...spoilings: Spoiling[]): RefusedCall => ({
  right: { params, body: undefined },
  spoilings,
});

export function refusedCalls(world: RefusingWorld): Readonly<Record<string, RefusedCall | ProvedElsewhere>> {
  return {
    ...catalogueCalls(world),
    ...stockCalls(world),
    ...transferCalls(world),
    ...reservationCalls(world),
    ...storeCalls(world),
    ...orderCalls(world),
    ...syncCalls(world),
    ...adminCalls(world),
  };
}

type Calls = Readonly<Record<string, RefusedCall | ProvedElsewhere>>;

function catalogueCalls({ placeId: locationId, sku }: RefusingWorld): Calls {
  return {
    'PUT /v1/locations/{locationId}': {
      right: { params: { locationId }, body: { name: 'Place', kind: 'STORE' } },
      spoilings: [STALE],
    },
    'GET /v1/locations/{locationId}': none({ locationId }, nothing('locationId')),
    'GET /v1/locations': none(),
    'PUT /v1/products/{sku}': { right: { params: { sku }, body: { name: 'Thing' } }, spoilings: [STALE] },
    'GET /v1/products/{sku}': none({ sku }, nothing('sku')),
    'GET /v1/products': none(),
    'GET /health/live': none(),
    'GET /health/ready': none(),
    'GET /metrics': none(),
  };
}

function stockCalls({ placeId: locationId, otherPlaceId, sku, fullSku }: RefusingWorld): Calls {
  const params = { sku, locationId };
  const gone = [nothing('sku'), nothing('locationId')];
  const full: Spoiling = {
    code: 'QUANTITY_LIMIT',
    parts: ['the item', 'the sku in the path', 'the locationId in the path'],
    spoil: (draft) => {
      Object.assign(draft.params, { sku: fullSku, locationId: otherPlaceId });
    },
  };
  return {
    'GET /v1/stock': none(),
    'GET /v1/stock/{sku}': none({ sku }, nothing('sku')),
    'GET /v1/stock/{sku}/{locationId}': none(params, ...gone),
    'GET /v1/stock/{sku}/{locationId}/movements': none(params, ...gone),
    'POST /v1/stock/{sku}/{locationId}/movements': {
      right: { params, body: { type: 'RECEIPT', quantity: 1 } },
      spoilings: [
        ...gone,
        STALE,
        inBody('INSUFFICIENT_STOCK', 'the item', (body) => Object.assign(body, { type: 'SALE', quantity: 1_000 })),
        full,
      ],
    },
    'POST /v1/stock/{sku}/{locationId}/counts': {
      right: { params, body: { counted: 100 } },
      spoilings: [...gone, STALE],
    },
    'PUT /v1/stock/{sku}/{locationId}/policy': {
      right: { params, body: { safetyStock: 1 } },
      spoilings: [...gone, STALE],
    },
    'POST /v1/stock/import': {
      right: { params: {}, body: { sku, locationId, counted: 100 }, contentType: 'application/x-ndjson' },
      spoilings: [],
    },
    'POST /v1/availability': {
      right: { params: {}, body: { skus: [sku] } },
      spoilings: [member('UNKNOWN_LOCATION', 'locationId', 'nowhere')],
    },
  };
}

function transferCalls({ placeId, otherPlaceId, sku, awaitedSku, transfers }: RefusingWorld): Calls {
  const { inTransit: id, cancelled, received, toFull, fromFull } = transfers;
  const over = (of: string) => inPath('TRANSFER_NOT_IN_TRANSIT', 'id', of);
  const limit = (of: string) => inPath('QUANTITY_LIMIT', 'id', of);
  return {
    'GET /v1/transfers': none(),
    'GET /v1/transfers/{id}': none({ id }, nothing('id')),
    'POST /v1/transfers': {
      right: { params: {}, body: { sku, fromLocationId: placeId, toLocationId: otherPlaceId, quantity: 1 } },
      spoilings: [
        member('UNKNOWN_PRODUCT', 'sku', 'nothing'),
        member('UNKNOWN_LOCATION', 'toLocationId', 'nowhere'),
        member('INSUFFICIENT_STOCK', 'quantity', 1_000),
        member('QUANTITY_LIMIT', 'sku', awaitedSku),
      ],
    },
    'POST /v1/transfers/{id}/receive': {
      right: { params: { id }, body: {} },
      spoilings: [nothing('id'), STALE, over(cancelled), limit(toFull)],
    },
    'POST /v1/transfers/{id}/cancel': {
      right: { params: { id: toFull }, body: {} },
      spoilings: [nothing('id'), STALE, over(received), limit(fromFull)],
    },
  };
}

function reservationCalls({ sku, cartId, reservations }: RefusingWorld): Calls {
  const { active: id, capped, cancelled, expired, confirmed, fulfilled, notOnHand } = reservations;
  const lines = [{ sku, quantity: 1, locationId: null }];
  const unknown = [ofLine('UNKNOWN_PRODUCT', 'sku', 'nothing'), ofLine('UNKNOWN_LOCATION', 'locationId', 'nowhere')];
  const short = ofLine('INSUFFICIENT_STOCK', 'quantity', 1_000);
  const common = [nothing('id'), STALE, inPath('RESERVATION_EXPIRED', 'id', expired)];
  const inactive = [...common, inPath('RESERVATION_NOT_ACTIVE', 'id', cancelled)];
  return {
    'GET /v1/reservations': none(),
    'GET /v1/reservations/{id}': none({ id }, nothing('id')),
    'GET /v1/reservations/{id}/timeline': none({ id }, nothing('id')),
    'POST /v1/reservations': {
      right: { params: {}, body: { lines } },
      spoilings: [...unknown, member('CART_ALREADY_RESERVED', 'cartId', cartId), short],
    },
    'PUT /v1/reservations/{id}/lines': {
      right: { params: { id }, body: { lines } },
      spoilings: [...inactive, ...unknown, short],
    },
    'POST /v1/reservations/{id}/refresh': {
      right: { params: { id }, body: { ttlSeconds: 14_400 } },
      spoilings: [...inactive, inPath('HOLD_LIFETIME_EXCEEDED', 'id', capped)],
    },
    'POST /v1/reservations/{id}/confirm': {
      right: { params: { id }, body: { orderId: 'another' } },
      spoilings: [...inactive, inPath('ALREADY_CONFIRMED', 'id', confirmed)],
    },
    'POST /v1/reservations/{id}/cancel': {
      right: { params: { id }, body: {} },
      spoilings: [...common, inPath('ALREADY_FULFILLED', 'id', fulfilled)],
    },
    'POST /v1/reservations/{id}/fulfil': {
      right: { params: { id: confirmed }, body: {} },
      spoilings: [
        ...common,
        member('UNKNOWN_LOCATION', 'locationId', 'nowhere'),
        inPath('RESERVATION_NOT_CONFIRMED', 'id', id),
        inPath('INSUFFICIENT_STOCK', 'id', notOnHand),
      ],
    },
  };
}

/** Their results are no refusals: test/flow/store-events.spec.ts has them. */
function storeCalls({ placeId: locationId, otherPlaceId, sku, reconciliationId }: RefusingWorld): Calls {
  const event = { id: 'e', sequence: 1, type: 'sale', version: 1, occurredAt: INSTANT, data: { sku, quantity: 1 } };
  return {
    'GET /v1/sync/stores': none(),
    'GET /v1/sync/stores/{locationId}': none({ locationId }, nothing('locationId')),
    'GET /v1/sync/stores/{locationId}/conflicts': none({ locationId }, nothing('locationId')),
    'POST /v1/sync/stores/{locationId}/streams': none({ locationId: otherPlaceId }, nothing('locationId')),
    'POST /v1/sync/stores/{locationId}/events': {
      right: { params: { locationId }, body: { epoch: 2, events: [event] } },
      spoilings: [nothing('locationId'), member('STALE_EPOCH', 'epoch', 1)],
    },
    'POST /v1/sync/stores/{locationId}/reconciliations': {
      right: {
        params: { locationId },
        body: { epoch: 2, sequence: 0, cursor: '0' },
        contentType: 'application/x-ndjson',
      },
      spoilings: [
        nothing('locationId'),
        member('CURSOR_GONE', 'cursor', '9999999999999999'),
        member('STALE_EPOCH', 'epoch', 1),
        member('SEQUENCE_AHEAD', 'sequence', 1_000),
      ],
    },
    'GET /v1/sync/stores/{locationId}/reconciliations': none({ locationId }, nothing('locationId')),
    'GET /v1/sync/stores/{locationId}/reconciliations/{id}': none(
      { locationId, id: reconciliationId },
      nothing('locationId'),
      nothing('id'),
    ),
  };
}

const INSTANT = '2026-11-22T09:00:00.000Z';

function orderCalls({ orderId }: RefusingWorld): Calls {
  const event = { id: 'event', orderId: 'order', version: 1, type: 'order.paid', occurredAt: '', data: {} };
  return {
    'POST /v1/sync/orders/events': { right: { params: {}, body: { events: [event] } }, spoilings: [] },
    'GET /v1/sync/orders/{orderId}': none({ orderId }, nothing('orderId')),
  };
}

function syncCalls({ deadLetterId: id, placeId: locationId }: RefusingWorld): Calls {
  const streamed = { suite: 'feed-streams.spec.ts' };
  return {
    'GET /v1/sync/stores/{locationId}/changes': none({ locationId }, nothing('locationId'), CURSOR_GONE),
    'GET /v1/sync/stores/{locationId}/changes/stream': streamed,
    'GET /v1/sync/stores/{locationId}/snapshot': { suite: 'feed-snapshot.spec.ts' },
    'GET /v1/sync/stores/{locationId}/policy': none({ locationId }, nothing('locationId')),
    'PUT /v1/sync/stores/{locationId}/policy': {
      right: { params: { locationId }, body: { staleAfterSeconds: 60 } },
      spoilings: [nothing('locationId'), STALE],
    },
    'GET /v1/streams/stock': streamed,
    'GET /v1/dead-letters': none(),
    'GET /v1/dead-letters/{id}': none({ id }, nothing('id')),
    'POST /v1/dead-letters/{id}/replay': { right: { params: { id }, body: {} }, spoilings: [nothing('id'), STALE] },
    'POST /v1/dead-letters/{id}/discard': {
      right: { params: { id }, body: { reason: 'not needed' } },
      spoilings: [nothing('id'), STALE],
    },
  };
}

function adminCalls({ tenantId, keyId }: RefusingWorld): Calls {
  return {
    'POST /v1/admin/tenants': {
      right: { params: {}, body: { id: tenantId, name: 'Acme' } },
      spoilings: [member('TENANT_EXISTS', 'name', 'Another')],
    },
    'GET /v1/admin/tenants': none(),
    'POST /v1/admin/tenants/{id}/suspend': none({ id: tenantId }, nothing('id')),
    'POST /v1/admin/tenants/{id}/resume': none({ id: tenantId }, nothing('id')),
    'GET /v1/admin/tenants/{id}/export': none({ id: tenantId }, nothing('id')),
    'DELETE /v1/admin/tenants/{id}': { suite: 'access/tenant-data.spec.ts' },
    'POST /v1/admin/keys': {
      right: { params: {}, body: { name: 'Key', role: 'auditor' } },
      spoilings: [member('UNKNOWN_TENANT', 'tenantId', 'nowhere')],
    },
    'GET /v1/admin/keys': none(),
    'GET /v1/audit': none(),
    'DELETE /v1/admin/keys/{id}': none({ id: keyId }, nothing('id')),
    // Without a credential there is nothing that they could be about.
    'POST /v1/auth/token': { suite: 'access/tokens.spec.ts' },
    'POST /v1/auth/logout': { suite: 'access/tokens.spec.ts' },
  };
}
