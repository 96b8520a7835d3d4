import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from './dialect.ts';

/** The catalogue, stock items with their ledger and holds, reservations, idempotency keys and the event log. */
export class StockAndReservations0001 implements MigrationInterface {
  /** TypeORM sorts migrations by the thirteen digits at the end. */
  readonly name = 'StockAndReservations0000000000001';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    const statements = [...catalogue(dialect), ...stock(dialect), ...reservations(dialect), ...platform(dialect)];
    for (const statement of statements) {
      await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

function catalogue({ text, integer, boolean, clustered }: Dialect): string[] {
  return [
    `CREATE TABLE locations (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      name ${text} NOT NULL,
      kind ${text} NOT NULL CHECK (kind IN ('STORE', 'WAREHOUSE')),
      priority ${integer} NOT NULL CHECK (priority BETWEEN 0 AND 1000),
      sells_online ${boolean} NOT NULL,
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, location_id)
    ) ${clustered}`,
    `CREATE TABLE products (
      tenant_id ${text} NOT NULL,
      sku ${text} NOT NULL,
      name ${text} NOT NULL,
      low_stock_threshold ${integer} CHECK (low_stock_threshold >= 0),
      active ${boolean} NOT NULL,
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, sku)
    ) ${clustered}`,
  ];
}

function stock({ text, integer, boolean, clustered }: Dialect): string[] {
  const itemColumns = 'tenant_id, sku, location_id';
  return [
    // The three flags repeat what the balances say. They carry the partial indexes, because an index on the balances
    // themselves would have to be rewritten with every hold.
    `CREATE TABLE stock_items (
      tenant_id ${text} NOT NULL,
      sku ${text} NOT NULL,
      location_id ${text} NOT NULL,
      on_hand ${integer} NOT NULL CHECK (on_hand BETWEEN -1000000000 AND 1000000000),
      held ${integer} NOT NULL CHECK (held >= 0),
      committed ${integer} NOT NULL CHECK (committed >= 0),
      incoming ${integer} NOT NULL CHECK (incoming >= 0),
      safety_stock ${integer} NOT NULL CHECK (safety_stock >= 0),
      low_stock_threshold ${integer} CHECK (low_stock_threshold >= 0),
      no_hold_due_before ${integer},
      is_low ${boolean} NOT NULL,
      is_out ${boolean} NOT NULL,
      is_negative ${boolean} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (${itemColumns})
    ) ${clustered}`,
    'CREATE INDEX stock_items_by_location ON stock_items (tenant_id, location_id, sku)',
    ...['is_low', 'is_out', 'is_negative'].map(
      (flag) => `CREATE INDEX stock_items_${flag} ON stock_items (${itemColumns}) WHERE ${flag} = TRUE`,
    ),
    `CREATE TABLE movements (
      tenant_id ${text} NOT NULL,
      sku ${text} NOT NULL,
      location_id ${text} NOT NULL,
      item_version ${integer} NOT NULL CHECK (item_version >= 1),
      movement_id ${text} NOT NULL,
      type ${text} NOT NULL CHECK (type IN ('RECEIPT', 'SALE', 'RETURN', 'ADJUSTMENT', 'WRITE_OFF', 'COUNT',
        'TRANSFER_OUT', 'TRANSFER_IN', 'FULFILMENT')),
      delta ${integer} NOT NULL,
      on_hand_after ${integer} NOT NULL,
      reason ${text},
      reference ${text},
      occurred_at ${integer} NOT NULL,
      correlation_id ${text} NOT NULL,
      PRIMARY KEY (${itemColumns}, item_version)
    ) ${clustered}`,
    `CREATE TABLE holds (
      tenant_id ${text} NOT NULL,
      hold_id ${text} NOT NULL,
      sku ${text} NOT NULL,
      location_id ${text} NOT NULL,
      units ${integer} NOT NULL CHECK (units >= 1),
      state ${text} NOT NULL CHECK (state IN ('HELD', 'COMMITTED')),
      expires_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, hold_id, sku, location_id)
    ) ${clustered}`,
    // Finds the holds of an item that are due, oldest first, and adds their units up without touching the table.
    `CREATE INDEX holds_due ON holds (${itemColumns}, expires_at, hold_id, units) WHERE state = 'HELD'`,
  ];
}

function reservations({ text, integer, clustered }: Dialect): string[] {
  return [
    `CREATE TABLE reservations (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      status ${text} NOT NULL CHECK (status IN ('ACTIVE', 'CONFIRMED', 'FULFILLED', 'CANCELLED', 'EXPIRED')),
      lines ${text} NOT NULL,
      cart_id ${text},
      order_id ${text},
      ttl_seconds ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      lifetime_ends_at ${integer} NOT NULL,
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, id)
    ) ${clustered}`,
    // A cart has at most one ACTIVE reservation: the rule is in the handler, this is the wall behind it.
    `CREATE UNIQUE INDEX reservations_active_cart ON reservations (tenant_id, cart_id)
      WHERE status = 'ACTIVE' AND cart_id IS NOT NULL`,
    `CREATE INDEX reservations_due ON reservations (expires_at, tenant_id, id) WHERE status = 'ACTIVE'`,
    'CREATE INDEX reservations_by_status ON reservations (tenant_id, status, id)',
    'CREATE INDEX reservations_by_cart ON reservations (tenant_id, cart_id, id) WHERE cart_id IS NOT NULL',
    'CREATE INDEX reservations_by_order ON reservations (tenant_id, order_id, id) WHERE order_id IS NOT NULL',
    `CREATE TABLE reservation_places (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      reservation_id ${text} NOT NULL,
      PRIMARY KEY (tenant_id, location_id, reservation_id)
    ) ${clustered}`,
  ];
}

function platform({ text, integer, position, plain }: Dialect): string[] {
  return [
    `CREATE TABLE idempotency_keys (
      tenant_id ${text} NOT NULL,
      client_id ${text} NOT NULL,
      key ${text} NOT NULL,
      fingerprint ${text} NOT NULL,
      status ${integer} NOT NULL,
      body ${text} NOT NULL,
      headers ${text} NOT NULL,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      version ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, client_id, key)
    ) ${plain}`,
    'CREATE INDEX idempotency_keys_expired ON idempotency_keys (expires_at)',
    `CREATE TABLE outbox_events (
      position ${position},
      tenant_id ${text} NOT NULL,
      event_id ${text} NOT NULL,
      type ${text} NOT NULL,
      version ${integer} NOT NULL,
      subject ${text} NOT NULL,
      subject_version ${integer} NOT NULL,
      location_id ${text},
      payload ${text} NOT NULL,
      occurred_at ${integer} NOT NULL,
      correlation_id ${text} NOT NULL,
      causation_id ${text},
      traceparent ${text}
    ) ${plain}`,
    // Of reservations only, whose ids rise: the index grows at its end. What happened to stock is in the ledger.
    `CREATE INDEX outbox_events_of_reservations ON outbox_events (tenant_id, subject, position)
      WHERE location_id IS NULL`,
  ];
}
