import type { Engine, EngineTransaction, Failure } from '../../src/shared/persistence/engine/engine.ts';

type Step = 'begin' | Exclude<keyof EngineTransaction, 'together' | 'rollback'>;

/** What a fault does at a step: throw instead of doing it, or do it and then throw. */
export interface Fault {
  readonly step: Step | 'any';
  readonly error: Error;
  /** True: the step is done first, so only its answer is lost. */
  readonly after?: boolean;
  /** Of a commit: only of one that has rows of this table. */
  readonly writing?: string;
  /** How often it strikes; default once. */
  times?: number;
  /** How many of these steps pass first; default none. */
  skip?: number;
}

/** An engine between the unit of work and the real one: it counts steps and fails where it is told to. */
export class FaultyEngine implements Engine {
  readonly steps: Step[] = [];
  readonly updatedRows: number[] = [];
  fault: Fault | undefined;

  constructor(private readonly engine: Engine) {}

  async begin(tenantId: string, lockRows: boolean): Promise<EngineTransaction> {
    const transaction = await this.step('begin', () => this.engine.begin(tenantId, lockRows));
    return this.around(transaction);
  }

  classify(error: unknown): Failure {
    return this.engine.classify(error);
  }

  isCertainlyRolledBack(error: unknown): boolean {
    return this.engine.isCertainlyRolledBack(error);
  }

  ping(): Promise<void> {
    return this.engine.ping();
  }

  proveCommit(): Promise<void> {
    return this.engine.proveCommit();
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  private around(real: EngineTransaction): EngineTransaction {
    const written = new Set<string>();
    return {
      loadByKey: (table, keys) => this.step('loadByKey', () => real.loadByKey(table, keys)),
      loadByGroup: (table, group, values) => this.step('loadByGroup', () => real.loadByGroup(table, group, values)),
      select: (sql, parameters) => this.step('select', () => real.select(sql, parameters)),
      selectAcrossTenants: (sql, parameters) =>
        this.step('selectAcrossTenants', () => real.selectAcrossTenants(sql, parameters)),
      lock: (table, key, wait) => this.step('lock', () => real.lock(table, key, wait)),
      together: (steps) => real.together(steps),
      insert: (table, rows) => {
        written.add(table.name);
        return this.step('insert', () => real.insert(table, rows));
      },
      update: (table, rows, loaded) => {
        written.add(table.name);
        this.updatedRows.push(rows.length);
        return this.step('update', () => real.update(table, rows, loaded));
      },
      remove: (table, loaded) => this.step('remove', () => real.remove(table, loaded)),
      purge: (sql, parameters) => this.step('purge', () => real.purge(sql, parameters)),
      purgeAcrossTenants: (sql, parameters) =>
        this.step('purgeAcrossTenants', () => real.purgeAcrossTenants(sql, parameters)),
      tryLock: (lock) => this.step('tryLock', () => real.tryLock(lock)),
      appendEvents: (events) => this.step('appendEvents', () => real.appendEvents(events)),
      commit: () => this.commit(real, written),
      rollback: () => real.rollback(),
    };
  }

  /** A commit that is cut off leaves the connection as a lost one would. */
  private async commit(real: EngineTransaction, written: ReadonlySet<string>): Promise<void> {
    const told = this.faultAt('commit');
    const fault = told?.writing === undefined || written.has(told.writing) ? told : undefined;
    if (fault !== undefined && fault.after !== true && this.strikes(fault)) {
      this.steps.push('commit');
      await real.rollback();
      throw fault.error;
    }
    this.steps.push('commit');
    await real.commit();
    if (fault?.after === true && this.strikes(fault)) throw fault.error;
  }

  private async step<T>(step: Step, act: () => Promise<T>): Promise<T> {
    this.steps.push(step);
    const fault = this.faultAt(step);
    if (fault === undefined) return act();
    if (fault.after === true) {
      const result = await act();
      if (this.strikes(fault)) throw fault.error;
      return result;
    }
    if (this.strikes(fault)) throw fault.error;
    return act();
  }

  private faultAt(step: Step): Fault | undefined {
    return this.fault?.step === step || this.fault?.step === 'any' ? this.fault : undefined;
  }

  private strikes(fault: Fault): boolean {
    const toPass = fault.skip ?? 0;
    if (toPass > 0) {
      fault.skip = toPass - 1;
      return false;
    }
    const left = fault.times ?? 1;
    fault.times = left - 1;
    return left > 0;
  }
}
