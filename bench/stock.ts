import { ApiClient, type ApiRequest, worldWithKey } from '../scripts/replay/api-client.ts';
import { forEachOf } from '../scripts/replay/for-each.ts';
import { QUANTITY_MAX } from '../scripts/replay/limits.ts';
import type { Target, Workload } from './load.ts';

/** As many skus as the load is spread over (issue 2, how it is judged). */
export const SKUS = 1000;
export const LOCATION = 'BENCH-STORE';
/** Longer than any run, so that no hold falls due while it lasts. */
const TTL_SECONDS = 14_400;

/** Creating a reservation of one unit, one line, explicit location, in turn over all skus. */
export const spreadReservations: Workload = reservations('reservation, spread', (n) => skuOf(n % SKUS));
/** The same, always the same sku. */
export const hotReservations: Workload = reservations('reservation, one hot sku', () => skuOf(0));
/** As the first, only that they run out while the load lasts. */
export const shortReservations = reservations('reservation that runs out', (n) => skuOf(n % SKUS), 20);
/** The same bodies through the same app to a handler that does nothing (bench/empty.controller.ts). */
export const emptyPosts: Workload = { ...spreadReservations, name: 'empty POST', path: '/v1/bench/empty' };

/** Reading one stock item, in turn over all skus. */
export const singleReads: Workload = {
  name: 'read one stock item',
  path: (n) => `/v1/stock/${skuOf(n % SKUS)}/${LOCATION}`,
};
/** The same request through the same app to a handler that does nothing. */
export const emptyReads: Workload = {
  name: 'empty GET',
  path: (n) => `/v1/bench/empty/${skuOf(n % SKUS)}/${LOCATION}`,
};
/** Skus of one category page (issue 3, how it is judged). */
export const PAGE_SKUS = 100;
/** A category page of skus that lie apart; each request begins at another one. */
export const categoryPages: Workload = {
  name: `availability of ${PAGE_SKUS} skus`,
  path: '/v1/availability',
  body: (n) => JSON.stringify({ skus: Array.from({ length: PAGE_SKUS }, (_, i) => skuOf((n + i * 7) % SKUS)) }),
};

/** Receives the most units that one movement takes of each sku: more than a run can hold. */
export async function loadStock({ url, adminKey }: Omit<Target, 'pid'>): Promise<void> {
  const api = new ApiClient(url, worldWithKey(adminKey ?? null));
  const send = async (request: ApiRequest): Promise<void> => {
    const answer = await api.send(request);
    if (!answer.ok) throw new Error(`Loading stock failed: ${request.path}: ${answer.code} ${answer.detail}`);
  };
  await send({ method: 'PUT', path: `/v1/locations/${LOCATION}`, body: { name: 'Bench', kind: 'STORE' } });
  await forEachOf([...Array(SKUS).keys()], 32, async (n) => {
    await send({ method: 'PUT', path: `/v1/products/${skuOf(n)}`, body: { name: `Product ${n}` } });
    await send({
      method: 'POST',
      path: `/v1/stock/${skuOf(n)}/${LOCATION}/movements`,
      body: { type: 'RECEIPT', quantity: QUANTITY_MAX },
      idempotencyKey: `bench-stock-${n}`,
    });
  });
}

/** Creating reservations of so many lines of one unit, each of another sku. */
export function reservationsOf(lines: number): Workload {
  const body = (n: number): string =>
    JSON.stringify({
      lines: Array.from({ length: lines }, (_, line) => ({
        ...{ sku: skuOf((n * lines + line) % SKUS), quantity: 1, locationId: LOCATION },
      })),
      ttlSeconds: TTL_SECONDS,
    });
  return { name: `reservation of ${lines} lines`, path: '/v1/reservations', body };
}

function reservations(name: string, skuOfRequest: (n: number) => string, ttlSeconds = TTL_SECONDS): Workload {
  const body = (n: number): string =>
    JSON.stringify({
      lines: [{ sku: skuOfRequest(n), quantity: 1, locationId: LOCATION }],
      ttlSeconds,
    });
  return { name, path: '/v1/reservations', body };
}

/** Makes a key. @param target whose admin may make it */
export async function keyFor(
  { url, adminKey }: Omit<Target, 'pid'>,
  { role, locationId }: { readonly role: 'storefront' | 'store'; readonly locationId?: string },
): Promise<string> {
  const api = new ApiClient(url, worldWithKey(adminKey ?? null));
  const whose = locationId === undefined ? { clientId: 'bench' } : { locationId };
  const body = { name: 'Bench', role, ...whose };
  const answer = await api.send({ method: 'POST', path: '/v1/admin/keys', body });
  if (!answer.ok) throw new Error(`Making a key failed: ${answer.code} ${answer.detail}`);
  return (answer.body as { key: string }).key;
}

export function skuOf(n: number): string {
  return `BENCH-${String(n).padStart(4, '0')}`;
}
