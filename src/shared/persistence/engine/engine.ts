import type { Table } from '../table.ts';
import type { EventRow } from '../../outbox/event-log.ts';

export type SqlValue = string | number | boolean | null;
export type SqlParameters = Readonly<Record<string, SqlValue>>;
export type Row = Readonly<Record<string, unknown>>;

/**
 * What a failed statement means for the batch that it belongs to:
 * - `stale`: somebody else was faster; run the batch again on fresh rows,
 * - `busy`: the database is locked by somebody else for longer than we wait; nothing was done,
 * - `unavailable`: no connection, no disk, no answer; trying each work alone would only take longer,
 * - `poison`: one of the statements is wrong in itself; the works are tried one by one so that only the culprit fails.
 */
export type Failure = 'stale' | 'busy' | 'unavailable' | 'poison';

/** A row was not there in the version that was loaded. */
export class StaleVersion extends Error {
  constructor(table: string, expectedRows: number, changedRows: number) {
    super(`${table}: ${changedRows} of ${expectedRows} rows were still at the version that was loaded`);
  }
}

/**
 * All that differs between SQLite and PostgreSQL. Everything above speaks in tables, keys and rows.
 * SQL handed to `select` names its parameters `:name`, and `:tenant` is always bound.
 */
export interface Engine {
  /**
   * Begins a transaction on the one writer connection.
   * @param lockRows loads take row locks in key order, so that what was read cannot become stale (PostgreSQL; a
   *   SQLite transaction has the whole database to itself anyway)
   */
  begin(tenantId: string, lockRows: boolean): Promise<EngineTransaction>;
  classify(error: unknown): Failure;
  /** After a failed COMMIT: true only when it is certain that nothing was stored. */
  isCertainlyRolledBack(error: unknown): boolean;
  /** A trivial read on the writer. */
  ping(): Promise<void>;
  /**
   * Commits something that changes nothing. Only between two batches: on SQLite they share the connection.
   * @throws the driver's error when nothing can be committed now
   */
  proveCommit(): Promise<void>;
  close(): Promise<void>;
}

/** One open transaction, bound to one tenant. Rows come and go as plain objects with the table's property names. */
export interface EngineTransaction {
  /** @param keys primary key values (without the tenant), sorted and distinct; missing rows are left out of the answer */
  loadByKey(table: Table, keys: readonly (readonly string[])[]): Promise<Row[]>;
  loadByGroup(table: Table, group: string, values: readonly (readonly string[])[]): Promise<Row[]>;
  select(sql: string, parameters: SqlParameters): Promise<Row[]>;
  /** The one kind of statement that sees rows of all tenants; `:tenant` is not bound. For the few that have to. */
  selectAcrossTenants(sql: string, parameters: SqlParameters): Promise<Row[]>;
  /**
   * Takes the row for this transaction, so that no other one has it at the same time.
   * @param wait false: give up at once when another transaction has it
   * @returns whether the row is there and ours now (SQLite: a write transaction has the database to itself)
   */
  lock(table: Table, key: readonly string[], wait: boolean): Promise<boolean>;
  /**
   * Does all of them in this order, and none waits for another's answer where the database is far away. Fails as the first
   * one does that fails; what came behind it is then undone with the transaction.
   */
  together(steps: readonly (() => Promise<void>)[]): Promise<void>;
  insert(table: Table, rows: readonly Row[]): Promise<void>;
  /** @throws StaleVersion when a row is not at the version of its `loaded` twin (same index) */
  update(table: Table, rows: readonly Row[], loaded: readonly Row[]): Promise<void>;
  /** @throws StaleVersion when a row is not at the version that was loaded */
  remove(table: Table, loaded: readonly Row[]): Promise<void>;
  /**
   * Deletes by a condition, without loading: for what only time has ended. After the rows are written, before the events.
   * @returns rows that are gone
   */
  purge(sql: string, parameters: SqlParameters): Promise<number>;
  /** The same for rows of all tenants, in tables whose rows are purged by their age alone. */
  purgeAcrossTenants(sql: string, parameters: SqlParameters): Promise<number>;
  /**
   * Takes a lock that all servers on the database share, until the end of the transaction. Never waits.
   * @param lock a number of the caller's own, 0 to 2^53
   * @returns false when another server has it
   */
  tryLock(lock: number): Promise<boolean>;
  /**
   * The last step before commit: from here on positions are taken, and they are in commit order.
   * @returns the position of each
   */
  appendEvents(events: readonly EventRow[]): Promise<number[]>;
  /** Ends the transaction either way: after a failure there is nothing left to roll back. */
  commit(): Promise<void>;
  /** Never throws: what cannot be rolled back is dropped with its connection. */
  rollback(): Promise<void>;
}
