import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** The PostgreSQL server for tests; its role has to be a superuser. It makes databases and looks into them, and serves none. */
export const POSTGRES_TEST_URL = process.env['TEST_POSTGRES_URL'] ?? 'postgres://root@127.0.0.1:5432/test';

export const ENGINES = ['sqlite', 'postgres'] as const;
export type Engine = (typeof ENGINES)[number];

/** How long a server may take to answer before it counts as absent. */
const PROBE_TIMEOUT_MS = 5_000;

/** Set once before the first test (see the default export) and inherited by Jest's workers. */
const PROBE_RESULT = 'HOLDFAST_TEST_POSTGRES';

/** The password of {@link ownerRole}, set with the above. */
const OWNER_PASSWORD = 'HOLDFAST_TEST_PASSWORD';

/** The first part of the names of this run's databases, set with the above: several runs may share one server. */
const DATABASE_PREFIX = 'HOLDFAST_TEST_DATABASES';

/** Whether the PostgreSQL server for tests answers a query now. */
export async function postgresIsThere(): Promise<boolean> {
  const client = new pg.Client({ connectionString: POSTGRES_TEST_URL, connectionTimeoutMillis: PROBE_TIMEOUT_MS });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Jest's `globalSetup`: looks for services once, so that suites can be registered (or skipped) without waiting.
 * @throws Error with CI=true and no PostgreSQL: there, a skipped suite would pass for a proof.
 */
export default async function findServices(): Promise<void> {
  const there = await postgresIsThere();
  if (!there && process.env['CI'] === 'true') {
    throw new Error(`CI=true, but no PostgreSQL answers at ${withoutPassword(POSTGRES_TEST_URL)}`);
  }
  process.env[PROBE_RESULT] = there ? 'there' : 'absent';
  process.env[DATABASE_PREFIX] = `holdfast_test_${randomBytes(6).toString('hex')}_`;
  process.env[OWNER_PASSWORD] = randomBytes(16).toString('hex');
  if (there) await onServer(POSTGRES_TEST_URL, `CREATE ROLE ${ownerRole()} LOGIN PASSWORD '${ownerPassword()}'`);
}

/**
 * Who owns the databases of this run, and serves them unless a suite says otherwise: no superuser, so that the wall between
 * tenants stands in every suite (docs/decisions/0034).
 */
export function ownerRole(): string {
  return `${testDatabasePrefix()}owner`;
}

/** The database as a role sees it. @param role without one, the superuser, who sees all tenants */
export function postgresUrl(database: string, role?: { readonly name: string; readonly password: string }): string {
  const url = new URL(POSTGRES_TEST_URL);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role.name;
    url.password = role.password;
  }
  return url.href;
}

/** The same database, past the wall: for what a suite brings about or looks into past the server. */
export function superuserUrl(databaseUrl: string): string {
  return postgresUrl(new URL(databaseUrl).pathname.slice(1));
}

export function ownerPassword(): string {
  return process.env[OWNER_PASSWORD] ?? '';
}

/** One statement on a connection of its own. @returns the rows that it gave */
export async function onServer(url: string, statement: string, values: readonly string[] = []): Promise<object[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(statement, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** What the names of all databases of this run begin with; each may be dropped once the run is over. */
export function testDatabasePrefix(): string {
  const prefix = process.env[DATABASE_PREFIX];
  if (prefix === undefined) throw new Error("Jest's globalSetup has not run");
  return prefix;
}

/** A suite that needs PostgreSQL: it runs when the server answers, else it is skipped and its name says why. */
export function describeOnPostgres(name: string, suite: () => void): void {
  if (process.env[PROBE_RESULT] === 'there') {
    describe(`${name} (PostgreSQL)`, suite);
  } else {
    describe.skip(`${name} (skipped: no PostgreSQL at ${withoutPassword(POSTGRES_TEST_URL)})`, suite);
  }
}

/** One suite that has to hold on both engines; PostgreSQL's part as in {@link describeOnPostgres}. */
export function describeOnBothEngines(name: string, suite: (engine: Engine) => void): void {
  describe(`${name} (SQLite)`, () => {
    suite('sqlite');
  });
  describeOnPostgres(name, () => {
    suite('postgres');
  });
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}
