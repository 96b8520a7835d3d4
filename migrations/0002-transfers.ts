import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from './dialect.ts';

/** Transfers between locations. Their units are in the stock items and the ledger. */
export class Transfers0002 implements MigrationInterface {
  readonly name = 'Transfers0000000000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of transfers(dialectOf(runner))) {
      await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

function transfers({ text, integer, clustered }: Dialect): string[] {
  return [
    `CREATE TABLE transfers (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      sku ${text} NOT NULL,
      from_location_id ${text} NOT NULL,
      to_location_id ${text} NOT NULL,
      quantity ${integer} NOT NULL CHECK (quantity >= 1),
      received ${integer} CHECK (received BETWEEN 0 AND quantity),
      status ${text} NOT NULL CHECK (status IN ('IN_TRANSIT', 'RECEIVED', 'CANCELLED')),
      reason ${text},
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, id),
      CHECK (from_location_id <> to_location_id),
      CHECK ((status = 'RECEIVED') = (received IS NOT NULL))
    ) ${clustered}`,
    'CREATE INDEX transfers_by_status ON transfers (tenant_id, status, id)',
    'CREATE INDEX transfers_by_sku ON transfers (tenant_id, sku, id)',
    'CREATE INDEX transfers_by_source ON transfers (tenant_id, from_location_id, id)',
    'CREATE INDEX transfers_by_target ON transfers (tenant_id, to_location_id, id)',
    // What a store waits for is asked for often, and is few of all that ever came.
    `CREATE INDEX transfers_on_the_way_from ON transfers (tenant_id, from_location_id, id) WHERE status = 'IN_TRANSIT'`,
    `CREATE INDEX transfers_on_the_way_to ON transfers (tenant_id, to_location_id, id) WHERE status = 'IN_TRANSIT'`,
  ];
}
