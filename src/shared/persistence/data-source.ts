import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { DataSource, type EntitySchema } from 'typeorm';
import { MIGRATIONS } from '../../../migrations/index.ts';
import type { Settings } from '../settings.ts';
import type { Databases, Migrations, Schema } from './databases.ts';
import { SQLITE_WRITER_PRAGMAS, SqliteEngine } from './engine/sqlite.ts';
import { Checkpoints } from './engine/sqlite-checkpoints.ts';
import { tellPlanner } from './engine/sqlite-statistics.ts';
import { openPostgres } from './open-postgres.ts';
import { Reader } from './reader.ts';
import type { Table } from './table.ts';

/**
 * Opens the database of the settings, creates what is missing and runs the migrations.
 * @param migrations the centre's, unless the database is another program's
 */
export function openDatabases(
  settings: Settings,
  tables: readonly Table[],
  migrations: Migrations = MIGRATIONS,
): Promise<Databases> {
  const schema: Schema = {
    entities: tables.map((table) => table.schema as EntitySchema),
    migrations: [...migrations],
    migrationsTableName: 'schema_migrations',
  };
  return settings.databaseEngine === 'sqlite'
    ? openSqlite(settings, schema, tables)
    : openPostgres(settings, schema, tables);
}

/** Rows of one prepared statement per SQL text; there are fewer than a hundred. */
const STATEMENT_CACHE_SIZE = 200;
/** A WAL reader waits only for a recovery or a checkpoint that restarts the log, in milliseconds. */
const SQLITE_READER_WAIT_MS = 1_000;

async function openSqlite(settings: Settings, schema: Schema, tables: readonly Table[]): Promise<Databases> {
  const file = path.resolve(settings.sqlitePath ?? '');
  mkdirSync(path.dirname(file), { recursive: true });
  const writer = new DataSource({
    type: 'better-sqlite3',
    database: file,
    ...schema,
    statementCacheSize: STATEMENT_CACHE_SIZE,
    // Another process may be starting on the same file: let it finish; only the write path must never wait like this.
    timeout: settings.databaseBusyMaxMs,
  });
  await writer.initialize();
  const runner = writer.createQueryRunner();
  const connection = (await runner.connect()) as Database.Database;
  connection.pragma('journal_mode = WAL');
  await writer.runMigrations({ transaction: 'each' });
  tellPlanner(connection);
  SQLITE_WRITER_PRAGMAS.forEach((pragma) => connection.pragma(pragma));
  // What a crash left in the log may never have reached the disk: after a sync that failed, the system's memory shows it
  // all the same. Copied into the file and synced anew, it is there before anybody is answered by it.
  connection.pragma('wal_checkpoint(PASSIVE)');
  const reader = new DataSource({
    type: 'better-sqlite3',
    database: file,
    readonly: true,
    fileMustExist: true,
    entities: schema.entities,
    statementCacheSize: STATEMENT_CACHE_SIZE,
    timeout: SQLITE_READER_WAIT_MS,
  });
  await reader.initialize();
  const readerConnection = (await reader.createQueryRunner().connect()) as Database.Database;
  return {
    engine: new SqliteEngine(connection, settings.databaseBusyMaxMs, new Checkpoints(file), () => writer.destroy()),
    reader: Reader.onSqlite(reader, readerConnection, tables),
    wallKeeper: 'program',
  };
}
