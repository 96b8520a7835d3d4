import {
  type Engine,
  type EngineTransaction,
  type Failure,
  type Row,
  type SqlParameters,
  StaleVersion,
} from '../../src/shared/persistence/engine/engine.ts';
import type { Table } from '../../src/shared/persistence/table.ts';
import type { EventRow } from '../../src/shared/outbox/event-log.ts';
import type { Isolation } from '../model/observed.ts';
import { type RowTimes, rowId } from './row-times.ts';
import { errorOf, type Faults, SimulatedStale, type Statement, type StatementFault } from './faults.ts';

/** What the engine of one life of a server needs to know of the world. */
export interface Surroundings {
  /**
   * `serial`: a transaction has the database to itself from its first statement, as on SQLite. `snapshot`: it reads what was
   * committed when it began, and has the database to itself only when it writes, as on PostgreSQL; then what it has read can be
   * stale, by its version or because it was written since.
   */
  readonly isolation: Isolation;
  readonly rowTimes: RowTimes;
  readonly faults: Faults;
  /** Lets others go on, between two statements. */
  readonly turn: () => Promise<void>;
  /** The server is killed. Its database does what SQLite does: what was not committed is gone. */
  readonly kill: () => void;
}

/** The real engine of SQLite, with a world around it in which statements fail and others come in between. */
export class SimulatedEngine implements Engine {
  /** @param glances transactions of theirs that only read: each sees what was committed at its first statement */
  constructor(
    private readonly real: Engine,
    private readonly glances: Engine,
    private readonly world: Surroundings,
  ) {}

  async begin(tenantId: string, lockRows: boolean): Promise<EngineTransaction> {
    const transaction = new SimulatedTransaction(this.real, this.glances, this.world, tenantId);
    await transaction.begin(lockRows);
    return transaction;
  }

  /** Two that insert the same row: the second one is too late, as on PostgreSQL (23505). */
  classify(error: unknown): Failure {
    const { code } = error as { code?: unknown };
    const isTwice = code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE';
    const failure = this.world.isolation === 'snapshot' && isTwice ? 'stale' : this.real.classify(error);
    if (failure === 'stale' && !(error instanceof SimulatedStale)) this.world.faults.met('versions were stale');
    return failure;
  }

  isCertainlyRolledBack(error: unknown): boolean {
    return this.real.isCertainlyRolledBack(error);
  }

  ping(): Promise<void> {
    return this.real.ping();
  }

  proveCommit(): Promise<void> {
    return this.real.proveCommit();
  }

  close(): Promise<void> {
    return this.real.close();
  }
}

class SimulatedTransaction implements EngineTransaction {
  /** Open from the moment at which nobody else may write. Nobody else has a turn from then on to the end. */
  private open: EngineTransaction | undefined;
  /** What it saw before. */
  private glance: EngineTransaction | undefined;
  /** When that was the newest state of the database. */
  private seenAt: number | undefined;
  private readonly written = new Set<string>();

  constructor(
    private readonly real: Engine,
    private readonly glances: Engine,
    private readonly world: Surroundings,
    private readonly tenantId: string,
  ) {}

  async begin(lockRows: boolean): Promise<void> {
    await this.pass('begin');
    if (this.world.isolation === 'serial' || lockRows) await this.opened();
  }

  loadByKey(table: Table, keys: readonly (readonly string[])[]): Promise<Row[]> {
    return this.read((transaction) => transaction.loadByKey(table, keys));
  }

  loadByGroup(table: Table, group: string, values: readonly (readonly string[])[]): Promise<Row[]> {
    return this.read((transaction) => transaction.loadByGroup(table, group, values));
  }

  select(sql: string, parameters: SqlParameters): Promise<Row[]> {
    return this.read((transaction) => transaction.select(sql, parameters));
  }

  selectAcrossTenants(sql: string, parameters: SqlParameters): Promise<Row[]> {
    return this.read((transaction) => transaction.selectAcrossTenants(sql, parameters));
  }

  purgeAcrossTenants(sql: string, parameters: SqlParameters): Promise<number> {
    return this.write((transaction) => transaction.purgeAcrossTenants(sql, parameters));
  }

  async lock(table: Table, key: readonly string[], wait: boolean): Promise<boolean> {
    const fault = this.world.faults.at('lock');
    if (fault === 'consumer has its turn elsewhere' && !wait) return false;
    if (fault !== undefined && fault !== 'consumer has its turn elsewhere') await this.fail(fault, 'lock');
    return (await this.opened()).lock(table, key, wait);
  }

  /** One after the other, as the real one does them. */
  async together(steps: readonly (() => Promise<void>)[]): Promise<void> {
    for (const step of steps) await step();
  }

  insert(table: Table, rows: readonly Row[]): Promise<void> {
    return this.write(async (transaction) => {
      await transaction.insert(table, rows);
      this.wrote(table, rows);
    });
  }

  update(table: Table, rows: readonly Row[], loaded: readonly Row[]): Promise<void> {
    return this.write(async (transaction) => {
      this.assertUnwritten(table, loaded);
      await transaction.update(table, rows, loaded);
      this.wrote(table, rows);
    });
  }

  remove(table: Table, loaded: readonly Row[]): Promise<void> {
    return this.write(async (transaction) => {
      this.assertUnwritten(table, loaded);
      await transaction.remove(table, loaded);
      this.wrote(table, loaded);
    });
  }

  purge(sql: string, parameters: SqlParameters): Promise<number> {
    return this.write((transaction) => transaction.purge(sql, parameters));
  }

  async tryLock(lock: number): Promise<boolean> {
    return (await this.opened()).tryLock(lock);
  }

  async appendEvents(events: readonly EventRow[]): Promise<number[]> {
    await this.pass('events');
    return (await this.opened()).appendEvents(events);
  }

  async commit(): Promise<void> {
    await this.pass('commit');
    await this.lookAway();
    await this.open?.commit();
    this.open = undefined;
    this.world.rowTimes.committed(this.written);
    const fault = this.world.faults.at('committed');
    if (fault !== undefined) await this.fail(fault, 'committed');
  }

  async rollback(): Promise<void> {
    await this.lookAway();
    await this.open?.rollback();
    this.open = undefined;
  }

  private async read<T>(act: (transaction: EngineTransaction) => Promise<T>): Promise<T> {
    if (this.open === undefined) await this.world.turn();
    await this.pass('read');
    if (this.open !== undefined) return act(this.open);
    if (this.glance === undefined) {
      this.glance = await this.glances.begin(this.tenantId, false);
      this.seenAt = this.world.rowTimes.now;
    }
    return act(this.glance);
  }

  private async write<T>(act: (transaction: EngineTransaction) => Promise<T>): Promise<T> {
    if (this.open === undefined) await this.world.turn();
    await this.pass('write');
    return act(await this.opened());
  }

  private assertUnwritten(table: Table, loaded: readonly Row[]): void {
    const { seenAt } = this;
    if (seenAt === undefined) return;
    const { rowTimes } = this.world;
    const unwritten = loaded.filter((row) => !rowTimes.wasWrittenAfter(seenAt, rowId(this.tenantId, table, row)));
    if (unwritten.length < loaded.length) throw new StaleVersion(table.name, loaded.length, unwritten.length);
  }

  private wrote(table: Table, rows: readonly Row[]): void {
    for (const row of rows) this.written.add(rowId(this.tenantId, table, row));
  }

  private async lookAway(): Promise<void> {
    await this.glance?.rollback();
    this.glance = undefined;
  }

  private async opened(): Promise<EngineTransaction> {
    return (this.open ??= await this.real.begin(this.tenantId, false));
  }

  private async pass(statement: Statement): Promise<void> {
    const fault = this.world.faults.at(statement);
    if (fault !== undefined) await this.fail(fault, statement);
  }

  /** A commit that fails leaves nothing to roll back, as the engines promise; a killed server says nothing any more. */
  private async fail(fault: StatementFault, statement: Statement): Promise<void> {
    const isKilled = fault === 'server killed' || fault === 'server killed after commit';
    if (isKilled || statement === 'commit') await this.rollback();
    if (isKilled) {
      this.world.kill();
      await new Promise(() => undefined);
    }
    throw errorOf(fault);
  }
}
