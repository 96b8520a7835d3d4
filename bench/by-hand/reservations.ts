import { hash } from 'node:crypto';
import Database from 'better-sqlite3';
import { type AuditEntryContent, entryHash, genesisHash } from '../../src/shared/audit/entry-hash.ts';
import { UuidV7Ids } from '../../src/shared/kernel/ids.ts';
import { openDatabases } from '../../src/shared/persistence/data-source.ts';
import { SQLITE_WRITER_PRAGMAS } from '../../src/shared/persistence/engine/sqlite.ts';
import { readSettings } from '../../src/shared/settings.ts';

/** What the reference is asked for: what bench/stock.ts sends. */
export interface Wanted {
  readonly lines: readonly [{ readonly sku: string; readonly quantity: number; readonly locationId: string }];
  readonly ttlSeconds: number;
}

const KEY_LIFETIME_MS = 86_400_000;
const LIFETIME_MAX_MS = 86_400_000;

const HOLD_UNITS = `UPDATE stock_items SET held = held + ?, no_hold_due_before = MIN(COALESCE(no_hold_due_before, ?), ?),
    updated_at = ?, version = version + 1
  WHERE tenant_id = 'default' AND sku = ? AND location_id = ? AND on_hand - held - committed - safety_stock >= ?
  RETURNING version, on_hand, held, committed, incoming, safety_stock`;
const RESERVATION = `INSERT INTO reservations (tenant_id, id, client_id, status, lines, cart_id, order_id, ttl_seconds, tallied,
    expires_at, lifetime_ends_at, created_at, updated_at, version)
  VALUES ('default', ?, 'bench', 'ACTIVE', ?, NULL, NULL, ?, 1, ?, ?, ?, ?, 1)`;
const PLACE = `INSERT INTO reservation_places (tenant_id, location_id, reservation_id, to_pick) VALUES ('default', ?, ?, 0)`;
const HOLD = `INSERT INTO holds (tenant_id, hold_id, sku, location_id, units, state, expires_at, version)
  VALUES ('default', ?, ?, ?, ?, 'HELD', ?, 1)`;
const KEY = `INSERT INTO idempotency_keys (tenant_id, client_id, key, fingerprint, status, body, headers, created_at, expires_at,
    version) VALUES ('default', 'bench', ?, ?, 201, ?, ?, ?, ?, 1)`;
const EVENT = `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, location_id, payload,
    occurred_at, correlation_id, client_id, key_id, address) VALUES ('default', ?, ?, 1, ?, ?, ?, ?, ?, ?, 'bench', ?, ?)`;
const ENTRY = `INSERT INTO audit_entries (tenant_id, number, position, event_id, occurred_at, key_id, client_id, address,
    correlation_id, causation_id, origin, action, version, subject, subject_version, data, hash)
  VALUES ('default', ?, ?, ?, ?, ?, 'bench', ?, ?, NULL, NULL, ?, 1, ?, ?, ?, ?)`;
const TALLY = `INSERT INTO client_tallies (tenant_id, client_id, reservations, units, version) VALUES ('default', 'bench', ?, ?, 1)
  ON CONFLICT (tenant_id, client_id) DO UPDATE SET reservations = reservations + excluded.reservations,
    units = units + excluded.units, version = version + 1`;
const CHAIN = `INSERT INTO audit_chains (tenant_id, chain, number, hash, purged_number, purged_hash, sealed, updated_at, version)
  VALUES ('default', 'default', ?, ?, 0, '${genesisHash('default')}', 0, ?, 1)
  ON CONFLICT (tenant_id, chain) DO UPDATE SET number = excluded.number, hash = excluded.hash,
    updated_at = excluded.updated_at, version = version + 1`;
const KEY_ID = '019ab0f3-7c2e-7a51-9d41-5f0c8a6b2e17';
const ADDRESS = '127.0.0.1';

interface Balances {
  readonly version: number;
  readonly on_hand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly safety_stock: number;
}

interface Event {
  readonly type: string;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly locationId: string | null;
  readonly payload: object;
  readonly occurredAt: number;
  readonly correlationId: string;
}

/**
 * Creating reservations as somebody would who has to do nothing else: the rows that the application stores, those of its
 * audit and the tally of the client included, in the same tables and indexes under the same pragmas, one statement for each.
 * Of its rules there is one, that units have to be there.
 */
export class ReservationsByHand {
  private readonly ids = new UuidV7Ids();
  private readonly statements: Readonly<
    Record<
      'hold' | 'reservation' | 'place' | 'units' | 'key' | 'event' | 'entry' | 'tally' | 'chain',
      Database.Statement<unknown[]>
    >
  >;

  private entries = 0;
  private hash = genesisHash('default');
  /** Of the transaction. */
  private made = { reservations: 0, units: 0 };

  private constructor(private readonly database: Database.Database) {
    this.statements = {
      units: database.prepare(HOLD_UNITS),
      reservation: database.prepare(RESERVATION),
      place: database.prepare(PLACE),
      hold: database.prepare(HOLD),
      key: database.prepare(KEY),
      event: database.prepare(EVENT),
      entry: database.prepare(ENTRY),
      tally: database.prepare(TALLY),
      chain: database.prepare(CHAIN),
    };
  }

  /** @param stock what is there before, as `[sku, locationId, onHand]` */
  static async open(file: string, stock: Iterable<readonly [string, string, number]>): Promise<ReservationsByHand> {
    // The migrations make the tables.
    const { engine, reader } = await openDatabases(readSettings({ DATABASE_URL: `sqlite:${file}` }), []);
    await reader.close();
    await engine.close();
    const database = new Database(file);
    SQLITE_WRITER_PRAGMAS.forEach((pragma) => database.pragma(pragma));
    // It has no second thread that copies the log, so it does that itself, every 16 MiB.
    database.pragma('wal_autocheckpoint = 4000');
    const item =
      database.prepare(`INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming,
      safety_stock, is_low, is_out, is_negative, updated_at, version) VALUES ('default', ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?, 1)`);
    database.transaction(() => {
      for (const [sku, locationId, onHand] of stock) item.run(sku, locationId, onHand, Date.now());
    })();
    return new ReservationsByHand(database);
  }

  begin(): void {
    this.database.exec('BEGIN IMMEDIATE');
  }

  commit(): void {
    this.statements.tally.run(this.made.reservations, this.made.units);
    this.statements.chain.run(this.entries, this.hash, Date.now());
    this.made = { reservations: 0, units: 0 };
    this.database.exec('COMMIT');
  }

  /** @returns the answer, or null when there are not enough units */
  create({ lines: [line], ttlSeconds }: Wanted, key: string, body: string): string | null {
    const { sku, quantity, locationId } = line;
    const at = Date.now();
    const expiresAt = at + ttlSeconds * 1000;
    const stock = this.statements.units.get(quantity, expiresAt, expiresAt, at, sku, locationId, quantity) as
      Balances | undefined;
    if (stock === undefined) return null;
    const [id, correlationId] = [this.ids.next(), this.ids.next()];
    const expiry = new Date(expiresAt).toISOString();
    const linesHeld = [{ ...line, allocations: [{ locationId, quantity, fulfilled: false }] }];
    this.statements.reservation.run(
      ...[id, JSON.stringify(linesHeld), ttlSeconds, expiresAt, at + LIFETIME_MAX_MS, at, at],
    );
    this.statements.place.run(locationId, id);
    this.statements.hold.run(id, sku, locationId, quantity, expiresAt);
    const made = new Date(at).toISOString();
    const times = { expiresAt: expiry, createdAt: made, updatedAt: made };
    const answer = { id, status: 'ACTIVE', lines: linesHeld, cartId: null, orderId: null, ...times, version: 1 };
    const text = JSON.stringify(answer);
    const headers = `{"etag":"\\"1.${hash('sha256', text, 'base64url').slice(0, 11)}\\"","location":"/v1/reservations/${id}"}`;
    this.statements.key.run(key, hash('sha256', body, 'base64url'), text, headers, at, at + KEY_LIFETIME_MS);
    const { version, on_hand: onHand, held, committed, incoming, safety_stock: safetyStock } = stock;
    const available = onHand - held - committed - safetyStock;
    const balances = { onHand, held, committed, incoming, safetyStock, available };
    const unitsHeld = { sku, locationId, holdId: id, units: quantity, expiresAt: expiry, stock: balances };
    this.record({
      type: 'inventory.stock.held',
      subject: `stock/${sku}/${locationId}`,
      subjectVersion: version,
      locationId,
      payload: unitsHeld,
      occurredAt: at,
      correlationId,
    });
    const created = this.record({
      type: 'reservation.created',
      subject: `reservation/${id}`,
      subjectVersion: 1,
      locationId: null,
      payload: { reservationId: id, cartId: null, lines: linesHeld, expiresAt: expiry },
      occurredAt: at,
      correlationId,
    });
    this.audit(created);
    this.made.reservations += 1;
    this.made.units += quantity;
    return text;
  }

  close(): void {
    this.database.close();
  }

  private record(event: Event): Omit<AuditEntryContent, 'number'> {
    const { type, subject, subjectVersion, locationId, occurredAt, correlationId } = event;
    const eventId = this.ids.next();
    const data = JSON.stringify(event.payload);
    const values = [
      eventId,
      type,
      subject,
      subjectVersion,
      locationId,
      data,
      occurredAt,
      correlationId,
      KEY_ID,
      ADDRESS,
    ];
    const position = Number(this.statements.event.run(...values).lastInsertRowid);
    const unknown = { causationId: null, origin: null };
    const by = { keyId: KEY_ID, clientId: 'bench', address: ADDRESS, correlationId, ...unknown };
    return { position, eventId, occurredAt, ...by, action: type, version: 1, subject, subjectVersion, data };
  }

  private audit(content: Omit<AuditEntryContent, 'number'>): void {
    this.entries += 1;
    const { position, eventId, occurredAt, correlationId, action, subject, subjectVersion, data } = content;
    this.hash = entryHash('default', { ...content, number: this.entries }, this.hash);
    this.statements.entry.run(
      ...[this.entries, position, eventId, occurredAt, KEY_ID, ADDRESS, correlationId],
      ...[action, subject, subjectVersion, data, this.hash],
    );
  }
}
