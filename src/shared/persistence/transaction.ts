import { currentContext } from '../kernel/context.ts';
import { DomainError } from '../kernel/domain-error.ts';
import type { DomainEvent } from '../kernel/domain-event.ts';
import type { EntityKey } from '../kernel/entity-key.ts';
import type { EventRow } from '../outbox/event-log.ts';
import type { EngineTransaction, Row, SqlParameters } from './engine/engine.ts';
import type { IdentityMap } from './identity-map.ts';
import type { Table } from './table.ts';
import type { Entry } from './table-entries.ts';

/** How a work ended; what is counted of it is counted once, when that is certain. */
export type WorkStatus = 'success' | 'refused' | 'error';

const LOADED = Promise.resolve();

/** A place to return to within a work: everything after it can be undone. */
export interface Mark {
  readonly changes: number;
  readonly events: number;
  readonly settlements: number;
  readonly purges: number;
}

/** A deletion by condition that a work has asked for. */
export interface Purge {
  readonly sql: string;
  readonly parameters: SqlParameters;
  /** Of rows of all tenants. */
  readonly acrossTenants: boolean;
  readonly counted: (rows: number) => void;
}

/** A row that a rehearsal touched: as it was, and as it would be. Undefined: there is no such row. */
export interface RehearsedChange {
  readonly table: string;
  readonly before: object | undefined;
  readonly after: object | undefined;
}

/**
 * What one work sees of the batch: rows as the works before it left them, and a place for its own changes. It is closed
 * when the work settles; using it later is a bug and throws.
 */
export class Transaction {
  /** What it has cost its batch, in milliseconds without the commit; known to those who hear of its settlement. */
  costMs = 0;
  private closed = false;
  private broken = false;
  private joinDepth = 0;
  private rowsPurged = 0;
  private readonly changes: { entry: Entry; previous: Row | undefined }[] = [];
  private readonly recorded: EventRow[] = [];
  private readonly asked: Purge[] = [];
  private readonly settlements: ((status: WorkStatus) => void)[] = [];

  /** @param shared values that all works of the batch share, e.g. what one of them found out by a query */
  constructor(
    readonly tenantId: string,
    readonly shared: Map<string, unknown>,
    private readonly map: IdentityMap,
    private readonly engine: EngineTransaction,
    private readonly toEventRow: (event: DomainEvent) => EventRow,
    private readonly onEngineFailure: (error: unknown) => void,
  ) {}

  get events(): readonly EventRow[] {
    return this.recorded;
  }

  /** How much it makes the batch write. */
  get rowsWritten(): number {
    return this.changes.length + this.recorded.length + this.rowsPurged;
  }

  /** A statement of this work has failed: its batch will not be committed, whatever the work does now. */
  get isBroken(): boolean {
    return this.broken;
  }

  get purges(): readonly Purge[] {
    return this.asked;
  }

  /**
   * Whether nothing is left to load for these keys. Whoever asks first needs no promise for `load`: under
   * AsyncLocalStorage each one costs a microsecond, and another for whoever awaits it.
   */
  knows(keys: readonly EntityKey[]): boolean {
    return this.map.knowsAll(keys);
  }

  /** Loads several rows at once that turned out to be needed. */
  load(keys: readonly EntityKey[]): Promise<void> {
    // What is known costs one promise instead of five: under AsyncLocalStorage each of them costs a microsecond.
    return this.map.knowsAll(keys) ? LOADED : this.guard(() => this.map.prefetch(keys));
  }

  /** @param key the values of the table's key, without the tenant */
  get<R extends object>(table: Table<R>, ...key: string[]): Promise<R | undefined> {
    const known = this.map.peek(table, key);
    return known === undefined ? this.fetch(table, key) : this.opened(seen(table, known.current as R | undefined));
  }

  /**
   * A row that was loaded before (declared, or by `load`), without a promise: for the hot path.
   * @throws Error when it was not
   */
  loaded<R extends object>(table: Table<R>, ...key: string[]): R | undefined {
    this.assertOpen();
    return seen(table, this.knownEntry(table, key).current as R | undefined);
  }

  /** All rows of a group, in no particular order. */
  group<R extends object>(table: Table<R>, group: string, ...values: string[]): Promise<R[]> {
    const known = this.map.peekGroup(table, group, values);
    return known === undefined ? this.fetchGroup(table, group, values) : this.opened(rowsOf<R>(table, known));
  }

  /**
   * All rows of a group that was loaded before (declared, or by `load`), without a promise: for the hot path.
   * @throws Error when it was not
   */
  loadedGroup<R extends object>(table: Table<R>, group: string, ...values: string[]): R[] {
    this.assertOpen();
    const known = this.map.peekGroup(table, group, values);
    if (known === undefined)
      throw new Error(`Bug: ${table.name} ${group} ${values.join(' ')} is used before it was loaded`);
    return rowsOf<R>(table, known);
  }

  /**
   * Rows that a `select` found (all columns, as properties), as the batch has them now: a row that the batch has
   * changed comes in its changed form, one that it has removed is left out.
   */
  adopt<R extends object>(table: Table<R>, rows: readonly R[]): R[] {
    return rows
      .map((row) => seen(table, this.map.adopt(table as Table, row as Row).current as R | undefined))
      .filter((row) => row !== undefined);
  }

  /** Plain values from the database as it was before this batch; the batch's own changes are not in them. */
  async select<T>(sql: string, parameters: SqlParameters): Promise<T[]> {
    return (await this.guard(() => this.engine.select(sql, parameters))) as T[];
  }

  /**
   * The same of all tenants' rows, for the few facts that a work of one tenant needs of the whole database: how far the
   * event log reaches, how far it was purged, whose a key is. Name no more than that fact.
   */
  async selectAcrossTenants<T>(sql: string, parameters: SqlParameters = {}): Promise<T[]> {
    return (await this.guard(() => this.engine.selectAcrossTenants(sql, parameters))) as T[];
  }

  /**
   * Takes a row for this transaction before it is loaded, so that nobody else works on what it stands for at the same
   * time.
   * @param wait false: give up at once when another transaction has it
   * @returns whether it is there and ours now
   */
  lock<R extends object>(table: Table<R>, key: readonly string[], wait: boolean): Promise<boolean> {
    return this.guard(() => this.engine.lock(table as Table, key, wait));
  }

  /** Rows of the table that this batch has already seen. */
  known<R extends object>(table: Table<R>, test: (row: R) => boolean): R[] {
    return this.map.known(table as Table, (row) => test(row as R)).map((entry) => entry.current as R);
  }

  /** Rows of the table that satisfy the test before this batch or now, for correcting a sum that a `select` gave. */
  knownChanges<R extends object>(
    table: Table<R>,
    test: (row: R) => boolean,
  ): { before: R | undefined; now: R | undefined }[] {
    const passing = (row: Row | undefined): R | undefined =>
      row !== undefined && test(row as R) ? (row as R) : undefined;
    return this.map
      .changed(table as Table)
      .map(({ loaded, current }) => ({ before: passing(loaded), now: passing(current) }));
  }

  /** Stores a row, new or changed. The row must not be changed in place afterwards. */
  async put<R extends object>(table: Table<R>, row: R): Promise<void> {
    const key = keyValues(table, row as Row);
    this.assign(this.map.peek(table, key) ?? (await this.guard(() => this.map.entry(table as Table, key))), row as Row);
  }

  /** Stores a row whose key was loaded before, without a promise: for the hot path. */
  replace<R extends object>(table: Table<R>, row: R): void {
    this.assign(this.knownEntry(table, keyValues(table, row as Row)), row as Row);
  }

  /** Stores a row under a key that is fresh (a new id), so nothing is looked up first. */
  insert<R extends object>(table: Table<R>, row: R): void {
    this.assign(this.map.fresh(table, row as Row), row as Row);
  }

  /** Removes a row that was loaded before. */
  remove<R extends object>(table: Table<R>, row: R): void {
    this.assign(this.knownEntry(table, keyValues(table, row as Row)), undefined);
  }

  /** Makes the commit depend on a row that was loaded before: it has to be unchanged since, although it is only read. */
  assume<R extends object>(table: Table<R>, ...key: string[]): void {
    this.map.guard(this.knownEntry(table, key));
  }

  /**
   * Has the batch delete by a condition, without loading, what only time has ended (docs/decisions/0016). It does so
   * after it has written all rows, so the condition sees what its works have changed.
   * @param counted told how many rows are gone, before the outcome of the work is certain: count in `onSettled`
   */
  purge(sql: string, parameters: SqlParameters, counted: (rows: number) => void): void {
    this.assertOpen();
    this.ask({ sql, parameters, acrossTenants: false, counted });
  }

  /** The same for rows of all tenants, in tables that are purged by age alone (migrations/tenant-wall.ts). */
  purgeAcrossTenants(sql: string, parameters: SqlParameters, counted: (rows: number) => void): void {
    this.assertOpen();
    this.ask({ sql, parameters, acrossTenants: true, counted });
  }

  /**
   * For works that would be in each other's way on two servers; they say `takesLock`. Held to the end of the batch; never
   * waits.
   * @returns false when another server has it now
   */
  tryLock(lock: number): Promise<boolean> {
    return this.guard(() => this.engine.tryLock(lock));
  }

  /** @throws Error when an event does not match the schema of its type and version */
  record(events: readonly DomainEvent[]): void {
    this.assertOpen();
    for (const event of events) {
      this.recorded.push(this.toEventRow(event));
    }
  }

  /** Calls back once when the outcome of this work is certain: after the commit, never for a run that is repeated. */
  onSettled(callback: (status: WorkStatus) => void): void {
    this.settlements.push(callback);
  }

  /**
   * Runs a command's work inside this one. What it did is undone when it throws, even if the caller goes on.
   * @param depth how many commands the caller is inside of; another depth means that two run at the same time
   */
  async join<T>(depth: number, work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    if (depth !== this.joinDepth) {
      throw new Error('Two commands ran at the same time inside one work; await one before the next');
    }
    this.joinDepth += 1;
    const mark = this.mark();
    try {
      return await work();
    } catch (error) {
      this.undoTo(mark, statusOf(error));
      throw error;
    } finally {
      this.joinDepth -= 1;
    }
  }

  /**
   * Runs a work, tells what it changed, and undoes all of it: rows, events, and what it wanted counted.
   * @throws whatever the work throws; that is undone as well
   */
  async rehearse(work: () => Promise<void>): Promise<RehearsedChange[]> {
    this.assertOpen();
    const mark = this.mark();
    try {
      await work();
      return this.changesSince(mark);
    } finally {
      this.undoTo(mark);
      this.settlements.length = mark.settlements;
    }
  }

  /** A place to return to, for a work that carries out several wishes of which some may be refused. */
  mark(): Mark {
    return {
      changes: this.changes.length,
      events: this.recorded.length,
      settlements: this.settlements.length,
      purges: this.asked.length,
    };
  }

  /**
   * Undoes what the work has done since the mark; the rest of it stays.
   * @param undone what the part that is undone counts as, whatever becomes of the rest
   */
  undoTo(mark: Mark, undone: Exclude<WorkStatus, 'success'> = 'refused'): void {
    while (this.changes.length > mark.changes) {
      const change = this.changes.pop();
      if (change !== undefined) {
        this.map.assign(change.entry, change.previous);
      }
    }
    this.recorded.length = mark.events;
    this.asked.length = mark.purges;
    for (let index = mark.settlements; index < this.settlements.length; index += 1) {
      const settle = this.settlements[index];
      this.settlements[index] = (status) => settle?.(status === 'success' ? undone : status);
    }
  }

  close(): void {
    this.closed = true;
  }

  undo(): void {
    this.undoTo({ changes: 0, events: 0, settlements: 0, purges: 0 });
  }

  settle(status: WorkStatus): void {
    this.settlements.forEach((callback) => {
      callback(status);
    });
  }

  private ask(purge: Purge): void {
    const counted = (rows: number): void => {
      this.rowsPurged += rows;
      purge.counted(rows);
    };
    this.asked.push({ ...purge, counted });
  }

  private changesSince(mark: Mark): RehearsedChange[] {
    const first = new Map<Entry, Row | undefined>();
    for (const { entry, previous } of this.changes.slice(mark.changes)) {
      if (!first.has(entry)) first.set(entry, previous);
    }
    return [...first]
      .filter(([entry, before]) => entry.current !== before)
      .map(([entry, before]) => ({ table: entry.table.name, before, after: entry.current }));
  }

  private async fetch<R extends object>(table: Table<R>, key: string[]): Promise<R | undefined> {
    const entry = await this.guard(() => this.map.entry(table as Table, key));
    return seen(table, entry.current as R | undefined);
  }

  private async fetchGroup<R extends object>(table: Table<R>, group: string, values: string[]): Promise<R[]> {
    return rowsOf<R>(table, await this.guard(() => this.map.groupEntries(table as Table, group, values)));
  }

  private knownEntry(table: Table, key: readonly string[]): Entry {
    const entry = this.map.peek(table, key);
    if (entry === undefined) {
      throw new Error(`Bug: ${table.name} ${key.join(' ')} is used before it was loaded`);
    }
    return entry;
  }

  private opened<T>(value: T): Promise<T> {
    this.assertOpen();
    return Promise.resolve(value);
  }

  private assign(entry: Entry, row: Row | undefined): void {
    this.assertOpen();
    assertSeen(entry, row);
    this.changes.push({ entry, previous: entry.current });
    this.map.assign(entry, row);
  }

  /** Remembers a failing statement: the whole batch has to know, even if the work swallows the error. */
  private async guard<T>(call: () => Promise<T>): Promise<T> {
    this.assertOpen();
    try {
      return await call();
    } catch (error) {
      this.broken = true;
      this.onEngineFailure(error);
      throw error;
    }
  }

  private assertOpen(): void {
    if (this.closed) {
      throw new Error('This unit of work has settled; nothing can join it or change its rows any more');
    }
    if (currentContext().tenantId !== this.tenantId) {
      throw new Error('A work may not change its tenant');
    }
  }
}

/** How a work ends that throws this. */
export function statusOf(error: unknown): Exclude<WorkStatus, 'success'> {
  return error instanceof DomainError ? 'refused' : 'error';
}

function keyValues(table: Table, row: Row): string[] {
  return table.key.map((property) => row[property] as string);
}

function rowsOf<R extends object>(table: Table<R>, entries: readonly Entry[]): R[] {
  return entries.map(({ current }) => seen(table, current as R | undefined)).filter((row) => row !== undefined);
}

/** A row that the caller does not see is none. */
function seen<R extends object>({ visible }: Table<R>, row: R | undefined): R | undefined {
  if (visible === null || row === undefined) return row;
  const { reach } = currentContext();
  return reach == null || visible.sees(row, reach) ? row : undefined;
}

/** Whoever does not see a row does not change it either, nor makes one that it would not see. */
function assertSeen({ table, current }: Entry, row: Row | undefined): void {
  for (const one of [current, row]) {
    if (one !== undefined && seen(table, one) === undefined) {
      throw new Error(`Bug: a row of ${table.name} would be written that its caller does not see`);
    }
  }
}
