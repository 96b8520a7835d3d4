import type { EntityKey } from '../kernel/entity-key.ts';
import { type Pace, SystemPace } from '../kernel/pace.ts';
import { Busy, IdempotencyKeyInFlight } from './persistence.errors.ts';
import type { Transaction } from './transaction.ts';

/** Interactive works wait for a person or a till; bulk works (import, ingestion, sweeping) have time. */
export type WorkClass = 'interactive' | 'bulk';

/** One work on its way through the queue. */
export interface QueuedWork {
  readonly tenantId: string;
  readonly workClass: WorkClass;
  readonly keys: readonly EntityKey[];
  /** Names the request that this work belongs to, so that a repeat in flight can be told from a full queue. */
  readonly requestKey: string | null;
  readonly takesLock: boolean;
  /** Runs the work in the async context of its caller. */
  readonly run: (transaction: Transaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** On the monotonic clock, in milliseconds. Counts only until a batch takes the work. */
  readonly deadline: number;
}

export interface QueueLimits {
  /** Most works of one class that wait. */
  readonly worksMax: number;
  /** Most interactive works of one batch. */
  readonly batchWorksMax: number;
  /** Time that the bulk works of one batch should take together, in milliseconds; one is always taken. */
  readonly bulkSliceMs: number;
}

/** Nobody waits for a batch while no interactive work has come for so long, in milliseconds. */
const QUIET_MS = 1_000;
/** Bulk works then share their commits in larger batches: a store that catches up at night waits for fewer of them. */
const QUIET_SLICES = 8;

/** Weight of the newest batch in the moving average of what a bulk work costs. */
const COST_SMOOTHING = 0.2;

/**
 * Works waiting for their batch: bounded, interactive first, bulk with a guaranteed share, tenants in turn, and each
 * with a deadline. A batch holds works of one tenant.
 */
export class WorkQueue {
  /** Insertion order is the order of turns: a tenant that was served goes to the end. */
  private readonly tenants = new Map<string, Record<WorkClass, QueuedWork[]>>();
  private readonly depth: Record<WorkClass, number> = { interactive: 0, bulk: 0 };
  private readonly requestsInFlight = new Map<string, number>();
  private bulkCostMs = 1;
  /** When an interactive work last came, on the monotonic clock. */
  private interactiveAtMs = -Infinity;
  private stopTimer: (() => void) | undefined;

  constructor(
    private readonly limits: QueueLimits,
    private readonly onExpired: () => void,
    private readonly pace: Pace = new SystemPace(),
  ) {}

  get size(): number {
    return this.depth.interactive + this.depth.bulk;
  }

  depthOf(workClass: WorkClass): number {
    return this.depth[workClass];
  }

  /** @throws Busy when its class is full */
  add(work: QueuedWork): void {
    if (this.depth[work.workClass] >= this.limits.worksMax) {
      throw new Busy('Too many requests are waiting; try again shortly');
    }
    let lanes = this.tenants.get(work.tenantId);
    if (lanes === undefined) {
      lanes = { interactive: [], bulk: [] };
      this.tenants.set(work.tenantId, lanes);
    }
    lanes[work.workClass].push(work);
    if (work.workClass === 'interactive') this.interactiveAtMs = this.pace.elapsedMs();
    this.depth[work.workClass] += 1;
    this.countRequest(work, 1);
    this.armTimer();
  }

  /** The next batch: all works of one tenant, or none when the queue is empty. */
  take(): QueuedWork[] {
    for (const [tenantId, lanes] of this.tenants) {
      this.tenants.delete(tenantId);
      const interactive = lanes.interactive.splice(0, this.limits.batchWorksMax);
      const bulkWorks = Math.max(1, Math.floor(this.bulkSliceMs() / this.bulkCostMs));
      const bulk = lanes.bulk.splice(0, bulkWorks);
      if (lanes.interactive.length + lanes.bulk.length > 0) {
        this.tenants.set(tenantId, lanes);
      }
      this.depth.interactive -= interactive.length;
      this.depth.bulk -= bulk.length;
      if (interactive.length + bulk.length > 0) {
        return [...interactive, ...bulk];
      }
    }
    return [];
  }

  /** A work that was taken has got its outcome. */
  settled(work: QueuedWork): void {
    this.countRequest(work, -1);
  }

  /** Learns what bulk works cost, so that a slice of them stays a slice. */
  observeBulk(works: number, durationMs: number): void {
    this.bulkCostMs += COST_SMOOTHING * (durationMs / works - this.bulkCostMs);
  }

  close(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
  }

  private bulkSliceMs(): number {
    const { bulkSliceMs } = this.limits;
    const isQuiet = this.pace.elapsedMs() - this.interactiveAtMs >= QUIET_MS;
    return isQuiet ? QUIET_SLICES * bulkSliceMs : bulkSliceMs;
  }

  private armTimer(): void {
    if (this.stopTimer !== undefined || this.size === 0) {
      return;
    }
    let first = Infinity;
    for (const lanes of this.tenants.values()) {
      first = Math.min(first, lanes.interactive[0]?.deadline ?? Infinity, lanes.bulk[0]?.deadline ?? Infinity);
    }
    this.stopTimer = this.pace.after(Math.max(1, first - this.pace.elapsedMs()), () => {
      this.stopTimer = undefined;
      this.expire();
      this.armTimer();
    });
  }

  private expire(): void {
    const now = this.pace.elapsedMs();
    for (const work of this.removeWhere(({ deadline }) => deadline <= now)) {
      const repeated = work.requestKey !== null && this.requestsInFlight.has(work.requestKey);
      work.reject(
        repeated
          ? new IdempotencyKeyInFlight()
          : new Busy('The request waited too long for its turn; try again shortly'),
      );
      this.onExpired();
    }
  }

  private removeWhere(test: (work: QueuedWork) => boolean): QueuedWork[] {
    const removed: QueuedWork[] = [];
    for (const [tenantId, lanes] of this.tenants) {
      for (const workClass of ['interactive', 'bulk'] as const) {
        const gone = lanes[workClass].filter(test);
        if (gone.length > 0) {
          lanes[workClass] = lanes[workClass].filter((work) => !test(work));
          this.depth[workClass] -= gone.length;
          removed.push(...gone);
        }
      }
      if (lanes.interactive.length + lanes.bulk.length === 0) {
        this.tenants.delete(tenantId);
      }
    }
    removed.forEach((work) => {
      this.countRequest(work, -1);
    });
    return removed;
  }

  private countRequest(work: QueuedWork, change: 1 | -1): void {
    if (work.requestKey === null) {
      return;
    }
    const count = (this.requestsInFlight.get(work.requestKey) ?? 0) + change;
    if (count === 0) {
      this.requestsInFlight.delete(work.requestKey);
    } else {
      this.requestsInFlight.set(work.requestKey, count);
    }
  }
}
