import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Engine, POSTGRES_TEST_URL } from './services.ts';

/** An empty database of a test's own. */
export interface FreshDatabase {
  /** As DATABASE_URL takes it: `sqlite:<path>` or `postgres://…`. */
  readonly url: string;
  /** Removes it, although connections may still be open. A second call does nothing. */
  drop(): Promise<void>;
}

/** Nothing is migrated yet; no two calls share anything, so suites can run side by side. */
export function freshDatabase(engine: Engine): Promise<FreshDatabase> {
  return engine === 'sqlite' ? freshSqlite() : freshPostgres();
}

async function freshSqlite(): Promise<FreshDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  return {
    url: `sqlite:${join(folder, 'holdfast.sqlite')}`,
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function freshPostgres(): Promise<FreshDatabase> {
  const name = `holdfast_test_${randomBytes(8).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(POSTGRES_TEST_URL);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES_TEST_URL });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
