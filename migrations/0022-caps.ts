import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';
import { behindTenantWall } from './tenant-wall.ts';

/** What a client holds in all, for its caps, and how often a reservation was renewed. */
export class Caps0022 implements MigrationInterface {
  readonly name = 'Caps0000000000022';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    const { text, integer, boolean, clustered } = dialect;
    await runner.query(`ALTER TABLE reservations ADD COLUMN renewals ${integer} NOT NULL DEFAULT 0`);
    // What was held before there were caps is in no tally, so nothing is subtracted when it ends.
    await runner.query(`ALTER TABLE reservations ADD COLUMN tallied ${boolean} NOT NULL DEFAULT FALSE`);
    await runner.query(`CREATE TABLE client_tallies (
      tenant_id ${text} NOT NULL,
      client_id ${text} NOT NULL,
      reservations ${integer} NOT NULL CHECK (reservations >= 0),
      units ${integer} NOT NULL CHECK (units >= 0),
      version ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, client_id)
    ) ${clustered}`);
    for (const statement of behindTenantWall(dialect, 'client_tallies')) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
