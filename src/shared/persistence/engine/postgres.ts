import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import { DatabaseError } from 'pg';
import { ALL_TENANTS, ALL_TENANTS_PURGING } from '../../../../migrations/tenant-wall.ts';
import { EVENT_COLUMNS, type EventRow } from '../../outbox/event-log.ts';
import type { Column, Table } from '../table.ts';
import {
  type Engine,
  type EngineTransaction,
  type Failure,
  type Row,
  type SqlParameters,
  StaleVersion,
} from './engine.ts';
import { numbered } from './named-parameters.ts';
import { acrossTenants, beginOf, giveBack, NoTenantWall, takeOut, type WallCheck } from './postgres-tenants.ts';
import { columnList, columnsOf, decodeRow, encodeValue } from './row-codec.ts';

/** Any number that nothing else in the database locks: the last step before COMMIT, so positions are in commit order. */
const EVENT_LOG_LOCK = 4_815_162_342;

/**
 * What the writer's sessions set. Every statement of the write path is a look-up by key, so the planner is kept from
 * sequential scans and hash joins, which it would choose while tables are small and keep in its cached plans after
 * they have grown.
 */
export const POSTGRES_WRITER_SETTINGS = {
  synchronous_commit: 'on',
  default_transaction_isolation: 'read\\ committed',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
} as const;

/** The engine on PostgreSQL: one statement per table and batch, rows travel as one array per column through `unnest`. */
export class PostgresEngine implements Engine {
  constructor(
    private readonly pool: Pool,
    private readonly wall: WallCheck,
  ) {}

  async begin(tenantId: string, lockRows: boolean): Promise<EngineTransaction> {
    const client = await takeOut(this.pool);
    try {
      await this.wall.look(client);
      await client.query(beginOf(tenantId, lockRows ? LOCKING : LOOKING));
      return new PostgresTransaction(client, tenantId, lockRows);
    } catch (error) {
      giveBack(client, true);
      throw error;
    }
  }

  classify(error: unknown): Failure {
    return classifyPostgres(error);
  }

  /** An ERROR in answer to COMMIT has rolled back; a FATAL, a lost connection or a time-out may have come after the fact. */
  isCertainlyRolledBack(error: unknown): boolean {
    return error instanceof NothingCommitted || (error instanceof DatabaseError && error.severity === 'ERROR');
  }

  async ping(): Promise<void> {
    await this.pool.query('SELECT 1');
  }

  /** A number for a transaction is refused by a server that only reads. */
  async proveCommit(): Promise<void> {
    await this.pool.query('SELECT txid_current()');
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/**
 * All that an attempt reads was true at one moment. Statement by statement (read committed), a work could see a reservation as
 * it was before another server's commit and its holds as they were after it: it would tell a shopper that what he holds
 * is over, or take it for a mistake of the program. Who wrote a row meanwhile is found by 40001, as by the version.
 */
const LOOKING = 'REPEATABLE READ';
/** Whoever locks what it reads has to see what the one before it has left. */
const LOCKING = 'READ COMMITTED';

/** What an error of pg, of its socket or of the server means. */
export function classifyPostgres(error: unknown): Failure {
  if (error instanceof StaleVersion || error instanceof NothingCommitted) {
    return 'stale';
  }
  if (error instanceof NoTenantWall) {
    return 'unavailable';
  }
  if (!(error instanceof DatabaseError)) {
    // pg's own errors and the socket's: the connection is gone, or the server did not answer in time.
    return isOfDriver(error) ? 'unavailable' : 'poison';
  }
  const state = error.code ?? '';
  if (RERUN_STATES.has(state)) {
    return 'stale';
  }
  if (state === LOCK_NOT_AVAILABLE) {
    return 'busy';
  }
  return UNAVAILABLE_STATES.test(state) ? 'unavailable' : 'poison';
}

/** unique_violation, serialization_failure, deadlock_detected (DESIGN section 5). */
const RERUN_STATES = new Set(['23505', '40001', '40P01']);
const LOCK_NOT_AVAILABLE = '55P03';
/** Connection (08), resources (53), operator (57: shutdown, statement time-out), system (58, XX), read-only server (25006), idle in transaction (25P03). */
const UNAVAILABLE_STATES = /^(08|53|57|58|XX|25006|25P03)/;

function isOfDriver(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    (typeof code === 'string' && /^(E[A-Z]+|ERR_|CERT|DEPTH)/.test(code)) ||
    (typeof message === 'string' && /connection|timeout|terminated|not queryable/i.test(message))
  );
}

/** The transaction had failed and nobody had noticed. Nothing of it is stored, so its batch runs again. */
class NothingCommitted extends Error {
  constructor() {
    super('PostgreSQL has rolled back what it was to commit');
  }
}

class PostgresTransaction implements EngineTransaction {
  /** The last statement was not answered, so a ROLLBACK would wait behind it as long again. */
  private isMute = false;

  constructor(
    private readonly client: PoolClient,
    private readonly tenantId: string,
    private readonly lockRows: boolean,
  ) {}

  async loadByKey(table: Table, keys: readonly (readonly string[])[]): Promise<Row[]> {
    return this.load(table, table.key, '', keys);
  }

  async loadByGroup(table: Table, group: string, values: readonly (readonly string[])[]): Promise<Row[]> {
    const described = table.groups[group];
    if (described === undefined) {
      throw new Error(`${table.name} has no group ${group}`);
    }
    const where = described.where === undefined ? '' : ` AND ${described.where}`;
    return this.load(table, described.properties, where, values);
  }

  async select(sql: string, parameters: SqlParameters): Promise<Row[]> {
    return (await this.query(sql, parameters)).rows as Row[];
  }

  async selectAcrossTenants(sql: string, parameters: SqlParameters): Promise<Row[]> {
    return (await this.heard(acrossTenants(this.client, this.tenantId, ALL_TENANTS, sql, parameters))).rows;
  }

  async lock(table: Table, key: readonly string[], wait: boolean): Promise<boolean> {
    const row = columnsOf(table, table.key).map(({ name }, index) => ` AND ${name} = $${index + 2}`);
    const text = `SELECT 1 FROM ${table.name} WHERE tenant_id = $1${row.join('')} FOR UPDATE${wait ? '' : ' SKIP LOCKED'}`;
    return (await this.write(text, [this.tenantId, ...key])) === 1;
  }

  /** In one go: the connection is a pipeline (open-postgres.ts). */
  async together(steps: readonly (() => Promise<void>)[]): Promise<void> {
    await Promise.all(steps.map((step) => step()));
  }

  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    const columns = table.columns;
    const text = `INSERT INTO ${table.name} (tenant_id, ${columnList(table)})
      SELECT $1, * FROM unnest(${arrays(columns, 2)})`;
    await this.write(text, [this.tenantId, ...columns.map((column) => valuesOf(column, rows))]);
  }

  async update(table: Table, rows: readonly Row[], loaded: readonly Row[]): Promise<void> {
    const set = table.columns.filter((column) => !table.key.includes(column.property));
    const identity = identityColumns(table);
    const text = `UPDATE ${table.name} AS t SET ${set.map(({ name }) => `${name} = v.${name}`).join(', ')}
      FROM unnest($1::text[], ${arrays([...set, ...identity], 2)})
        AS v(${['loaded_tenant_id', ...set.map(({ name }) => name), ...identity.map(({ name }) => `loaded_${name}`)].join(', ')})
      WHERE t.tenant_id = v.loaded_tenant_id${identity.map(({ name }) => ` AND t.${name} = v.loaded_${name}`).join('')}`;
    const values = [
      ...set.map((column) => valuesOf(column, rows)),
      ...identity.map((column) => valuesOf(column, loaded)),
    ];
    this.expectRows(table, rows.length, await this.write(text, [this.tenantOf(rows), ...values]));
  }

  async remove(table: Table, loaded: readonly Row[]): Promise<void> {
    const identity = identityColumns(table);
    const text = `DELETE FROM ${table.name} AS t USING unnest($1::text[], ${arrays(identity, 2)})
        AS v(${['tenant_id', ...identity.map(({ name }) => name)].join(', ')})
      WHERE t.tenant_id = v.tenant_id${identity.map(({ name }) => ` AND t.${name} = v.${name}`).join('')}`;
    const values = identity.map((column) => valuesOf(column, loaded));
    this.expectRows(table, loaded.length, await this.write(text, [this.tenantOf(loaded), ...values]));
  }

  async purge(sql: string, parameters: SqlParameters): Promise<number> {
    return (await this.query(sql, parameters)).rowCount ?? 0;
  }

  async purgeAcrossTenants(sql: string, parameters: SqlParameters): Promise<number> {
    return (
      (await this.heard(acrossTenants(this.client, this.tenantId, ALL_TENANTS_PURGING, sql, parameters))).rowCount ?? 0
    );
  }

  async tryLock(lock: number): Promise<boolean> {
    const [row] = await this.select('SELECT pg_try_advisory_xact_lock(:lock) AS "locked"', { lock });
    return row?.locked === true;
  }

  async appendEvents(events: readonly EventRow[]): Promise<number[]> {
    const columns = EVENT_COLUMNS.map(({ name }) => name).join(', ');
    const parameters = EVENT_COLUMNS.map(({ type }, index) => `$${index + 2}::${ARRAY_TYPES[type]}`).join(', ');
    const text = `INSERT INTO outbox_events (tenant_id, ${columns})
      SELECT $1, ${columns} FROM unnest(${parameters}) WITH ORDINALITY AS v(${columns}, place) ORDER BY place
      RETURNING position`;
    const values = EVENT_COLUMNS.map(({ property }) => events.map((event) => event[property]));
    const [, { rows }] = await Promise.all([
      this.ask({ name: 'lock_event_log', text: 'SELECT pg_advisory_xact_lock($1)', values: [EVENT_LOG_LOCK] }),
      this.ask({ name: nameOf(text), text, values: [this.tenantId, ...values] }),
    ]);
    return (rows as { position: number }[]).map(({ position }) => position);
  }

  async commit(): Promise<void> {
    try {
      const { command } = await this.client.query('COMMIT');
      // PostgreSQL answers COMMIT of a transaction in which something has failed with ROLLBACK, and calls that no error.
      if (command !== 'COMMIT') throw new NothingCommitted();
    } catch (error) {
      giveBack(this.client, true);
      throw error;
    }
    giveBack(this.client, false);
  }

  async rollback(): Promise<void> {
    if (this.isMute) {
      giveBack(this.client, true);
      return;
    }
    try {
      await this.client.query('ROLLBACK');
      giveBack(this.client, false);
    } catch {
      giveBack(this.client, true);
    }
  }

  private query(sql: string, parameters: SqlParameters): Promise<QueryResult<object>> {
    const { text, names } = numbered(sql);
    const all: SqlParameters = { ...parameters, tenant: this.tenantId };
    return this.ask({ name: nameOf(text), text, values: names.map((name) => all[name]) });
  }

  private ask(question: QueryConfig & { rowMode?: 'array' }): Promise<QueryResult<object>> {
    return this.heard(this.client.query(question));
  }

  private async heard<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof DatabaseError)) this.isMute = true;
      throw error;
    }
  }

  private async load(
    table: Table,
    properties: readonly string[],
    where: string,
    keys: readonly (readonly string[])[],
  ): Promise<Row[]> {
    const columns = columnsOf(table, properties);
    const order = columnsOf(table, table.key).map(({ name }) => `r.${name}`);
    // LATERAL, with what keeps it from being dissolved: one look-up by index for each key, in key order, whatever the
    // planner thinks of a table that was empty when it made the plan.
    const text = `SELECT ${columnList(table, 't.')}
      FROM unnest($1::text[], ${arrays(columns, 2)})
        AS k(${['tenant_id', ...columns.map(({ name }) => name)].join(', ')})
      CROSS JOIN LATERAL (
        SELECT r.* FROM ${table.name} AS r
        WHERE r.tenant_id = k.tenant_id${columns.map(({ name }) => ` AND r.${name} = k.${name}`).join('')}${where}
        ${this.lockRows ? `ORDER BY ${order.join(', ')} FOR UPDATE` : 'OFFSET 0'}
      ) AS t`;
    const result = await this.ask({
      name: nameOf(text),
      text,
      values: [this.tenantOf(keys), ...columns.map((_, index) => keys.map((key) => key[index]))],
      rowMode: 'array',
    });
    return (result.rows as unknown[][]).map((values) => decodeRow(table, values));
  }

  /**
   * The tenant once for each row: as a column of the join it takes part in the index condition. As a constant it would
   * be a plan of its own, all rows of the tenant, made while the table was empty and kept.
   */
  private tenantOf(rows: readonly unknown[]): string[] {
    return rows.map(() => this.tenantId);
  }

  private async write(text: string, values: readonly unknown[]): Promise<number> {
    const result = await this.ask({ name: nameOf(text), text, values: [...values] });
    return result.rowCount ?? 0;
  }

  private expectRows(table: Table, expected: number, changed: number): void {
    if (changed !== expected) {
      throw new StaleVersion(table.name, expected, changed);
    }
  }
}

const ARRAY_TYPES = { text: 'text[]', json: 'text[]', integer: 'int8[]', boolean: 'bool[]' } as const;

function arrays(columns: readonly Column[], first: number): string {
  return columns.map(({ type }, index) => `$${index + first}::${ARRAY_TYPES[type]}`).join(', ');
}

function identityColumns(table: Table): Column[] {
  return columnsOf(table, table.versioned ? [...table.key, 'version'] : table.key);
}

function valuesOf(column: Column, rows: readonly Row[]): unknown[] {
  return rows.map((row) => encodeValue(column, row[column.property]));
}

const statementNames = new Map<string, string>();

/** A short name per SQL text, so that the server parses and plans it once per connection. */
function nameOf(text: string): string {
  let name = statementNames.get(text);
  if (name === undefined) {
    name = `holdfast_${statementNames.size + 1}`;
    statementNames.set(text, name);
  }
  return name;
}
