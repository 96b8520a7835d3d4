import createClient from 'openapi-fetch';
import type { components, paths } from './holdfast.js';

/*
 * A shop's way through the API with the types that openapi-typescript makes of docs/openapi.json. The suite beside it
 * generates them, compiles this file with them under the strictest settings, and runs it:
 *
 *   npx openapi-typescript docs/openapi.json --output holdfast.ts
 *
 * It is given the address of a server and writes what became of the reservation.
 */

type Reservation = components['schemas']['ReservationResponse'];

const [, , baseUrl = ''] = process.argv;
const api = createClient<paths>({ baseUrl });

/** The body of a successful answer. @throws Error with the code of the problem document */
function done<Body>({ data, error }: { data?: Body; error?: { code: string; detail: string } }): Body {
  if (data === undefined) throw new Error(error === undefined ? 'no answer' : `${error.code}: ${error.detail}`);
  return data;
}

const key = (): { header: { 'Idempotency-Key': string } } => ({ header: { 'Idempotency-Key': crypto.randomUUID() } });

done(
  await api.PUT('/v1/locations/{locationId}', {
    params: { path: { locationId: 'S1' } },
    body: { name: 'Berlin', kind: 'STORE' },
  }),
);
done(await api.PUT('/v1/products/{sku}', { params: { path: { sku: 'MUG-RED' } }, body: { name: 'Mug, red' } }));
const { stock } = done(
  await api.POST('/v1/stock/{sku}/{locationId}/movements', {
    params: { path: { sku: 'MUG-RED', locationId: 'S1' }, ...key() },
    body: { type: 'RECEIPT', quantity: 10 },
  }),
);

const made: Reservation = done(
  await api.POST('/v1/reservations', {
    params: key(),
    body: { lines: [{ sku: 'MUG-RED', quantity: 2 }], cartId: 'cart-17' },
  }),
);
const path = { id: made.id };

// The shopper wants more than there is: the error is typed by its code, with the data of that code.
const refused = await api.PUT('/v1/reservations/{id}/lines', {
  params: { path },
  body: { lines: [{ sku: 'MUG-RED', quantity: 12 }] },
});
if (refused.error?.code !== 'INSUFFICIENT_STOCK') throw new Error('Nobody has twelve mugs');
const [shortage] = refused.error.shortages;

const updated = done(
  await api.PUT('/v1/reservations/{id}/lines', {
    params: { path },
    body: { lines: [{ sku: 'MUG-RED', quantity: shortage?.available ?? 0 }] },
  }),
);
const confirmed = done(
  await api.POST('/v1/reservations/{id}/confirm', { params: { path }, body: { orderId: 'order-4711' } }),
);

/** Never called: what the document forbids does not compile. */
export const mistakes = (): unknown[] => [
  // @ts-expect-error No Idempotency-Key.
  api.POST('/v1/reservations', { body: { lines: [{ sku: 'MUG-RED', quantity: 2 }] } }),
  // @ts-expect-error No such kind.
  api.PUT('/v1/locations/{locationId}', { params: { path: { locationId: 'S1' } }, body: { name: 'x', kind: 'SHOP' } }),
  // @ts-expect-error No such path.
  api.GET('/v1/stocks'),
];

process.stdout.write(
  JSON.stringify({
    received: stock.onHand,
    held: made.lines[0]?.allocations[0],
    short: shortage,
    updated: updated.lines[0]?.quantity,
    status: confirmed.status,
    orderId: confirmed.orderId,
  }),
);
