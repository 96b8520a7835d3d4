import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { onDatabase } from '../on-sqlite.ts';
import { measureAtPace, type Paced } from '../pace.ts';
import { type BenchOptions, type Row, type RowResult, type Sizes } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { LOCATION, SKUS, spreadReservations } from '../stock.ts';
import { whole } from '../summary.ts';
import { withFolder } from '../with-folder.ts';

/** As a storefront of moderate traffic, well below what the server can do. */
const PER_SECOND = 200;
const WARM_UP_SECONDS = 4;
const BEFORE_SECONDS = 6;
/** From the making of the holds until they fall due: this long, and a second for so many of them. */
const DUE_AFTER_SECONDS = 10;
const HOLDS_A_SECOND = 4_000;
const DRAIN_MAX_SECONDS = 90;
const LOOK_MS = 100;

/** Whether somebody who buys feels that a sale has ended and a hundred thousand carts are given back. */
export const holdsDue: Row = {
  id: 'holds-due',
  measured: `p99 of create reservation at ${PER_SECOND}/s while 100,000 holds drain that fell due at once`,
  reference: 'p99 before',
  goal: { atMost: 2 },
  run: (options) =>
    withFolder((folder) => {
      const file = join(folder, 'bench.sqlite');
      return onDatabase(`sqlite:${file}`, (server) => watchDrain(server, file, options));
    }),
  limitSeconds: ({ holds }: Sizes) => 150 + holds / 1_000,
};

/** Reservations with a hold each, as the server would store them; it waits meanwhile. @returns when they fall due */
function makeHolds(file: string, holds: number): number {
  const database = new Database(file);
  const at = Date.now();
  const dueAfterSeconds = DUE_AFTER_SECONDS + Math.ceil(holds / HOLDS_A_SECOND);
  const dueAt = at + dueAfterSeconds * 1000;
  const id = `printf('01900000-0000-7000-8000-%012d', n)`;
  const sku = `printf('BENCH-%04d', n % ${SKUS})`;
  const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${holds})`;
  const line = `'[{"sku":"' || ${sku} || '","quantity":1,"locationId":"${LOCATION}","allocations":[{"locationId":"${LOCATION}","quantity":1,"fulfilled":false}]}]'`;
  database.exec(`
    BEGIN;
    INSERT INTO reservations (tenant_id, id, client_id, status, lines, cart_id, order_id, ttl_seconds, expires_at,
        lifetime_ends_at, created_at, updated_at, version)
      ${numbers} SELECT 'default', ${id}, 'bench', 'ACTIVE', ${line}, NULL, NULL, ${dueAfterSeconds}, ${dueAt},
        ${at + 86_400_000}, ${at}, ${at}, 1 FROM numbers;
    INSERT INTO reservation_places (tenant_id, location_id, reservation_id, to_pick)
      ${numbers} SELECT 'default', '${LOCATION}', ${id}, 0 FROM numbers;
    INSERT INTO holds (tenant_id, hold_id, sku, location_id, units, state, expires_at, version)
      ${numbers} SELECT 'default', ${id}, ${sku}, '${LOCATION}', 1, 'HELD', ${dueAt}, 1 FROM numbers;
    UPDATE stock_items SET no_hold_due_before = ${dueAt}, version = version + 1,
      held = (SELECT COUNT(*) FROM holds h WHERE h.tenant_id = stock_items.tenant_id AND h.sku = stock_items.sku
        AND h.location_id = stock_items.location_id);
    COMMIT;`);
  database.close();
  return dueAt;
}

async function watchDrain(server: BenchServer, file: string, { holds, say }: BenchOptions): Promise<RowResult> {
  const load = (seconds: number, signal?: AbortSignal): Promise<Paced> =>
    measureAtPace(server, [spreadReservations], { perSecond: PER_SECOND, seconds, ...(signal ? { signal } : {}) });
  await load(WARM_UP_SECONDS);
  const before = await load(BEFORE_SECONDS);
  const dueAt = makeHolds(file, holds);
  if (Date.now() >= dueAt) throw new Error('The holds fell due before all were there');
  await pause(dueAt - Date.now());
  const drained = new AbortController();
  const during = load(DRAIN_MAX_SECONDS, drained.signal);
  const seconds = await drainSeconds(file, dueAt).finally(() => {
    drained.abort();
  });
  const { p99, p50, failures, unanswered } = await during;
  say(`  drained in ${seconds.toFixed(1)} s; p99 ${p99.toFixed(1)} ms, before ${before.p99.toFixed(1)} ms`);
  const failed = failures + unanswered + before.failures + before.unanswered;
  return {
    value: p99 / before.p99,
    detail: `p99 ${p99.toFixed(1)} ms, before ${before.p99.toFixed(1)} ms; p50 ${p50.toFixed(1)} and ${before.p50.toFixed(1)} ms`,
    throughput: `${whole(holds / seconds)} of ${whole(holds)} holds/s`,
    cpuPerRequest: '',
    invalid: failed === 0 ? null : `${failed} reservations failed`,
  };
}

/** How long it takes from the instant at which they are due until none of them is left. */
async function drainSeconds(file: string, dueAt: number): Promise<number> {
  const database = new Database(file, { readonly: true });
  const left = database.prepare(`SELECT 1 FROM reservations WHERE status = 'ACTIVE' AND expires_at <= ? LIMIT 1`);
  try {
    while (left.get(dueAt) !== undefined) {
      if (Date.now() - dueAt > DRAIN_MAX_SECONDS * 1000) throw new Error(`Not drained within ${DRAIN_MAX_SECONDS} s`);
      await pause(LOOK_MS);
    }
    return (Date.now() - dueAt) / 1000;
  } finally {
    database.close();
  }
}
