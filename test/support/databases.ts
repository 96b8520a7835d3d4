import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Engine,
  onServer,
  ownerPassword,
  ownerRole,
  POSTGRES_TEST_URL,
  postgresUrl,
  testDatabasePrefix,
} from './services.ts';

/** An empty database of a test's own. */
export interface FreshDatabase {
  /** As DATABASE_URL takes it: `sqlite:<path>` or `postgres://…`, as a role that owns the database and is no superuser. */
  readonly url: string;
  /** Removes it, although connections may still be open. A second call does nothing. */
  drop(): Promise<void>;
}

/** Linux's RAM disk. Commits wait for the same fsync there, which has less to do: 0.01 ms instead of 2. */
const RAM_DISK = '/dev/shm';

/**
 * Nothing is migrated yet; no two calls share anything, so suites can run side by side.
 * @param where SQLite only: on a RAM disk, where there is one, unless the suite is about what a disk keeps
 */
export function freshDatabase(engine: Engine, where: 'RAM' | 'disk' = 'RAM'): Promise<FreshDatabase> {
  return engine === 'sqlite' ? freshSqlite(where) : freshPostgres();
}

async function freshSqlite(where: 'RAM' | 'disk'): Promise<FreshDatabase> {
  const parent = where === 'RAM' && existsSync(RAM_DISK) ? RAM_DISK : tmpdir();
  const folder = await mkdtemp(join(parent, 'holdfast-test-'));
  return {
    url: `sqlite:${join(folder, 'holdfast.sqlite')}`,
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Numbers of the databases that this file's suites have in use. */
const taken = new Set<number>();

/**
 * Making and dropping a database takes PostgreSQL about a second, emptying one a few milliseconds. So each of Jest's
 * workers, which runs one file at a time, empties and uses again what its earlier files have left; services.ts drops
 * them all at the end of the run.
 */
async function freshPostgres(): Promise<FreshDatabase> {
  let number = 0;
  while (taken.has(number)) number += 1;
  taken.add(number);
  const name = `${testDatabasePrefix()}${process.env['JEST_WORKER_ID'] ?? 0}_${number}`;
  const owner = ownerRole();

  const known = await onServer(POSTGRES_TEST_URL, 'SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (known.length === 0) {
    await onServer(POSTGRES_TEST_URL, `CREATE DATABASE ${name} OWNER ${owner}`);
  } else {
    await disconnectAll(name);
    await onServer(postgresUrl(name), 'DROP SCHEMA public CASCADE');
    await onServer(postgresUrl(name), `CREATE SCHEMA public AUTHORIZATION ${owner}`);
    // As in a database that was made anew.
    await onServer(postgresUrl(name), 'GRANT USAGE ON SCHEMA public TO PUBLIC');
  }
  return {
    url: postgresUrl(name, { name: owner, password: ownerPassword() }),
    drop: async () => {
      await disconnectAll(name);
      taken.delete(number);
    },
  };
}

async function disconnectAll(database: string): Promise<void> {
  await onServer(POSTGRES_TEST_URL, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    database,
  ]);
}
