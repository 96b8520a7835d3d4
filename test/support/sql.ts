import Database from 'better-sqlite3';
import pg from 'pg';

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
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
