import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../replay/api-client.ts';
import { forEachOf } from '../replay/for-each.ts';
import { textTable } from '../replay/text-table.ts';
import { ask, type Chain, expectOk, STORES } from './chain.ts';
import type { Recorded, Story } from './story.ts';
import { type CentralItem, centralItem } from './watch.ts';

/** Past this the stores have not told everything. */
const QUIET_MAX_MS = 120_000;
const LOOK_MS = 100;
const CONCURRENCY = 16;
/** The copy that Holdfast replaces runs this often; a sale waits for it half as long on average. */
export const COPY_SECONDS = 15 * 60;

/** Waits until every store has told everything. @throws Error when one does not */
export async function untilQuiet(chain: Chain): Promise<void> {
  const deadline = performance.now() + QUIET_MAX_MS;
  for (;;) {
    const links = await Promise.all(chain.stores.map((store) => chain.linkOf(store)));
    if (links.every(({ pendingEvents, settled }) => pendingEvents === 0 && settled)) return;
    if (performance.now() > deadline) throw new Error(`Not everything was told: ${JSON.stringify(links)}`);
    await pause(LOOK_MS);
  }
}

/** What differs between what happened, the centre and the store; a line each. Gives the feed some time to arrive. */
export async function differences(chain: Chain, story: Story): Promise<string[]> {
  const found: string[] = [];
  await forEachOf([...story.expected.values()], CONCURRENCY, async ({ sku, locationId, units }) => {
    const { api } = chain.store(locationId);
    const wanted = JSON.stringify({ onHand: units, held: 0, committed: 0 });
    const deadline = performance.now() + LOOK_MS * 100;
    for (;;) {
      const centre = balancesOf(await centralItem(chain.api, sku, locationId));
      const { body } = expectOk(await ask(api, { method: 'GET', path: `/stock/${sku}` }));
      const store = balancesOf(body as CentralItem);
      if (centre === wanted && store === wanted) return;
      if (performance.now() > deadline) {
        found.push(`${sku} at ${locationId}: happened ${wanted}, centre ${centre}, store ${store}`);
        return;
      }
      await pause(LOOK_MS);
    }
  });
  return found;
}

function balancesOf({ onHand, held, committed }: CentralItem): string {
  return JSON.stringify({ onHand, held, committed });
}

/** How long each fact took from the till to the centre's ledger, in seconds, by store. */
export async function lagsOf(chain: Chain, recorded: readonly Recorded[]): Promise<Map<string, number[]>> {
  const lags = new Map<string, number[]>(STORES.map((store) => [store, []]));
  const items = new Map<string, Recorded[]>();
  for (const fact of recorded) {
    const key = `${fact.sku}/${fact.locationId}`;
    items.set(key, [...(items.get(key) ?? []), fact]);
  }
  await forEachOf([...items], CONCURRENCY, async ([item, facts]) => {
    const arrivals = await arrivalsAt(chain.api, item);
    for (const { key, at, locationId } of facts) {
      const arrived = arrivals.get(key);
      if (arrived === undefined) throw new Error(`${key} is not in the ledger of ${item}`);
      lags.get(locationId)?.push(Math.max(0, arrived - at) / 1000);
    }
  });
  return lags;
}

/** By reference: when the centre recorded it. */
async function arrivalsAt(api: ApiClient, item: string): Promise<Map<string, number>> {
  const arrivals = new Map<string, number>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const path = `/v1/stock/${item}/movements?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = expectOk(await ask(api, { method: 'GET', path }));
    const page = body as { items: { reference: string | null; occurredAt: string }[]; nextCursor: string | null };
    for (const { reference, occurredAt } of page.items) {
      if (reference !== null) arrivals.set(reference, Date.parse(occurredAt));
    }
    cursor = page.nextCursor;
  }
  return arrivals;
}

/** The distributions, and that of the copy beside them: evenly spread, because a sale happens at any time before it. */
export function lagTable(lags: ReadonlyMap<string, readonly number[]>): string {
  const rows = [...lags].map(([store, seconds]) => lagRow(store, seconds));
  const all = lagRow('all stores', [...lags.values()].flat());
  const copy = [
    'a copy every 15 minutes',
    '',
    ...[0.5, 0.99, 1].map((part) => `${(COPY_SECONDS * part).toFixed(0)} s`),
  ];
  return textTable(['till to centre', 'facts', 'p50', 'p99', 'max'], [...rows, all, copy]);
}

function lagRow(name: string, seconds: readonly number[]): (string | number)[] {
  const sorted = [...seconds].sort((one, other) => one - other);
  return [name, sorted.length, ...[0.5, 0.99, 1].map((part) => `${quantile(sorted, part).toFixed(3)} s`)];
}

/** @param sorted rising @param part 0..1 @returns NaN when there is none */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
