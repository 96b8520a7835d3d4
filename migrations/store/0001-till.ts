import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from '../dialect.ts';

/** What a store agent keeps: its shelf, what its tills recorded, and how far the centre knows of it. */
export class Till0001 implements MigrationInterface {
  readonly name = 'Till0000000000001';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    for (const statement of [...stream(dialect), ...shelf(dialect), ...keys(dialect)]) {
      await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

function stream({ text, integer, boolean, clustered, plain }: Dialect): string[] {
  return [
    `CREATE TABLE till_stream (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      epoch ${integer},
      base ${integer} NOT NULL CHECK (base >= 0),
      head ${integer} NOT NULL CHECK (head >= acknowledged),
      acknowledged ${integer} NOT NULL CHECK (acknowledged >= base),
      purged_through ${integer} NOT NULL CHECK (purged_through <= acknowledged),
      cursor ${text},
      settled ${boolean} NOT NULL,
      snapshot_wanted ${boolean} NOT NULL,
      round ${integer} NOT NULL CHECK (round >= 0),
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, location_id)
    ) ${clustered}`,
    `CREATE TABLE till_events (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      position ${integer} NOT NULL CHECK (position >= 1),
      type ${text} NOT NULL,
      sku ${text},
      data ${text} NOT NULL,
      reference ${text},
      delta ${integer} NOT NULL,
      awaits_cursor ${boolean} NOT NULL,
      occurred_at ${integer} NOT NULL,
      outcome ${text},
      code ${text},
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, id)
    ) ${plain}`,
    'CREATE UNIQUE INDEX till_events_in_order ON till_events (tenant_id, position)',
    'CREATE INDEX till_events_of_sku ON till_events (tenant_id, sku, position)',
    'CREATE INDEX till_events_awaiting ON till_events (tenant_id, position) WHERE awaits_cursor = 1',
    'CREATE INDEX till_events_not_taken ON till_events (tenant_id, sku) WHERE outcome IS NOT NULL',
    `CREATE TABLE till_pickups (
      tenant_id ${text} NOT NULL,
      reservation_id ${text} NOT NULL,
      event_id ${text} NOT NULL,
      position ${integer} NOT NULL CHECK (position >= 1),
      is_dead ${boolean} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, reservation_id)
    ) ${clustered}`,
  ];
}

function shelf({ text, integer, clustered }: Dialect): string[] {
  return [
    `CREATE TABLE shelf_items (
      tenant_id ${text} NOT NULL,
      sku ${text} NOT NULL,
      on_hand ${integer} NOT NULL,
      held ${integer} NOT NULL,
      committed ${integer} NOT NULL,
      safety_stock ${integer} NOT NULL,
      central_version ${integer} NOT NULL CHECK (central_version >= 0),
      round ${integer} NOT NULL CHECK (round >= 0),
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, sku)
    ) ${clustered}`,
    // What the last snapshot did not have is found by its round.
    'CREATE INDEX shelf_items_by_round ON shelf_items (tenant_id, round, sku)',
    `CREATE TABLE shelf_holds (
      tenant_id ${text} NOT NULL,
      sku ${text} NOT NULL,
      hold_id ${text} NOT NULL,
      held ${integer} NOT NULL CHECK (held >= 0),
      committed ${integer} NOT NULL CHECK (committed >= 0),
      taken ${integer} NOT NULL CHECK (taken >= 0),
      expires_at ${integer},
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, sku, hold_id)
    ) ${clustered}`,
    'CREATE INDEX shelf_holds_by_hold ON shelf_holds (tenant_id, hold_id, sku)',
  ];
}

/** As the centre has it. */
function keys({ text, integer, plain }: Dialect): string[] {
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
    'CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at)',
  ];
}
