import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** Who decided it: the centre (null), or a store that reports what happened there. */
export class Origins0007 implements MigrationInterface {
  readonly name = 'Origins0000000000007';

  async up(runner: QueryRunner): Promise<void> {
    const { text } = dialectOf(runner);
    for (const table of ['movements', 'outbox_events']) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN origin ${text}`);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
