import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** Who did it: the ledger and the event log also name the caller within the tenant, not only the request. */
export class Callers0004 implements MigrationInterface {
  readonly name = 'Callers0000000000004';

  async up(runner: QueryRunner): Promise<void> {
    const { text } = dialectOf(runner);
    for (const table of ['movements', 'outbox_events']) {
      // The default is for rows from before; every new row names its caller.
      await runner.query(`ALTER TABLE ${table} ADD COLUMN client_id ${text} NOT NULL DEFAULT 'unknown'`);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
