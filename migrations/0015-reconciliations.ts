import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** What comparing a store's balances with the centre's has found. */
export class Reconciliations0015 implements MigrationInterface {
  readonly name = 'Reconciliations0000000000015';

  async up(runner: QueryRunner): Promise<void> {
    const { text, integer, boolean, plain } = dialectOf(runner);
    await runner.query(`ALTER TABLE store_streams ADD COLUMN drift ${integer} NOT NULL DEFAULT 0`);
    await runner.query(`CREATE TABLE store_reconciliations (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      epoch ${integer} NOT NULL,
      sequence ${integer} NOT NULL,
      cursor ${text} NOT NULL,
      applied ${boolean} NOT NULL,
      differences ${text} NOT NULL,
      differences_total ${integer} NOT NULL CHECK (differences_total >= 0),
      drift ${integer} NOT NULL CHECK (drift >= 0),
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, id)
    ) ${plain}`);
    await runner.query(`CREATE INDEX store_reconciliations_of_store
      ON store_reconciliations (tenant_id, location_id, id)`);
    await runner.query('CREATE INDEX store_reconciliations_expiry ON store_reconciliations (expires_at)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
