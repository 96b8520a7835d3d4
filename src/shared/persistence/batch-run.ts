import type { DomainEvent } from '../kernel/domain-event.ts';
import type { Pace } from '../kernel/pace.ts';
import type { EventRow } from '../outbox/event-log.ts';
import { type LoggedEvent, placed } from '../outbox/stored-event.ts';
import { BatchCosts } from './batch-costs.ts';
import type { Engine, EngineTransaction, Failure } from './engine/engine.ts';
import { IdentityMap } from './identity-map.ts';
import type { Table } from './table.ts';
import { statusOf, Transaction, type WorkStatus } from './transaction.ts';
import type { QueuedWork, WorkQueue } from './work-queue.ts';

/** How one work of a committed batch ended. */
export interface WorkResult {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: unknown;
  /** Tells the work's own observers; called once, after the commit. */
  readonly settle: () => void;
}

export type BatchResult =
  | {
      readonly kind: 'committed';
      readonly outcomes: readonly WorkResult[];
      readonly commitSeconds: number;
      /** What it has appended to the log. */
      readonly events: readonly LoggedEvent[];
      /** Whether it has deleted rows by a condition. */
      readonly purged: boolean;
    }
  /** Nothing was stored. */
  | { readonly kind: Failure; readonly cause: unknown }
  /** COMMIT was sent and nobody knows. */
  | { readonly kind: 'unknown'; readonly cause: unknown };

/** One attempt at one batch: begin, load, run each work in turn, flush, commit. */
export class BatchRun {
  private readonly transactions: Transaction[] = [];
  private events: readonly LoggedEvent[] = [];
  /** The first statement that failed while works ran; set even when the work swallowed the error. */
  private engineFailure: { readonly cause: unknown } | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly tables: ReadonlyMap<string, Table>,
    private readonly toEventRow: (event: DomainEvent) => EventRow,
    private readonly queue: WorkQueue,
    private readonly pace: Pace,
  ) {}

  async run(works: readonly QueuedWork[], lockRows: boolean): Promise<BatchResult> {
    const tenantId = works[0]?.tenantId ?? '';
    let transaction: EngineTransaction;
    try {
      transaction = await this.engine.begin(tenantId, lockRows);
    } catch (error) {
      return this.failed(error);
    }
    let outcomes: WorkResult[];
    try {
      outcomes = await this.runWorks(transaction, tenantId, works);
    } catch (error) {
      await transaction.rollback();
      return this.failed(error);
    }
    return this.commit(transaction, outcomes);
  }

  /** Tells the works' observers that it came to nothing; for an attempt that is not repeated. */
  abandon(): void {
    this.transactions.forEach((transaction) => {
      transaction.settle('error');
    });
  }

  private async runWorks(
    transaction: EngineTransaction,
    tenantId: string,
    works: readonly QueuedWork[],
  ): Promise<WorkResult[]> {
    const map = new IdentityMap(transaction, this.tables);
    const shared = new Map<string, unknown>();
    const events: EventRow[] = [];
    const outcomes: WorkResult[] = [];
    await map.prefetch(works.flatMap(({ keys }) => keys));
    const costs = new BatchCosts(this.pace);
    for (const work of works) {
      const own = new Transaction(tenantId, shared, map, transaction, this.toEventRow, (cause) => {
        this.engineFailure ??= { cause };
      });
      this.transactions.push(own);
      outcomes.push(await this.runWork(work, own));
      events.push(...own.events);
      costs.ran(own, work.workClass);
    }
    await transaction.together([
      ...map.writes(),
      ...this.purges(transaction),
      ...(events.length > 0 ? [() => this.append(transaction, events)] : []),
    ]);
    const bulk = costs.written();
    if (bulk.works > 0) this.queue.observeBulk(bulk.works, bulk.ms);
    return outcomes;
  }

  private async append(transaction: EngineTransaction, events: readonly EventRow[]): Promise<void> {
    const positions = await transaction.appendEvents(events);
    this.events = events.map((event, index) => placed(event, positions[index] as number));
  }

  private purges(transaction: EngineTransaction): (() => Promise<void>)[] {
    return this.transactions.flatMap(({ purges }) =>
      purges.map(({ sql, parameters, acrossTenants, counted }) => async () => {
        counted(
          await (acrossTenants ? transaction.purgeAcrossTenants(sql, parameters) : transaction.purge(sql, parameters)),
        );
      }),
    );
  }

  private async runWork(work: QueuedWork, own: Transaction): Promise<WorkResult> {
    let result: WorkResult;
    try {
      const value = await work.run(own);
      result = { ok: true, value, settle: settling(own, 'success') };
    } catch (error) {
      own.undo();
      result = { ok: false, error, settle: settling(own, statusOf(error)) };
    }
    own.close();
    if (this.engineFailure !== undefined) {
      throw this.engineFailure.cause;
    }
    return result;
  }

  private async commit(transaction: EngineTransaction, outcomes: readonly WorkResult[]): Promise<BatchResult> {
    const from = this.pace.elapsedMs();
    try {
      await transaction.commit();
    } catch (error) {
      return this.engine.isCertainlyRolledBack(error) ? this.failed(error) : { kind: 'unknown', cause: error };
    }
    const commitSeconds = (this.pace.elapsedMs() - from) / 1000;
    const purged = this.transactions.some(({ purges }) => purges.length > 0);
    return { kind: 'committed', outcomes, commitSeconds, events: this.events, purged };
  }

  private failed(cause: unknown): BatchResult {
    return { kind: this.engine.classify(cause), cause };
  }
}

function settling(transaction: Transaction, status: WorkStatus): () => void {
  return () => {
    transaction.settle(status);
  };
}
