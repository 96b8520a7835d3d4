import { Logger } from '@nestjs/common';
import { Pool, type PoolConfig, types as pgTypes } from 'pg';
import { DataSource } from 'typeorm';
import { type Settings, SettingsError } from '../settings.ts';
import type { Databases, Schema } from './databases.ts';
import { POSTGRES_WRITER_SETTINGS, PostgresEngine } from './engine/postgres.ts';
import { findServingRole, type ServingRole } from './engine/postgres-roles.ts';
import {
  ALL_TENANTS_SESSION,
  ignoreLostConnection,
  lend,
  TenantConnections,
  WallCheck,
} from './engine/postgres-tenants.ts';
import { Reader } from './reader.ts';
import type { Table } from './table.ts';

const logger = new Logger('Database');

/** Advisory lock of those who migrate: two servers may start at the same moment. */
const MIGRATION_LOCK = 2_305_843_009;
/** Migrations hold one connection for their lock and one for their work. */
const MIGRATOR_CONNECTIONS = 2;
/** One batch at a time, and a probe of readiness beside it. */
const WRITER_CONNECTIONS = 2;

type SessionSettings = Readonly<Record<string, string>>;

/** What a migration says to rows of tenants must not be lost on them: where policies would hide some, it fails. */
const MIGRATOR_SETTINGS: SessionSettings = { row_security: 'off' };
const READER_SETTINGS: SessionSettings = { default_transaction_read_only: 'on' };

/** @throws SettingsError when tenants would share the database with no second wall between them */
export async function openPostgres(settings: Settings, schema: Schema, tables: readonly Table[]): Promise<Databases> {
  const serving = await migrate(settings, schema);
  assertWall(serving, settings, tables);
  const role: SessionSettings = serving.role === null ? {} : { role: serving.role };
  const wall = new WallCheck(serving.keeper !== 'nobody');
  const writer = poolOf(settings, WRITER_CONNECTIONS, { ...POSTGRES_WRITER_SETTINGS, ...role });
  const readers = dataSourceOf(settings, settings.databaseUrl, schema, settings.readerConnectionsMax, {
    ...READER_SETTINGS,
    ...role,
  });
  await readers.initialize();
  // Rather no server than one that answers 503 until somebody finds out why.
  await lend(writer, (client) => wall.look(client)).catch(async (error: unknown) => {
    await Promise.all([writer.end(), readers.destroy()]);
    throw error;
  });
  const allTenants = poolOf(settings, connectionsAcross(settings), {
    ...READER_SETTINGS,
    ...ALL_TENANTS_SESSION,
    ...role,
  });
  const connections = new TenantConnections((readers.driver as unknown as { master: Pool }).master, wall);
  return {
    engine: new PostgresEngine(writer, wall),
    reader: Reader.onPostgres(readers, connections, { pool: allTenants, wall }, tables),
    wallKeeper: serving.keeper,
  };
}

/** Half as many as the tenants have: who looks over all of them must keep nobody waiting, nor wait for them. */
function connectionsAcross({ readerConnectionsMax }: Settings): number {
  return Math.ceil(readerConnectionsMax / 2);
}

/** Runs what is left to migrate, and finds whom the server is to work as. */
async function migrate(settings: Settings, schema: Schema): Promise<ServingRole> {
  const { databaseUrl, databaseMigrationUrl } = settings;
  const url = databaseMigrationUrl ?? databaseUrl;
  const migrator = dataSourceOf(settings, url, schema, MIGRATOR_CONNECTIONS, MIGRATOR_SETTINGS);
  await migrator.initialize();
  const logins = databaseMigrationUrl === null ? null : poolOf(settings, 1, {});
  const lock = await (migrator.driver as unknown as { master: Pool }).master.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrator.runMigrations({ transaction: 'each' });
    const login = await logins?.connect();
    try {
      return await findServingRole(lock, login ?? lock, settings.databaseRole);
    } finally {
      login?.release();
    }
  } finally {
    // With its connection goes the lock.
    lock.release();
    await Promise.all([migrator.destroy(), logins?.end()]);
  }
}

function assertWall(
  { keeper, role, login, unguarded }: ServingRole,
  settings: Settings,
  tables: readonly Table[],
): void {
  const open = unguarded.filter((name) => name === 'outbox_events' || tables.some((table) => table.name === name));
  if (open.length > 0) throw new Error(`Bug: a migration has left ${open.join(', ')} before the wall between tenants`);
  if (keeper === 'role') {
    logger.log(`The role ${login} could pass over row-level security, so every connection works as ${role}`);
  }
  if (keeper !== 'nobody') return;
  const problem = `DATABASE_URL logs in as ${login}, which passes over row-level security and may not become ${settings.databaseRole}`;
  if (settings.auth === 'on') {
    throw new SettingsError([`${problem}; make the roles as run.md says under "PostgreSQL", or set AUTH=off`]);
  }
  logger.warn(`${problem}: nothing but the program keeps tenants apart`);
}

function poolOf(settings: Settings, connections: number, session: SessionSettings): Pool {
  const pool = new Pool({
    connectionString: settings.databaseUrl,
    application_name: 'holdfast',
    max: connections,
    // Statements that do not need each other's answers are sent without waiting for them (EngineTransaction.together).
    pipeline: true,
    connectionTimeoutMillis: settings.databaseBusyMaxMs,
    ...clientOptions(settings, session),
  });
  // One that breaks while it is idle is replaced by the next request; the batch that uses it says so.
  pool.on('error', ignoreLostConnection);
  return pool;
}

function dataSourceOf(
  settings: Settings,
  url: string,
  schema: Schema,
  connections: number,
  session: SessionSettings,
): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    ...schema,
    applicationName: 'holdfast',
    poolSize: connections,
    connectTimeoutMS: settings.databaseBusyMaxMs,
    extra: clientOptions(settings, session),
    poolErrorHandler: ignoreLostConnection,
  });
}

function clientOptions(settings: Settings, session: SessionSettings): PoolConfig {
  const sessionSettings = {
    ...session,
    lock_timeout: String(settings.databaseBusyMaxMs),
    statement_timeout: String(settings.databaseStatementMaxMs),
    idle_in_transaction_session_timeout: String(settings.databaseStatementMaxMs),
  };
  return {
    options: Object.entries(sessionSettings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    // The server's own time-out does not help when the network swallows its answer.
    query_timeout: settings.databaseStatementMaxMs + 1_000,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  };
}

/** 64-bit integers as numbers: every integer here is far below 2^53. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  return oid === pgTypes.builtins.INT8 ? Number : pgTypes.getTypeParser(oid, format);
}
