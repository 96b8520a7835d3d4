import { setTimeout as pause } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import type { EventRow } from '../../outbox/event-log.ts';
import { EVENT_COLUMNS } from '../../outbox/event-log.ts';
import type { Column, Table } from '../table.ts';
import {
  type Engine,
  type EngineTransaction,
  type Failure,
  type Row,
  type SqlParameters,
  type SqlValue,
  StaleVersion,
} from './engine.ts';
import type { Checkpoints } from './sqlite-checkpoints.ts';
import { columnList, columnsOf, decodeRow, encodeValue } from './row-codec.ts';

/** Longest pause between two attempts to get the write lock, in milliseconds. */
const LOCK_RETRY_PAUSE_MAX_MS = 20;

/** What a connection has to say before its first statement. Checked by sqlite.spec: the driver's own default is NORMAL. */
export const SQLITE_WRITER_PRAGMAS = [
  'journal_mode = WAL',
  // DESIGN rule 9: what was answered with success is on disk, also after a power cut.
  'synchronous = FULL',
  // Waiting inside SQLite would block the event loop; the engine waits asynchronously instead.
  'busy_timeout = 0',
  // 64 MiB of pages stay in memory.
  'cache_size = -65536',
  // 128 MiB: sqlite-checkpoints.ts copies the log into the file long before; this is for the case that it cannot.
  'wal_autocheckpoint = 32000',
  'temp_store = MEMORY',
];

/**
 * The engine on better-sqlite3. Statements are synchronous and single-row: a prepared update by key costs a few
 * microseconds, while `UPDATE ... FROM json_each(?)` scans the whole table (DESIGN section 5).
 */
export class SqliteEngine implements Engine {
  private readonly statements = new Map<string, Database.Statement<unknown[]>>();

  /**
   * @param database the writer's connection, opened with SQLITE_WRITER_PRAGMAS
   * @param busyMaxMs how long to wait for another process's write lock, in milliseconds
   * @param checkpoints of the same file
   */
  constructor(
    private readonly database: Database.Database,
    private readonly busyMaxMs: number,
    private readonly checkpoints: Checkpoints,
    private readonly disconnect: () => Promise<void>,
  ) {}

  async begin(tenantId: string): Promise<EngineTransaction> {
    if (this.checkpoints.isLogLong) await this.checkpoints.startAnew();
    const deadline = performance.now() + this.busyMaxMs;
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LOCK_RETRY_PAUSE_MAX_MS)) {
      try {
        this.dropWhatIsOpen();
        this.prepare('BEGIN IMMEDIATE').run();
        return new SqliteTransaction(this.database, (sql) => this.prepare(sql), tenantId, this.checkpoints);
      } catch (error) {
        if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() >= deadline) {
          throw error;
        }
        await pause(pauseMs);
      }
    }
  }

  /** A ROLLBACK that failed has left its transaction open, and every BEGIN after it would be refused for ever. */
  private dropWhatIsOpen(): void {
    if (this.database.inTransaction) this.prepare('ROLLBACK').run();
  }

  classify(error: unknown): Failure {
    return classifySqlite(error);
  }

  /** Only a lock that was not got is certain: after a failed fsync the frames may yet be found by a recovery. */
  isCertainlyRolledBack(error: unknown): boolean {
    return codeOf(error).startsWith('SQLITE_BUSY');
  }

  ping(): Promise<void> {
    this.prepare('SELECT 1').get();
    return Promise.resolve();
  }

  /** The page that is written is the first one, unchanged; it costs what every commit does, one sync of the log. */
  proveCommit(): Promise<void> {
    const write = this.database.transaction(() => {
      const version = this.database.pragma('user_version', { simple: true }) as number;
      this.database.pragma(`user_version = ${version}`);
    });
    return new Promise((resolve) => {
      // Within a transaction that is still open this would be a part of it, and commit nothing.
      this.dropWhatIsOpen();
      write.immediate();
      resolve();
    });
  }

  async close(): Promise<void> {
    this.statements.clear();
    // Before the connection: the last one to close moves the log into the file and removes it.
    await this.checkpoints.close();
    await this.disconnect();
  }

  private prepare(sql: string): Database.Statement<unknown[]> {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      if (statement.reader) {
        statement.raw(sql.includes('/* raw */'));
      }
      this.statements.set(sql, statement);
    }
    return statement;
  }
}

/** What an error of better-sqlite3 means. */
export function classifySqlite(error: unknown): Failure {
  if (error instanceof StaleVersion) {
    return 'stale';
  }
  const code = codeOf(error);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return 'busy';
  }
  return UNAVAILABLE_CODES.test(code) ? 'unavailable' : 'poison';
}

const UNAVAILABLE_CODES = /^SQLITE_(FULL|IOERR|CANTOPEN|CORRUPT|NOTADB|READONLY|NOMEM|PROTOCOL)/;

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Synchronous underneath; the promises are there because PostgreSQL needs them. */
class SqliteTransaction implements EngineTransaction {
  private rowsWritten = 0;

  constructor(
    private readonly database: Database.Database,
    private readonly prepare: (sql: string) => Database.Statement<unknown[]>,
    private readonly tenantId: string,
    private readonly checkpoints: Checkpoints,
  ) {}

  loadByKey(table: Table, keys: readonly (readonly string[])[]): Promise<Row[]> {
    const statement = this.prepare(sqlOf(table).byKey);
    const rows: Row[] = [];
    for (const key of keys) {
      const values = statement.get(this.tenantId, ...key) as unknown[] | undefined;
      if (values !== undefined) {
        rows.push(decodeRow(table, values));
      }
    }
    return Promise.resolve(rows);
  }

  loadByGroup(table: Table, group: string, values: readonly (readonly string[])[]): Promise<Row[]> {
    const statement = this.prepare(sqlOf(table).byGroup(group));
    return Promise.resolve(
      values.flatMap((value) =>
        (statement.all(this.tenantId, ...value) as unknown[][]).map((row) => decodeRow(table, row)),
      ),
    );
  }

  select(sql: string, parameters: SqlParameters): Promise<Row[]> {
    return Promise.resolve(this.prepare(sql).all(bindable({ ...parameters, tenant: this.tenantId })) as Row[]);
  }

  selectAcrossTenants(sql: string, parameters: SqlParameters): Promise<Row[]> {
    return this.select(sql, parameters);
  }

  /** The transaction has the whole database to itself, so a row that is there is ours. */
  lock(table: Table, key: readonly string[]): Promise<boolean> {
    return Promise.resolve(this.prepare(sqlOf(table).byKey).get(this.tenantId, ...key) !== undefined);
  }

  /** One after the other: after some failures the transaction is gone, and what came behind would be one of its own. */
  async together(steps: readonly (() => Promise<void>)[]): Promise<void> {
    for (const step of steps) await step();
  }

  insert(table: Table, rows: readonly Row[]): Promise<void> {
    const statement = this.prepare(sqlOf(table).insert);
    this.rowsWritten += rows.length;
    for (const row of rows) {
      statement.run(appendValues([this.tenantId], table.columns, row));
    }
    return Promise.resolve();
  }

  update(table: Table, rows: readonly Row[], loaded: readonly Row[]): Promise<void> {
    const { update } = sqlOf(table);
    const statement = this.prepare(update.sql);
    this.rowsWritten += rows.length;
    rows.forEach((row, index) => {
      const values = appendValues([], update.set, row);
      values.push(this.tenantId, ...identity(table, loaded[index]));
      this.expectOneRow(table, statement.run(values));
    });
    return Promise.resolve();
  }

  remove(table: Table, loaded: readonly Row[]): Promise<void> {
    const statement = this.prepare(sqlOf(table).remove);
    this.rowsWritten += loaded.length;
    for (const row of loaded) {
      this.expectOneRow(table, statement.run(this.tenantId, ...identity(table, row)));
    }
    return Promise.resolve();
  }

  purge(sql: string, parameters: SqlParameters): Promise<number> {
    const { changes } = this.prepare(sql).run(bindable({ ...parameters, tenant: this.tenantId }));
    this.rowsWritten += changes;
    return Promise.resolve(changes);
  }

  purgeAcrossTenants(sql: string, parameters: SqlParameters): Promise<number> {
    return this.purge(sql, parameters);
  }

  /** The transaction has the whole database to itself. */
  tryLock(): Promise<boolean> {
    return Promise.resolve(true);
  }

  appendEvents(events: readonly EventRow[]): Promise<number[]> {
    const statement = this.prepare(INSERT_EVENT);
    this.rowsWritten += events.length;
    const positions = events.map((event) => {
      const values: unknown[] = [this.tenantId];
      for (const { property } of EVENT_COLUMNS) values.push(event[property]);
      return Number(statement.run(values).lastInsertRowid);
    });
    return Promise.resolve(positions);
  }

  async commit(): Promise<void> {
    try {
      this.prepare('COMMIT').run();
      this.checkpoints.committed(this.rowsWritten);
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  rollback(): Promise<void> {
    try {
      if (this.database.inTransaction) {
        this.prepare('ROLLBACK').run();
      }
    } catch {
      // SQLite has rolled back by itself after a grave error; the next BEGIN tells whether the file is usable.
    }
    return Promise.resolve();
  }

  private expectOneRow(table: Table, result: Database.RunResult): void {
    if (result.changes !== 1) {
      throw new StaleVersion(table.name, 1, result.changes);
    }
  }
}

const INSERT_EVENT = `INSERT INTO outbox_events (tenant_id, ${EVENT_COLUMNS.map(({ name }) => name).join(', ')})
  VALUES (?, ${EVENT_COLUMNS.map(() => '?').join(', ')})`;

interface TableSql {
  readonly byKey: string;
  readonly byGroup: (group: string) => string;
  readonly insert: string;
  readonly update: { readonly sql: string; readonly set: Table['columns'] };
  readonly remove: string;
}

const tableSql = new WeakMap<Table, TableSql>();

function sqlOf(table: Table): TableSql {
  let sql = tableSql.get(table);
  if (sql === undefined) {
    sql = buildSql(table);
    tableSql.set(table, sql);
  }
  return sql;
}

function buildSql(table: Table): TableSql {
  const select = `SELECT /* raw */ ${columnList(table)} FROM ${table.name} WHERE tenant_id = ?`;
  const matches = (properties: readonly string[]): string =>
    columnsOf(table, properties)
      .map((column) => ` AND ${column.name} = ?`)
      .join('');
  const row = `tenant_id = ?${matches(table.key)}${table.versioned ? ' AND version = ?' : ''}`;
  const set = table.columns.filter((column) => !table.key.includes(column.property));
  const byGroup = new Map(
    Object.entries(table.groups).map(([name, group]) => [
      name,
      `${select}${matches(group.properties)}${group.where === undefined ? '' : ` AND ${group.where}`}`,
    ]),
  );
  return {
    byKey: `${select}${matches(table.key)}`,
    byGroup: (group) => byGroup.get(group) ?? unknownGroup(table, group),
    insert: `INSERT INTO ${table.name} (tenant_id, ${columnList(table)}) VALUES (?, ${table.columns.map(() => '?').join(', ')})`,
    update: {
      sql: `UPDATE ${table.name} SET ${set.map((column) => `${column.name} = ?`).join(', ')} WHERE ${row}`,
      set,
    },
    remove: `DELETE FROM ${table.name} WHERE ${row}`,
  };
}

function unknownGroup(table: Table, group: string): never {
  throw new Error(`${table.name} has no group ${group}`);
}

/** What tells a row in the version that was loaded. */
function identity(table: Table, loaded: Row | undefined): unknown[] {
  const key = table.key.map((property) => loaded?.[property]);
  return table.versioned ? [...key, loaded?.version] : key;
}

/** @param values what comes before them; extended in place, because this runs for every row of every batch */
function appendValues(values: unknown[], columns: readonly Column[], row: Row): unknown[] {
  for (const column of columns) {
    values.push(toSqlite(encodeValue(column, row[column.property])));
  }
  return values;
}

function toSqlite(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}

/** SQLite has no booleans, and better-sqlite3 refuses to guess. */
export function bindable(parameters: SqlParameters): Record<string, Exclude<SqlValue, boolean>> {
  const bound: Record<string, Exclude<SqlValue, boolean>> = {};
  for (const name in parameters) bound[name] = toSqlite(parameters[name]) as Exclude<SqlValue, boolean>;
  return bound;
}
