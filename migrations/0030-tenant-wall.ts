import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf } from './dialect.ts';
import { behindTenantWall } from './tenant-wall.ts';

/** Every table of tenants, and whether its rows are purged by age: then it has an index on nothing but `expires_at`. */
const TABLES = `
  SELECT c.relname AS "name", c.relname = 'outbox_events' OR EXISTS (
    SELECT 1 FROM pg_index AS i JOIN pg_attribute AS e ON e.attrelid = c.oid AND e.attname = 'expires_at'
    WHERE i.indrelid = c.oid AND i.indnatts = 1 AND i.indkey[0] = e.attnum) AS "purgedByAge"
  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relforcerowsecurity
  ORDER BY c.relname`;

/** Puts the tables that there are behind the wall; a migration after this one does it for its own. */
export class TenantWall0030 implements MigrationInterface {
  readonly name = 'TenantWall0000000000030';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    if (!dialect.hasTenantWall) return;
    const tables = (await runner.query(TABLES)) as { name: string; purgedByAge: boolean }[];
    for (const { name, purgedByAge } of tables) {
      for (const statement of behindTenantWall(dialect, name, purgedByAge)) await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}
