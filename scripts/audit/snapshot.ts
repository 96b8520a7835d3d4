import Database from 'better-sqlite3';
import { Client } from 'pg';

/** One state of the database, past the server: all of its reads see the same commit. */
export interface Snapshot {
  rows<Row extends object>(sql: string): Promise<Row[]>;
}

const SQLITE_PREFIX = 'sqlite:';
const SQLITE_WAIT_MS = 10_000;

/** @param databaseUrl as in the setting DATABASE_URL; a SQLite file has to exist */
export function withSnapshot<T>(databaseUrl: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return databaseUrl.startsWith(SQLITE_PREFIX)
    ? onSqlite(databaseUrl.slice(SQLITE_PREFIX.length), work)
    : onPostgres(databaseUrl, work);
}

async function onSqlite<T>(file: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const database = new Database(file, { readonly: true, timeout: SQLITE_WAIT_MS });
  try {
    database.exec('BEGIN');
    return await work({ rows: (sql) => Promise.resolve(database.prepare(sql).all() as never) });
  } finally {
    database.close();
  }
}

async function onPostgres<T>(connectionString: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  // Sums of big integers are numerics, which pg gives as texts; all of ours are far below 2^53.
  const client = new Client({ connectionString, types: { getTypeParser: numbersAsNumbers } });
  await client.connect();
  try {
    // Behind the wall between tenants (docs/decisions/0034) there are no rows without it.
    await client.query("SELECT set_config('holdfast.tenant', 'all tenants', false)");
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await work({ rows: async (sql) => (await client.query(sql)).rows as never });
  } finally {
    await client.end();
  }
}

const INT8 = 20;
const NUMERIC = 1_700;
const BOOLEAN = 16;

function numbersAsNumbers(oid: number): (value: string) => unknown {
  if (oid === BOOLEAN) return (value) => value === 't';
  return oid === INT8 || oid === NUMERIC || oid === 23 || oid === 21 ? Number : (value) => value;
}
