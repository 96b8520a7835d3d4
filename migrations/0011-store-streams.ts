import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from './dialect.ts';

/** What stores report: each store's stream, the events that came in it, and those that contradict each other. */
export class StoreStreams0011 implements MigrationInterface {
  readonly name = 'StoreStreams0000000000011';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    for (const statement of [...streams(dialect), ...placesOfMovements(dialect)]) {
      await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

function streams({ text, integer, clustered, plain }: Dialect): string[] {
  return [
    `CREATE TABLE store_streams (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      epoch ${integer} NOT NULL CHECK (epoch >= 1),
      next_sequence ${integer} NOT NULL CHECK (next_sequence >= 1),
      highest ${integer} NOT NULL CHECK (highest >= next_sequence - 1),
      holes ${text} NOT NULL,
      parked ${integer} NOT NULL CHECK (parked >= 0),
      to_end ${integer} NOT NULL CHECK (to_end >= 0),
      conflicts ${integer} NOT NULL CHECK (conflicts >= 0),
      opened_at ${integer} NOT NULL,
      last_contact_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, location_id)
    ) ${clustered}`,
    // One row for each number that is used up or waits, in the order in which they come.
    `CREATE TABLE store_events (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      epoch ${integer} NOT NULL CHECK (epoch >= 1),
      sequence ${integer} NOT NULL CHECK (sequence >= 1),
      event_id ${text} NOT NULL,
      content_hash ${text} NOT NULL,
      status ${text} NOT NULL CHECK (status IN ('APPLIED', 'DEAD', 'DISCARDED', 'PARKED', 'ENDED', 'SPENT')),
      content ${text},
      received_at ${integer} NOT NULL,
      expires_at ${integer},
      PRIMARY KEY (tenant_id, location_id, epoch, sequence)
    ) ${clustered}`,
    // An event has one row of its own, whatever numbers it was sent under.
    `CREATE UNIQUE INDEX store_events_by_id ON store_events (tenant_id, location_id, event_id)
      WHERE status <> 'SPENT'`,
    'CREATE INDEX store_events_expiry ON store_events (expires_at)',
    // Few wait at a time; what an earlier epoch left is found among them.
    `CREATE INDEX store_events_parked ON store_events (tenant_id, location_id, epoch, sequence)
      WHERE status = 'PARKED'`,
    `CREATE TABLE store_conflicts (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      id ${text} NOT NULL,
      event_id ${text} NOT NULL,
      epoch ${integer} NOT NULL,
      sequence ${integer} NOT NULL,
      contradicts ${text} NOT NULL CHECK (contradicts IN ('ID', 'SEQUENCE')),
      content ${text} NOT NULL,
      received_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, location_id, id)
    ) ${plain}`,
    'CREATE INDEX store_conflicts_in_order ON store_conflicts (tenant_id, location_id, received_at, id)',
    'CREATE INDEX store_conflicts_expiry ON store_conflicts (expires_at)',
  ];
}

function placesOfMovements({ integer }: Dialect): string[] {
  return [
    `ALTER TABLE movements ADD COLUMN origin_epoch ${integer}`,
    `ALTER TABLE movements ADD COLUMN origin_sequence ${integer}`,
    // What a store has reported after a place in its stream, over all its items.
    `CREATE INDEX movements_of_store ON movements (tenant_id, origin, origin_epoch, origin_sequence)
      WHERE origin IS NOT NULL`,
    // What the centre has moved of an item behind a position of the log: a count cannot have seen it.
    `CREATE INDEX outbox_events_central_moves ON outbox_events (tenant_id, subject, position)
      WHERE type = 'inventory.stock.moved' AND origin IS NULL`,
  ];
}
