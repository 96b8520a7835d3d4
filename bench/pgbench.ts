import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PrivatePostgres } from './private-postgres.ts';
import { LOCATION } from './stock.ts';
import { withFolder } from './with-folder.ts';

const run = promisify(execFile);

/** As long as those of the application. */
const KEY_ID = `'019ab0f3-7c2e-7a51-9d41-5f0c8a6b2e17'`;
const HASH = '0'.repeat(64);
/** Any number will do, as long as all its transactions take the same. */
const EVENT_LOG_LOCK = 4711;
/** Threads of pgbench: as many as help it on two cores. */
const THREADS = 2;

export interface PgbenchRun {
  readonly connections: number;
  readonly seconds: number;
  /** Skus that the reservations are spread over. */
  readonly skus: number;
}

/**
 * Lets pgbench make reservations in a stocked database: what the application reads and writes for one of them, its entry in
 * the audit and the tally of its client included, each row with a statement of its own, in a transaction of its own. The rows
 * that all of them change are the last, behind the lock that keeps events in order.
 * @returns reservations a second
 * @throws Error when pgbench is missing, or one of its transactions failed
 */
export function pgbenchPerSecond(
  { databaseUrl, programs }: Pick<PrivatePostgres, 'databaseUrl' | 'programs'>,
  { connections, seconds, skus }: PgbenchRun,
): Promise<number> {
  return withFolder(async (folder) => {
    const script = join(folder, 'reservation.sql');
    writeFileSync(script, scriptOf(skus));
    const { hostname, port, username, pathname } = new URL(databaseUrl);
    const args = ['-n', '-M', 'prepared', '-c', connections, '-j', THREADS, '-T', Math.ceil(seconds), '-f', script];
    const where = ['-h', hostname, '-p', port, '-U', username, pathname.slice(1)];
    const { stdout } = await run(join(programs, 'pgbench'), [...args.map(String), ...where]);
    const [, perSecond] = /^tps = ([\d.]+)/m.exec(stdout) ?? [];
    const [, failed = '0'] = /^number of failed transactions: (\d+)/m.exec(stdout) ?? [];
    if (perSecond === undefined || failed !== '0') throw new Error(`pgbench did not do it: ${stdout.slice(0, 2000)}`);
    return Number(perSecond);
  });
}

/**
 * Texts are as long as those that the application stores. pgbench takes a colon before a letter or a digit for the beginning of
 * a variable, in a text, too: so there is a space behind each, and none in a time.
 */
function scriptOf(skus: number): string {
  const sku = `'BENCH-' || lpad((:n)::text, 4, '0')`;
  const item = `tenant_id = 'default' AND sku = ${sku} AND location_id = '${LOCATION}'`;
  const id = `lpad((:id)::text, 36, '0')`;
  const at = '(:at)::bigint';
  const line = `[{"sku": "BENCH-0000", "quantity": 1, "locationId": "${LOCATION}", "allocations": [{"locationId": "${LOCATION}", "quantity": 1, "fulfilled": false}]}]`;
  const expiry = '"expiresAt": "2026-11-27T18.02.42.267Z"';
  const times = `${expiry}, "createdAt": "2026-11-27T14.02.42.267Z", "updatedAt": "2026-11-27T14.02.42.267Z"`;
  const balances = `{"onHand": 1000000, "held": 1, "committed": 0, "incoming": 0, "safetyStock": 0, "available": 999999}`;
  const held = `'{"sku": "BENCH-0000", "locationId": "${LOCATION}", "holdId": "' || ${id} || '", "units": 1, ${expiry}, "stock": ${balances}}'`;
  const created = `'{"reservationId": "' || ${id} || '", "cartId": null, "lines": ${line}, ${expiry}}'`;
  const answer = `'{"id": "' || ${id} || '", "status": "ACTIVE", "lines": ${line}, "cartId": null, "orderId": null, ${times}, "version": 1}'`;
  const headers = `'{"etag": "\\"1.0123456789a\\"", "location": "/v1/reservations/' || ${id} || '"}'`;
  const event = (type: string, subject: string, location: string, payload: string): string =>
    `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, location_id, payload, occurred_at,
      correlation_id, client_id, key_id, address) VALUES ('default', gen_random_uuid()::text, '${type}', 1, ${subject}, 1, ${location},
      ${payload}, ${at}, ${id}, 'bench', ${KEY_ID}, '127.0.0.1')`;
  const statements = [
    'BEGIN',
    `SELECT * FROM idempotency_keys WHERE tenant_id = 'default' AND client_id = 'bench' AND key = ${id}`,
    `SELECT * FROM products WHERE tenant_id = 'default' AND sku = ${sku}`,
    `SELECT * FROM locations WHERE tenant_id = 'default' AND location_id = '${LOCATION}'`,
    `SELECT * FROM location_freshness WHERE tenant_id = 'default' AND location_id = '${LOCATION}'`,
    `SELECT * FROM stock_items WHERE ${item}`,
    `UPDATE stock_items SET held = held + 1, no_hold_due_before = ${at} + 14400000, updated_at = ${at}, version = version + 1
      WHERE ${item} AND on_hand - held - committed - safety_stock >= 1`,
    `INSERT INTO holds (tenant_id, hold_id, sku, location_id, units, state, expires_at, version)
      VALUES ('default', ${id}, ${sku}, '${LOCATION}', 1, 'HELD', ${at} + 14400000, 1)`,
    `INSERT INTO reservations (tenant_id, id, client_id, status, lines, cart_id, order_id, ttl_seconds, expires_at, lifetime_ends_at,
      created_at, updated_at, version) VALUES ('default', ${id}, 'bench', 'ACTIVE', '${line}', NULL, NULL, 14400, ${at} + 14400000,
      ${at} + 86400000, ${at}, ${at}, 1)`,
    `INSERT INTO reservation_places (tenant_id, location_id, reservation_id, to_pick) VALUES ('default', '${LOCATION}', ${id}, FALSE)`,
    `INSERT INTO idempotency_keys (tenant_id, client_id, key, fingerprint, status, body, headers, created_at, expires_at, version)
      VALUES ('default', 'bench', ${id}, 'x0_yWSJO2lzOPPaiivn_cT5hjAz3YQuUdvV4znQ3uOU', 201, ${answer}, ${headers}, ${at}, ${at} + 86400000, 1)`,
    `SELECT pg_advisory_xact_lock(${EVENT_LOG_LOCK})`,
    `SELECT * FROM client_tallies WHERE tenant_id = 'default' AND client_id = 'bench'`,
    `UPDATE client_tallies SET reservations = reservations + 1, units = units + 1, version = version + 1
      WHERE tenant_id = 'default' AND client_id = 'bench'`,
    event('inventory.stock.held', `'stock/BENCH-0000/${LOCATION}'`, `'${LOCATION}'`, held),
    `${event('reservation.created', `'reservation/' || ${id}`, 'NULL', created)} RETURNING position \\gset`,
    `UPDATE audit_chains SET number = number + 1, hash = '${HASH}', updated_at = ${at}, version = version + 1
      WHERE tenant_id = 'default' AND chain = 'default' RETURNING number \\gset`,
    `INSERT INTO audit_entries (tenant_id, number, position, event_id, occurred_at, key_id, client_id, address, correlation_id, action,
      version, subject, subject_version, data, hash) VALUES ('default', (:number)::bigint, (:position)::bigint, ${id}, ${at}, ${KEY_ID},
      'bench', '127.0.0.1', ${id}, 'reservation.created', 1, 'reservation/' || ${id}, 1, ${created}, '${HASH}')`,
    'COMMIT',
  ];
  const random = [
    `\\set n random(0, ${skus - 1})`,
    '\\set id random(1, 9000000000000000000)',
    `\\set at ${Date.now()}`,
  ];
  // A statement ends with a semicolon, or with \gset, which keeps what it returns for those behind it.
  const ended = statements.map((statement) => (statement.endsWith('\\gset') ? statement : `${statement};`));
  return [...random, ...ended].join('\n');
}
