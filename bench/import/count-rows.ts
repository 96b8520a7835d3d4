import { ApiClient, worldWithKey } from '../../scripts/replay/api-client.ts';
import { forEachOf } from '../../scripts/replay/for-each.ts';
import type { Target } from '../load.ts';
import { SKUS, skuOf } from '../stock.ts';

/** A row of the file: what was found of a sku at a location where there was nothing yet. */
export interface CountRow {
  readonly sku: string;
  readonly locationId: string;
  readonly counted: number;
}

/** Location by location, as stores count: a million rows are a thousand skus at a thousand locations. */
export function countRow(n: number): CountRow {
  return { sku: skuOf(n % SKUS), locationId: locationOf(Math.floor(n / SKUS)), counted: 1 + (n % 100) };
}

/** Makes the locations that these rows need. */
export async function loadLocations({ url, adminKey }: Target, rows: number): Promise<void> {
  const api = new ApiClient(url, worldWithKey(adminKey ?? null));
  await forEachOf([...Array(Math.ceil(rows / SKUS)).keys()], 32, async (n) => {
    const body = { name: `Store ${n}`, kind: 'STORE' };
    const answer = await api.send({ method: 'PUT', path: `/v1/locations/${locationOf(n)}`, body });
    if (!answer.ok) throw new Error(`Loading locations failed: ${answer.code} ${answer.detail}`);
  });
}

function locationOf(n: number): string {
  return `STORE-${String(n).padStart(4, '0')}`;
}
