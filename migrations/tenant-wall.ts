import type { QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from './dialect.ts';

/*
 * The second wall between tenants (docs/decisions/0034): PostgreSQL itself keeps each statement to the rows of the tenant
 * that the session setting names. Without a tenant there are no rows, and none can be written.
 */

/** The session setting that says whose rows a statement is about: the id of a tenant, or one of the two below. */
export const TENANT_SETTING = 'holdfast.tenant';
/** For what is about all tenants: reads, and writes nothing. No tenant's id has a space. */
export const ALL_TENANTS = 'all tenants';
/** The same, and may delete from the tables whose rows are purged by their age alone. */
export const ALL_TENANTS_PURGING = 'all tenants, purging';

/**
 * Puts a table behind the wall. Every migration that makes a table with `tenant_id` runs these statements behind its
 * CREATE TABLE; test/contract/tenant-wall.spec.ts fails for one that does not. SQLite has no such wall: nothing to run.
 * @param purgedByAge rows of all tenants are deleted together once they have expired (src/shared/housekeeping/kept.ts)
 */
export function behindTenantWall({ hasTenantWall }: Dialect, table: string, purgedByAge = false): string[] {
  if (!hasTenantWall) return [];
  const own = whose([]);
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    // Its owner, too: where one role migrates and serves, it owns the tables.
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant_select ON ${table} FOR SELECT USING (${whose([ALL_TENANTS, ALL_TENANTS_PURGING])})`,
    `CREATE POLICY tenant_insert ON ${table} FOR INSERT WITH CHECK (${own})`,
    `CREATE POLICY tenant_update ON ${table} FOR UPDATE USING (${own}) WITH CHECK (${own})`,
    `CREATE POLICY tenant_delete ON ${table} FOR DELETE USING (${purgedByAge ? whose([ALL_TENANTS_PURGING]) : own})`,
  ];
}

/**
 * Changes rows of all tenants in a migration. Where the role that migrates owns the tables and is no superuser, the wall
 * would keep them from it; so it is taken down for its owner, within the transaction of the migration and under a lock
 * that lets nobody else in meanwhile.
 */
export async function pastTenantWall(runner: QueryRunner, table: string, work: () => Promise<void>): Promise<void> {
  const { hasTenantWall } = dialectOf(runner);
  if (hasTenantWall) await runner.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
  await work();
  if (hasTenantWall) await runner.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
}

/**
 * CASE and not an equation: the planner must not take it for a condition to search by, because every statement has one
 * on `tenant_id` already, and two would count as half as many rows for each further tenant. The setting is read once for
 * each statement and not once for each row.
 */
function whose(besides: readonly string[]): string {
  const others = besides.map((value) => ` WHEN '${value}' THEN true`);
  return `CASE (SELECT current_setting('${TENANT_SETTING}', true)) WHEN tenant_id THEN true${others.join('')} ELSE false END`;
}
