import type { Pace } from '../kernel/pace.ts';
import type { Transaction } from './transaction.ts';
import type { WorkClass } from './work-queue.ts';

interface Cost {
  readonly own: Transaction;
  readonly workClass: WorkClass;
  readonly runMs: number;
}

/** What each work of a batch costs: the time that it ran, and of the time that writing took the share of its rows. */
export class BatchCosts {
  private readonly costs: Cost[] = [];
  private last: number;

  constructor(private readonly pace: Pace) {
    this.last = pace.elapsedMs();
  }

  /** A work has run, right behind the one before it. */
  ran(own: Transaction, workClass: WorkClass): void {
    const now = this.pace.elapsedMs();
    this.costs.push({ own, workClass, runMs: now - this.last });
    this.last = now;
  }

  /**
   * All of them are written. Each work is told what it has cost.
   * @returns the bulk works, and what they have cost together, in milliseconds
   */
  written(): { works: number; ms: number } {
    const writeMs = this.pace.elapsedMs() - this.last;
    const rows = this.costs.reduce((sum, { own }) => sum + own.rowsWritten, 0) || 1;
    const bulk = { works: 0, ms: 0 };
    for (const { own, workClass, runMs } of this.costs) {
      own.costMs = runMs + (writeMs * own.rowsWritten) / rows;
      if (workClass === 'bulk') {
        bulk.works += 1;
        bulk.ms += own.costMs;
      }
    }
    return bulk;
  }
}
