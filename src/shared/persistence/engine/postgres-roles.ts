import { setTimeout as pause } from 'node:timers/promises';
import { type ClientBase, DatabaseError, escapeIdentifier } from 'pg';

/**
 * Who keeps the second wall between tenants on PostgreSQL (docs/decisions/0034):
 * - `login`: the role of DATABASE_URL can neither pass over the policies nor take them down,
 * - `role`: it could, so every connection works as DATABASE_ROLE, which cannot,
 * - `owner`: it owns the tables; the policies apply to it, too, but it could take them down,
 * - `nobody`: it passes over them, and may not become a role that does not,
 * - `program`: on SQLite, where there is only the first wall.
 */
export const WALL_KEEPERS = ['login', 'role', 'owner', 'nobody', 'program'] as const;
export type WallKeeper = (typeof WALL_KEEPERS)[number];

/** As whom the server works on the database. */
export interface ServingRole {
  readonly keeper: WallKeeper;
  /** What every connection is turned into; null: it stays the role that has logged in. */
  readonly role: string | null;
  /** The role that has logged in. */
  readonly login: string;
  /** Tables with tenants that are not behind the wall; for a program whose migrations have forgotten one. */
  readonly unguarded: readonly string[];
}

interface Facts {
  readonly login: string;
  /** A superuser, or with BYPASSRLS: policies do not apply to it. */
  readonly bypasses: boolean;
  readonly isSuperuser: boolean;
  readonly owns: boolean;
  readonly makesRoles: boolean;
}

interface RoleFacts {
  /** Whether it could pass over the policies, or take them down. */
  readonly unfit: boolean;
  /** Whether the login may become it; from PostgreSQL 16 on, a member may be one that may not. */
  readonly isMember: boolean;
}

/** All tables of tenants of this database. */
const TENANT_TABLES = `SELECT c.oid, c.relname, c.relowner, c.relrowsecurity AND c.relforcerowsecurity
    AND EXISTS (SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid) AS guarded
  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')`;

const FACTS = `SELECT current_user AS "login", r.rolsuper OR r.rolbypassrls AS "bypasses", r.rolsuper AS "isSuperuser",
    r.rolsuper OR r.rolcreaterole AS "makesRoles",
    EXISTS (SELECT 1 FROM (${TENANT_TABLES}) AS t WHERE pg_has_role(current_user, t.relowner, 'MEMBER')) AS "owns"
  FROM pg_roles AS r WHERE r.rolname = current_user`;

const ROLE_FACTS = `SELECT r.rolsuper OR r.rolbypassrls
      OR EXISTS (SELECT 1 FROM (${TENANT_TABLES}) AS t WHERE pg_has_role(r.oid, t.relowner, 'MEMBER')) AS "unfit",
    pg_has_role(current_user, r.oid, CASE WHEN current_setting('server_version_num')::int < 160000
      THEN 'MEMBER' ELSE 'SET' END) AS "isMember"
  FROM pg_roles AS r WHERE r.rolname = $1`;

const UNGUARDED = `SELECT relname AS "name" FROM (${TENANT_TABLES}) AS t WHERE NOT guarded ORDER BY relname`;

/** The tables of which the role may not yet do everything that the program does. */
const NOT_GRANTED = `SELECT quote_ident(relname) AS "name" FROM (${TENANT_TABLES}) AS t
  WHERE NOT (has_table_privilege($1, t.oid, 'SELECT') AND has_table_privilege($1, t.oid, 'INSERT')
    AND has_table_privilege($1, t.oid, 'UPDATE') AND has_table_privilege($1, t.oid, 'DELETE'))
  ORDER BY relname`;

/**
 * Finds the role that the server is to work as, makes it where it is missing and may be made, and gives it what it needs.
 * Called when the migrations are done, under their lock.
 * @param migrator a connection of the role that has migrated
 * @param login one of the role that the server logs in with; the same where one role does both
 * @param wanted the setting DATABASE_ROLE
 * @throws Error when `wanted` is there and could itself pass over the policies
 */
export async function findServingRole(migrator: ClientBase, login: ClientBase, wanted: string): Promise<ServingRole> {
  const facts = await one<Facts>(login, FACTS);
  const unguarded = (await login.query<{ name: string }>(UNGUARDED)).rows.map(({ name }) => name);
  const known = { login: facts.login, unguarded };
  // Who makes roles could make itself a member of the owner.
  if (!facts.bypasses && !facts.owns && !facts.makesRoles) {
    await grantTo(facts.login, migrator);
    return { ...known, keeper: 'login', role: null };
  }
  if (await canBecome(wanted, facts, login, migrator)) {
    await grantTo(wanted, migrator);
    return { ...known, keeper: 'role', role: wanted };
  }
  return { ...known, keeper: facts.bypasses ? 'nobody' : 'owner', role: null };
}

async function canBecome(wanted: string, facts: Facts, login: ClientBase, migrator: ClientBase): Promise<boolean> {
  const makers = facts.makesRoles ? [login] : [];
  if (!facts.makesRoles && (await one<Facts>(migrator, FACTS)).makesRoles) makers.push(migrator);
  const role = escapeIdentifier(wanted);
  if ((await factsOf(wanted, login)) === undefined) {
    for (const maker of makers) await attempt(maker, `CREATE ROLE ${role} NOLOGIN NOBYPASSRLS`);
  }
  const known = await factsOf(wanted, login);
  if (known === undefined) return false;
  if (!facts.isSuperuser && !known.isMember) {
    for (const maker of makers) await attempt(maker, `GRANT ${role} TO ${escapeIdentifier(facts.login)}`);
    if ((await factsOf(wanted, login))?.isMember !== true) return false;
  }
  if (!known.unfit) return true;
  throw new Error(`DATABASE_ROLE is ${wanted}, which could itself pass over row-level security, or owns the tables`);
}

async function factsOf(role: string, client: ClientBase): Promise<RoleFacts | undefined> {
  return (await client.query<RoleFacts>(ROLE_FACTS, [role])).rows[0];
}

/** Neither TRUNCATE nor REFERENCES: policies do not apply to them. Nothing is sent when nothing is missing. */
async function grantTo(role: string, migrator: ClientBase): Promise<void> {
  const { rows } = await migrator.query<{ name: string }>(NOT_GRANTED, [role]);
  if (rows.length === 0) return;
  const grantee = escapeIdentifier(role);
  const tables = rows.map(({ name }) => name).join(', ');
  await migrator.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables} TO ${grantee}`);
  // So that a server whose role may not migrate sees that nothing is left to migrate.
  await migrator.query(`GRANT SELECT ON schema_migrations TO ${grantee}`);
  const { rows: schema } = await migrator.query<{ usable: boolean; name: string }>(
    `SELECT has_schema_privilege($1, current_schema(), 'USAGE') AS "usable", quote_ident(current_schema()) AS "name"`,
    [role],
  );
  if (schema[0]?.usable === false) await migrator.query(`GRANT USAGE ON SCHEMA ${schema[0].name} TO ${grantee}`);
}

const ROLE_ATTEMPTS_MAX = 10;
const ROLE_PAUSE_MS = 50;

/** unique_violation, duplicate_object, tuple concurrently updated: another server of the cluster was at it, too. */
const RACES = new Set(['23505', '42710', 'XX000']);
const INSUFFICIENT_PRIVILEGE = '42501';

/** Roles belong to the cluster, so that servers of other databases may be making the same one at this moment. */
async function attempt(client: ClientBase, statement: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      const state = error instanceof DatabaseError ? error.code : undefined;
      if (state === '42710' || state === INSUFFICIENT_PRIVILEGE) return;
      if (state === undefined || !RACES.has(state) || tries >= ROLE_ATTEMPTS_MAX) throw error;
      await pause(ROLE_PAUSE_MS);
    }
  }
}

async function one<Row extends object>(client: ClientBase, sql: string): Promise<Row> {
  const { rows } = await client.query<Row>(sql);
  if (rows[0] === undefined) throw new Error('Bug: the role of a connection is not among the roles');
  return rows[0];
}
