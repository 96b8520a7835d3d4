import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openDatabases } from '../src/shared/persistence/data-source.ts';
import { readSettings } from '../src/shared/settings.ts';
import type { Workload } from './load.ts';
import type { BenchOptions } from './row.ts';
import { benchFolder } from './with-folder.ts';

/** Stock items of one location of the large file. */
const ITEMS_PER_LOCATION = 10_000;
const UNITS = 1_000_000;

/** SQL of the name of the n-th of something, counted from 0. */
const skuSql = (n: string): string => `'LARGE-' || substr('00000' || (${n}), -6)`;
const locationSql = (n: string): string => `'PLACE-' || substr('0000' || (${n}), -5)`;

/** Text as long as a UUID, in the order of n. */
const idSql = (n: string): string => `printf('01900000-0000-7000-8000-%012d', ${n})`;

/**
 * A file with a great history: so many items, each with its share of the movements. It is made once for all rows of a run,
 * by SQL, because over HTTP it would take an hour.
 */
export async function largeFile({ items, movements, say }: BenchOptions): Promise<string> {
  const folder = join(benchFolder(), 'large');
  const file = join(folder, 'bench.sqlite');
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const startedAt = performance.now();
  const unfinished = join(folder, 'unfinished.sqlite');
  const { engine, reader } = await openDatabases(readSettings({ DATABASE_URL: `sqlite:${unfinished}` }), []);
  await reader.close();
  await engine.close();
  fill(unfinished, items, Math.max(1, Math.round(movements / items)));
  // Only a whole one has the name.
  renameSync(unfinished, file);
  say(`  the large file took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  return file;
}

/** Creating reservations of one unit of all the items of the large file, in an order that jumps about in it. */
export function spreadOverLargeFile(items: number): Workload {
  const locations = Math.ceil(items / ITEMS_PER_LOCATION);
  const body = (n: number): string => {
    // A step that has no divisor in common with the items meets each of them before any a second time.
    const item = (n * 7919) % items;
    const sku = `LARGE-${String(Math.floor(item / locations)).padStart(6, '0')}`;
    const locationId = `PLACE-${String(item % locations).padStart(5, '0')}`;
    return JSON.stringify({ lines: [{ sku, quantity: 1, locationId }], ttlSeconds: 14_400 });
  };
  return { name: 'reservation, large file', path: '/v1/reservations', body };
}

/** All in key order, so that the trees grow at their ends. */
function fill(file: string, items: number, movementsOfItem: number): void {
  const database = new Database(file);
  const now = Date.now();
  const locations = Math.ceil(items / ITEMS_PER_LOCATION);
  const skus = Math.ceil(items / locations);
  const numbers = (upTo: number): string =>
    `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${upTo})`;
  const place = `${skuSql(`n / ${locations}`)}, ${locationSql(`n % ${locations}`)}`;
  for (const pragma of [
    'journal_mode = OFF',
    'synchronous = OFF',
    'cache_size = -262144',
    'locking_mode = EXCLUSIVE',
  ]) {
    database.pragma(pragma);
  }
  database.exec(`
    INSERT INTO products (tenant_id, sku, name, active, created_at, updated_at, version)
      ${numbers(skus)} SELECT 'default', ${skuSql('n')}, 'Product ' || n, 1, ${now}, ${now}, 1 FROM numbers;
    INSERT INTO locations (tenant_id, location_id, name, kind, priority, sells_online, created_at, updated_at, version)
      ${numbers(locations)} SELECT 'default', ${locationSql('n')}, 'Place ' || n, 'STORE', 100, 1, ${now}, ${now}, 1 FROM numbers;
    INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming, safety_stock, is_low, is_out,
        is_negative, updated_at, version)
      ${numbers(items)} SELECT 'default', ${place}, ${UNITS}, 0, 0, 0, 0, 0, 0, 0, ${now}, ${movementsOfItem} FROM numbers;
    INSERT INTO movements (tenant_id, sku, location_id, item_version, movement_id, type, delta, on_hand_after, occurred_at,
        correlation_id, client_id)
      ${numbers(items)}, versions(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM versions WHERE v < ${movementsOfItem})
      SELECT 'default', ${place}, v, ${idSql(`n * ${movementsOfItem} + v`)}, 'RECEIPT', IIF(v = 1, ${UNITS}, 0), ${UNITS}, ${now},
        '01900000-0000-7000-8000-000000000000', 'default'
      FROM numbers CROSS JOIN versions;
    ANALYZE;`);
  database.close();
}
