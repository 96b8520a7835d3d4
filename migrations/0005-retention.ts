import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** How far the purge of what has been kept long enough has come, and what finds the reservations that are due to it. */
export class Retention0005 implements MigrationInterface {
  readonly name = 'Retention0000000000005';

  async up(runner: QueryRunner): Promise<void> {
    const { text, integer, clustered } = dialectOf(runner);
    await runner.query(`CREATE TABLE retention_marks (
      tenant_id ${text} NOT NULL,
      name ${text} NOT NULL,
      value ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, name)
    ) ${clustered}`);
    // As reservations_due: by time first, because one job serves all tenants. An ended reservation does not change any
    // more, so the index grows at its end.
    await runner.query(`CREATE INDEX reservations_ended ON reservations (updated_at, tenant_id, id)
      WHERE status IN ('FULFILLED', 'CANCELLED', 'EXPIRED')`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
