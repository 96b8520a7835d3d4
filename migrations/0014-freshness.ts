import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';

/** How long ago a location was heard from, and how carefully its stock is sold when that is long ago. */
export class Freshness0014 implements MigrationInterface {
  readonly name = 'Freshness0000000000014';

  async up(runner: QueryRunner): Promise<void> {
    const { text, integer, clustered } = dialectOf(runner);
    const policy = `
      stale_after_seconds ${integer} NOT NULL CHECK (stale_after_seconds >= 1),
      silent_after_seconds ${integer} NOT NULL CHECK (silent_after_seconds >= stale_after_seconds),
      stale_caution_percent ${integer} NOT NULL CHECK (stale_caution_percent BETWEEN 0 AND 100),
      silent_caution_percent ${integer} NOT NULL CHECK (silent_caution_percent BETWEEN 0 AND 100),`;
    // Of inventory. Apart from the locations themselves, because it changes with every push and they hardly ever do.
    await runner.query(`CREATE TABLE location_freshness (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      last_sequence ${integer} CHECK (last_sequence >= 0),
      as_of ${integer},
      last_contact_at ${integer},
      ${policy}
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, location_id),
      CHECK (last_sequence IS NULL OR last_contact_at IS NOT NULL)
    ) ${clustered}`);
    // Of sync: what was ordered, with a version of its own for If-Match.
    await runner.query(`CREATE TABLE store_policies (
      tenant_id ${text} NOT NULL,
      location_id ${text} NOT NULL,
      ${policy}
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, location_id)
    ) ${clustered}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
