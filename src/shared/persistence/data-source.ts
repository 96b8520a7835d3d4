import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { type Pool, types as pgTypes } from 'pg';
import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm';
import { MIGRATIONS } from '../../../migrations/index.ts';
import type { Settings } from '../settings.ts';
import type { Engine } from './engine/engine.ts';
import { POSTGRES_WRITER_SETTINGS, PostgresEngine } from './engine/postgres.ts';
import { SQLITE_WRITER_PRAGMAS, SqliteEngine } from './engine/sqlite.ts';
import { Checkpoints } from './engine/sqlite-checkpoints.ts';
import { tellPlanner } from './engine/sqlite-statistics.ts';
import { Reader } from './reader.ts';
import type { Table } from './table.ts';

/** One writer, and a reader of its own connection: a read must never see what a batch has not committed. */
export interface Databases {
  readonly engine: Engine;
  readonly reader: Reader;
}

/** In order, forward only. */
export type Migrations = readonly (new () => MigrationInterface)[];

/** What TypeORM has to know of the tables and of how they come about. */
interface Schema {
  readonly entities: EntitySchema[];
  readonly migrations: (new () => MigrationInterface)[];
  readonly migrationsTableName: string;
}

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
  };
}

/** Advisory lock of those who migrate: two servers may start at the same moment. */
const MIGRATION_LOCK = 2_305_843_009;

async function openPostgres(settings: Settings, schema: Schema, tables: readonly Table[]): Promise<Databases> {
  const writer = postgresDataSource(settings, schema, 2, POSTGRES_WRITER_SETTINGS);
  await writer.initialize();
  const pool = poolOf(writer);
  const lock = await pool.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await writer.runMigrations({ transaction: 'each' });
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    lock.release();
  }
  const reader = postgresDataSource(settings, schema, settings.readerConnectionsMax, {
    default_transaction_read_only: 'on',
  });
  await reader.initialize();
  return {
    engine: new PostgresEngine(pool, () => writer.destroy()),
    reader: Reader.onPostgres(reader, poolOf(reader), tables),
  };
}

function postgresDataSource(
  settings: Settings,
  schema: Schema,
  connections: number,
  session: Readonly<Record<string, string>>,
): DataSource {
  const sessionSettings = {
    ...session,
    lock_timeout: String(settings.databaseBusyMaxMs),
    statement_timeout: String(settings.databaseStatementMaxMs),
    idle_in_transaction_session_timeout: String(settings.databaseStatementMaxMs),
  };
  return new DataSource({
    type: 'postgres',
    url: settings.databaseUrl,
    ...schema,
    applicationName: 'holdfast',
    poolSize: connections,
    connectTimeoutMS: settings.databaseBusyMaxMs,
    extra: {
      options: Object.entries(sessionSettings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
      // The server's own time-out does not help when the network swallows its answer.
      query_timeout: settings.databaseStatementMaxMs + 1_000,
      keepAlive: true,
      types: { getTypeParser: typeParser },
    },
    // A connection that breaks while it is idle is replaced by the next request; the batch that uses it says so.
    poolErrorHandler: () => undefined,
  });
}

/** 64-bit integers as numbers: every integer here is far below 2^53. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  return oid === pgTypes.builtins.INT8 ? Number : pgTypes.getTypeParser(oid, format);
}

function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}
