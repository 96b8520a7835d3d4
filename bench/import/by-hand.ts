import Database from 'better-sqlite3';
import { UuidV7Ids } from '../../src/shared/kernel/ids.ts';
import { openDatabases } from '../../src/shared/persistence/data-source.ts';
import { SQLITE_WRITER_PRAGMAS } from '../../src/shared/persistence/engine/sqlite.ts';
import { readSettings } from '../../src/shared/settings.ts';
import type { CountRow } from './count-rows.ts';

const ITEM = `INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming, safety_stock,
  is_low, is_out, is_negative, updated_at, version) VALUES ('default', ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?, 1)`;
const MOVEMENT = `INSERT INTO movements (tenant_id, sku, location_id, item_version, movement_id, type, delta, on_hand_after,
  occurred_at, correlation_id, client_id) VALUES ('default', ?, ?, 1, ?, 'COUNT', ?, ?, ?, ?, 'default')`;
const EVENT = `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, location_id, payload,
  occurred_at, correlation_id, client_id) VALUES ('default', ?, 'inventory.stock.moved', 1, ?, 1, ?, ?, ?, ?, 'default')`;

/**
 * The reference: what an import of counts stores, stored by hand with better-sqlite3 in the same tables, indexes and
 * pragmas. Nothing is read, checked or looked up, and the rows do not come over a wire.
 */
export class ByHand {
  private readonly ids = new UuidV7Ids();
  private readonly correlationId = this.ids.next();
  private readonly statements: Record<'item' | 'movement' | 'event', Database.Statement<unknown[]>>;

  private constructor(private readonly database: Database.Database) {
    this.statements = {
      item: database.prepare(ITEM),
      movement: database.prepare(MOVEMENT),
      event: database.prepare(EVENT),
    };
  }

  static async open(file: string): Promise<ByHand> {
    // The migrations make the tables.
    const { engine, reader } = await openDatabases(readSettings({ DATABASE_URL: `sqlite:${file}` }), []);
    await reader.close();
    await engine.close();
    const database = new Database(file);
    SQLITE_WRITER_PRAGMAS.forEach((pragma) => database.pragma(pragma));
    // It has no second thread that copies the log, so it does that itself, every 16 MiB.
    database.pragma('wal_autocheckpoint = 4000');
    return new ByHand(database);
  }

  /** One commit. */
  insert(rows: readonly CountRow[]): void {
    this.database.exec('BEGIN IMMEDIATE');
    for (const { sku, locationId, counted } of rows) {
      const [at, movementId] = [Date.now(), this.ids.next()];
      this.statements.item.run(sku, locationId, counted, at);
      this.statements.movement.run(sku, locationId, movementId, counted, counted, at, this.correlationId);
      const stock = { onHand: counted, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: counted };
      const moved = { sku, locationId, movementId, movementType: 'COUNT', delta: counted, reason: null };
      const payload = JSON.stringify({ ...moved, reference: null, holdId: null, stock });
      const subject = `stock/${sku}/${locationId}`;
      this.statements.event.run(this.ids.next(), subject, locationId, payload, at, this.correlationId);
    }
    this.database.exec('COMMIT');
  }

  close(): void {
    this.database.close();
  }
}
