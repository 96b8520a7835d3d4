import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { UuidV7Ids } from '../../src/shared/kernel/ids.ts';
import { openDatabases } from '../../src/shared/persistence/data-source.ts';
import { SQLITE_WRITER_PRAGMAS } from '../../src/shared/persistence/engine/sqlite.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { SKUS, skuOf } from '../stock.ts';

const STORE = 'BENCH-OTHER';
const OPENING_UNITS = 1_000_000;
const MS_PER_DAY = 86_400_000;

const OPEN = [
  `INSERT INTO store_streams (tenant_id, location_id, epoch, next_sequence, highest, holes, parked, to_end, conflicts,
    opened_at, last_contact_at, version) VALUES ('default', '${STORE}', 1, 1, 0, '[]', 0, 0, 0, 0, 0, 1)`,
  `INSERT INTO location_freshness (tenant_id, location_id, last_sequence, as_of, last_contact_at, stale_after_seconds,
    silent_after_seconds, stale_caution_percent, silent_caution_percent, version)
    VALUES ('default', '${STORE}', 0, 0, 0, 60, 600, 0, 0, 1)`,
];
const NEW_ITEM = `INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming, safety_stock,
  is_low, is_out, is_negative, updated_at, version)
  VALUES ('default', ?, '${STORE}', ${OPENING_UNITS}, 0, 0, 0, 0, 0, 0, 0, 0, 1)`;

const EVENT = `INSERT INTO store_events (tenant_id, location_id, epoch, sequence, event_id, content_hash, status, content,
  received_at, expires_at) VALUES ('default', '${STORE}', 1, ?, ?, ?, 'APPLIED', NULL, ?, ?)`;
const ITEM = `UPDATE stock_items SET on_hand = ?, held = 0, committed = 0, incoming = 0, safety_stock = 0,
  low_stock_threshold = NULL, no_hold_due_before = NULL, is_low = 0, is_out = 0, is_negative = 0, updated_at = ?,
  version = ? WHERE tenant_id = 'default' AND sku = ? AND location_id = '${STORE}'`;
const MOVEMENT = `INSERT INTO movements (tenant_id, sku, location_id, item_version, movement_id, type, delta, on_hand_after,
  occurred_at, correlation_id, client_id, origin, origin_epoch, origin_sequence)
  VALUES ('default', ?, '${STORE}', ?, ?, 'SALE', -1, ?, ?, ?, 'default', '${STORE}', 1, ?)`;
const LOGGED = `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, location_id, payload,
  occurred_at, correlation_id, client_id, origin)
  VALUES ('default', ?, 'inventory.stock.moved', 1, ?, ?, '${STORE}', ?, ?, ?, 'default', '${STORE}')`;
const STREAM = `UPDATE store_streams SET next_sequence = ?, highest = ?, last_contact_at = ?, version = version + 1
  WHERE tenant_id = 'default' AND location_id = '${STORE}'`;
const FRESHNESS = `UPDATE location_freshness SET last_sequence = ?, as_of = ?, last_contact_at = ?, version = version + 1
  WHERE tenant_id = 'default' AND location_id = '${STORE}'`;

const STATEMENTS = {
  event: EVENT,
  item: ITEM,
  movement: MOVEMENT,
  logged: LOGGED,
  stream: STREAM,
  freshness: FRESHNESS,
};

/**
 * The reference: what sales of a store leave in the database, put there by hand with better-sqlite3 in the same tables,
 * indexes and pragmas. Nothing is read, compared or checked, and the sales do not come over a wire.
 */
export class IngestByHand {
  private readonly ids = new UuidV7Ids();
  private readonly correlationId = this.ids.next();
  private readonly statements: Record<keyof typeof STATEMENTS, Database.Statement<unknown[]>>;
  private sequence = 0;

  private constructor(private readonly database: Database.Database) {
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)] as const);
    this.statements = Object.fromEntries(prepared) as typeof this.statements;
  }

  static async open(file: string): Promise<IngestByHand> {
    // The migrations make the tables.
    const { engine, reader } = await openDatabases(readSettings({ DATABASE_URL: `sqlite:${file}` }), []);
    await reader.close();
    await engine.close();
    const database = new Database(file);
    SQLITE_WRITER_PRAGMAS.forEach((pragma) => database.pragma(pragma));
    // It has no second thread that copies the log, so it does that itself, every 16 MiB.
    database.pragma('wal_autocheckpoint = 4000');
    OPEN.forEach((sql) => database.exec(sql));
    const item = database.prepare(NEW_ITEM);
    for (let n = 0; n < SKUS; n += 1) item.run(skuOf(n));
    return new IngestByHand(database);
  }

  /** One commit. */
  take(events: number): void {
    this.database.exec('BEGIN IMMEDIATE');
    for (let n = 0; n < events; n += 1) this.sell();
    const at = Date.now();
    this.statements.stream.run(this.sequence + 1, this.sequence, at);
    this.statements.freshness.run(this.sequence, at, at);
    this.database.exec('COMMIT');
  }

  close(): void {
    this.database.close();
  }

  private sell(): void {
    this.sequence += 1;
    const { ids, sequence, correlationId } = this;
    // The store names its events as it likes, here and in direct-push.ts without an order; the centre's own ids rise.
    const [at, eventId, movementId] = [Date.now(), randomUUID(), ids.next()];
    const sku = skuOf(sequence % SKUS);
    const version = 1 + Math.ceil(sequence / SKUS);
    const onHand = OPENING_UNITS - version + 1;
    this.statements.event.run(sequence, eventId, eventId.slice(-22), at, at + 90 * MS_PER_DAY);
    this.statements.item.run(onHand, at, version, sku);
    this.statements.movement.run(sku, version, movementId, onHand, at, correlationId, sequence);
    const stock = { onHand, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: onHand };
    const moved = { sku, locationId: STORE, movementId, movementType: 'SALE', delta: -1, reason: null };
    const payload = JSON.stringify({ ...moved, reference: null, holdId: null, stock });
    this.statements.logged.run(ids.next(), `stock/${sku}/${STORE}`, version, payload, at, correlationId);
  }
}
