import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { currentContext } from '../kernel/context.ts';
import { DomainError } from '../kernel/domain-error.ts';
import type { EntityKey } from '../kernel/entity-key.ts';
import { type Pace, SystemPace } from '../kernel/pace.ts';
import type { Metrics, WorkOutcome } from '../operations/metrics.ts';
import type { EventRecorder } from '../outbox/event-recorder.ts';
import type { LoggedEvent } from '../outbox/stored-event.ts';
import { BatchRun, type BatchResult } from './batch-run.ts';
import type { Engine } from './engine/engine.ts';
import { Busy, Unavailable } from './persistence.errors.ts';
import type { Table } from './table.ts';
import type { Transaction } from './transaction.ts';
import { type QueuedWork, type QueueLimits, type WorkClass, WorkQueue } from './work-queue.ts';

/** A work may run twice (DESIGN section 5): it touches nothing but its transaction. */
export type Work<T> = (transaction: Transaction) => Promise<T>;

export interface WorkOptions {
  /**
   * Rows that the work will touch, so that its batch loads each table once. What is missing is loaded when asked for,
   * and so is everything for a work that joins another: its keys are the other's to declare.
   */
  readonly keys: readonly EntityKey[];
  /** Default: interactive. */
  readonly workClass?: WorkClass;
  /** Names the request (client and Idempotency-Key), so that a repeat that waits too long is told so. */
  readonly requestKey?: string | null;
  /**
   * It calls `tryLock`, and has to see what the server has left that had the lock before: its batch reads what is committed by
   * then, as one that has lost a race does, and not one state of from before the lock.
   */
  readonly takesLock?: boolean;
}

export interface UnitOfWorkLimits extends QueueLimits {
  /** How long a work waits for a batch to take it, in milliseconds; then 503 BUSY. */
  readonly waitMaxMs: number;
  /** Runs of one batch when other writers are faster each time; then 503 BUSY. */
  readonly attemptsMax: number;
}

type EventListener = (tenantId: string, events: readonly LoggedEvent[]) => void;

/** Where in a work the running code is. */
interface Place {
  readonly unitOfWork: UnitOfWork;
  readonly transaction: Transaction;
  /** Commands around it that have joined the work. */
  readonly depth: number;
}

/** One for the process, since each of them costs every promise a little for as long as the process lives. */
const active = new AsyncLocalStorage<Place>();

/**
 * Longest time that a batch waits for more works while every turn of the event loop brings some, in milliseconds. With
 * 64 connections at full load, batches of 13 works became batches of most of the 64, each with one commit.
 */
const GATHER_MAX_MS = 10;

/** Longest pause before a batch that lost a race runs again, in milliseconds. */
const RERUN_PAUSE_MAX_MS = 50;

/**
 * The only door to a transaction (docs/architecture.md, "The write path"; DESIGN section 5).
 *
 * Works that arrive while a commit is in flight form the next batch: begin, load, run each in turn, flush, commit, and
 * only then are the callers told, refusals and replays too. A work that throws is undone alone.
 */
export class UnitOfWork {
  private readonly outside = AsyncLocalStorage.snapshot();
  private readonly queue: WorkQueue;
  private readonly tables: ReadonlyMap<string, Table>;
  private readonly eventListeners = new Set<EventListener>();
  private readonly purgeListeners = new Set<() => void>();
  private pumping: Promise<void> | undefined;
  /** The last batch found a database that could not be used. A read would not tell when that is over. */
  private inDoubt = false;
  private proving: Promise<void> | undefined;
  private closed = false;

  /** @param tables in the order in which they are written */
  constructor(
    private readonly engine: Engine,
    tables: readonly Table[],
    private readonly events: EventRecorder,
    private readonly metrics: Metrics,
    private readonly limits: UnitOfWorkLimits,
    private readonly pace: Pace = new SystemPace(),
  ) {
    this.tables = new Map(tables.map((table) => [table.name, table]));
    this.queue = new WorkQueue(
      limits,
      () => {
        this.metrics.countWork('busy');
      },
      pace,
    );
  }

  get queuedWorks(): number {
    return this.queue.size;
  }

  /**
   * Runs the work in a transaction and answers when it is on disk. Inside another work it joins that one: same rows,
   * same commit.
   * @throws Busy (503) when the queue is full, the work waited too long, or its batch lost every race
   * @throws Unavailable (503) when the database cannot be used, or nobody knows whether COMMIT was done
   * @throws IdempotencyKeyInFlight (409) when it waited too long for another one with its requestKey
   * @throws whatever the work throws; then nothing of it is stored
   */
  run<T>(options: WorkOptions, work: Work<T>): Promise<T> {
    const place = active.getStore();
    if (place?.unitOfWork !== this) {
      return this.enqueue(options, work);
    }
    const { transaction, depth } = place;
    const inside = { unitOfWork: this, transaction, depth: depth + 1 };
    return transaction.join(depth, () => active.run(inside, work, transaction));
  }

  /**
   * Calls back after each commit that appended events to the log, when the callers of its works have been told.
   * @param listener gets the events and whose they are, in the order of the log; must not throw
   * @returns what ends it
   */
  onEventsStored(listener: EventListener): () => void {
    this.eventListeners.add(listener);
    return () => {
      this.eventListeners.delete(listener);
    };
  }

  /** Calls back after each commit that has deleted rows by a condition, of whatever table. @param listener must not throw */
  onPurged(listener: () => void): void {
    this.purgeListeners.add(listener);
  }

  /**
   * For readiness: a trivial read on the writer; after a batch that failed with the database, a trivial commit, because
   * a disk that takes no writes still reads, and nobody sends works to a server that is not ready.
   * @throws the driver's error
   */
  ping(): Promise<void> {
    if (!this.inDoubt) return this.engine.ping();
    this.proving ??= this.proveCommit().finally(() => {
      this.proving = undefined;
    });
    return this.proving;
  }

  /** Takes no new works, finishes those that wait, closes the connection. */
  async close(): Promise<void> {
    if (this.closed) {
      return;
    }
    this.closed = true;
    while (this.pumping !== undefined) {
      await this.pumping;
    }
    this.queue.close();
    await this.engine.close();
  }

  private enqueue<T>(options: WorkOptions, work: Work<T>): Promise<T> {
    if (this.closed) {
      return Promise.reject(new Unavailable('The server is shutting down'));
    }
    const { workClass = 'interactive', keys, requestKey = null, takesLock = false } = options;
    const { tenantId } = currentContext();
    // Without it a work would read the tenant and correlation id of the work before it in the batch. It does what
    // AsyncLocalStorage.snapshot() does, which on Node 20 costs 16 µs for each work, and this 0.3 µs.
    const caller = new AsyncResource('Work');
    return new Promise<T>((resolve, reject) => {
      this.queue.add({
        tenantId,
        workClass,
        keys,
        requestKey: requestKey === null ? null : `${tenantId} ${requestKey}`,
        takesLock,
        run: (transaction) =>
          caller.runInAsyncScope(() => active.run({ unitOfWork: this, transaction, depth: 0 }, work, transaction)),
        resolve: resolve as (value: unknown) => void,
        reject,
        deadline: this.pace.elapsedMs() + this.limits.waitMaxMs,
      });
      this.metrics.setQueueDepth(workClass, this.queue.depthOf(workClass));
      this.pump();
    });
  }

  private async proveCommit(): Promise<void> {
    while (this.pumping !== undefined) await this.pumping;
    const proof = this.engine.proveCommit();
    // Works that come meanwhile wait as they do for a batch.
    this.pumping = this.outside(() => proof.catch(() => undefined).then(() => this.runBatches()));
    await proof;
    this.inDoubt = false;
  }

  private pump(): void {
    this.pumping ??= this.outside(() => this.runBatches());
  }

  private async runBatches(): Promise<void> {
    try {
      await this.gather();
      for (let works = this.queue.take(); works.length > 0; works = this.queue.take()) {
        this.metrics.setQueueDepth('interactive', this.queue.depthOf('interactive'));
        this.metrics.setQueueDepth('bulk', this.queue.depthOf('bulk'));
        await this.runBatch(works);
        await this.gather();
      }
    } finally {
      this.pumping = undefined;
    }
  }

  /**
   * Waits while every turn of the event loop brings more works, for a little: what the sockets deliver together shares
   * a commit. A single request waits one turn.
   */
  private async gather(): Promise<void> {
    const deadline = this.pace.elapsedMs() + GATHER_MAX_MS;
    let before: number;
    do {
      before = this.queue.size;
      await this.pace.nextTurn();
    } while (
      this.queue.size > before &&
      this.queue.size < this.limits.batchWorksMax &&
      this.pace.elapsedMs() < deadline
    );
  }

  private async runBatch(works: readonly QueuedWork[]): Promise<void> {
    const takesLock = works.some((work) => work.takesLock);
    for (let attempt = 1; ; attempt += 1) {
      const batch = new BatchRun(this.engine, this.tables, (event) => this.events.toRow(event), this.queue, this.pace);
      const result = await batch.run(works, takesLock || attempt > 1);
      if (result.kind === 'stale') {
        this.metrics.countVersionConflict();
        if (attempt < this.limits.attemptsMax) {
          // Two processes that lose to each other in step would go on doing so.
          await this.pace.pause(this.pace.chance() * Math.min(2 ** (attempt - 1), RERUN_PAUSE_MAX_MS));
          continue;
        }
      }
      if (result.kind === 'poison' && works.length > 1) {
        await this.runOneByOne(works);
        return;
      }
      if (result.kind !== 'committed') {
        batch.abandon();
      }
      this.settle(works, result);
      return;
    }
  }

  /** A poisonous request fails alone. */
  private async runOneByOne(works: readonly QueuedWork[]): Promise<void> {
    for (const work of works) {
      await this.runBatch([work]);
    }
  }

  private settle(works: readonly QueuedWork[], result: BatchResult): void {
    if (result.kind === 'unavailable' || result.kind === 'unknown') this.inDoubt = true;
    if (result.kind === 'committed') {
      if (result.events.length > 0) this.inDoubt = false;
      this.metrics.observeBatch({ works: works.length, commitSeconds: result.commitSeconds });
    }
    const counts = { committed: 0, refused: 0, failed: 0 };
    works.forEach((work, index) => {
      this.queue.settled(work);
      if (result.kind === 'committed') {
        const outcome = result.outcomes[index];
        if (outcome === undefined) {
          throw new Error('A batch answers each of its works');
        }
        outcome.settle();
        if (outcome.ok) {
          counts.committed += 1;
          work.resolve(outcome.value);
        } else {
          counts[outcome.error instanceof DomainError ? 'refused' : 'failed'] += 1;
          work.reject(outcome.error);
        }
        return;
      }
      const [outcome, error] = failureOf(result);
      this.metrics.countWork(outcome);
      work.reject(error);
    });
    for (const outcome of ['committed', 'refused', 'failed'] as const) {
      if (counts[outcome] > 0) this.metrics.countWork(outcome, counts[outcome]);
    }
    if (result.kind === 'committed' && result.purged) {
      this.purgeListeners.forEach((listener) => {
        listener();
      });
    }
    const tenantId = works[0]?.tenantId;
    if (result.kind === 'committed' && result.events.length > 0 && tenantId !== undefined) {
      this.eventListeners.forEach((listener) => {
        listener(tenantId, result.events);
      });
    }
  }
}

function failureOf(result: Exclude<BatchResult, { kind: 'committed' }>): [WorkOutcome, unknown] {
  switch (result.kind) {
    case 'busy':
    case 'stale':
      return ['busy', new Busy('Other writers were faster each time; try again shortly')];
    case 'unavailable':
      return ['unavailable', new Unavailable('The database cannot be used now; nothing was changed', {}, result.cause)];
    case 'unknown':
      return [
        'unavailable',
        new Unavailable(
          'The outcome is unknown: the database gave no certain answer to the commit. Ask again with the same Idempotency-Key',
          {},
          result.cause,
        ),
      ];
    case 'poison':
      return ['failed', result.cause];
  }
}
