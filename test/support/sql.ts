import Database from 'better-sqlite3';
import pg from 'pg';
import { superuserUrl } from './services.ts';

const SQLITE_PREFIX = 'sqlite:';

/** Looks into a server's database past the server, for what no route shows. */
export async function rowsOf<Row extends object>(databaseUrl: string, sql: string): Promise<Row[]> {
  if (databaseUrl.startsWith(SQLITE_PREFIX)) {
    const database = new Database(databaseUrl.slice(SQLITE_PREFIX.length), { readonly: true });
    try {
      return database.prepare(sql).all() as Row[];
    } finally {
      database.close();
    }
  }
  const client = new pg.Client({ connectionString: superuserUrl(databaseUrl) });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Brings about past the server what no test could wait for. */
export async function change(databaseUrl: string, sql: string): Promise<void> {
  if (databaseUrl.startsWith(SQLITE_PREFIX)) {
    const database = new Database(databaseUrl.slice(SQLITE_PREFIX.length));
    database.exec(sql);
    database.close();
  } else {
    await rowsOf(databaseUrl, sql);
  }
}

/**
 * Keeps a server from writing stock and how fresh it is, as a backup or a long migration might; reading goes on.
 * @returns what ends it
 */
export async function blockWriting(databaseUrl: string): Promise<() => Promise<void>> {
  if (databaseUrl.startsWith(SQLITE_PREFIX)) {
    const database = new Database(databaseUrl.slice(SQLITE_PREFIX.length));
    database.exec('BEGIN IMMEDIATE');
    return () => {
      database.close();
      return Promise.resolve();
    };
  }
  const client = new pg.Client({ connectionString: superuserUrl(databaseUrl) });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE stock_items, location_freshness IN EXCLUSIVE MODE');
  return () => client.end();
}
