import type { Pace } from '../kernel/pace.ts';
import { BatchCosts } from './batch-costs.ts';
import type { Transaction } from './transaction.ts';

/** A batch whose works are run and written by a clock of the test's own. */
class Batch {
  private now = 50;
  readonly costs = new BatchCosts({ elapsedMs: () => this.now } as Pace);

  run(workClass: 'interactive' | 'bulk', ms: number, rowsWritten: number): Transaction {
    this.now += ms;
    const own = { rowsWritten, costMs: 0 } as Transaction;
    this.costs.ran(own, workClass);
    return own;
  }

  write(ms: number): { works: number; ms: number } {
    this.now += ms;
    return this.costs.written();
  }
}

describe('BatchCosts', () => {
  it('shares out the time that writing took by the rows that each work has changed', () => {
    const batch = new Batch();
    const quick = batch.run('interactive', 1, 1);
    const heavy = batch.run('bulk', 2, 18);
    const reading = batch.run('interactive', 3, 0);
    const light = batch.run('bulk', 4, 1);
    expect(batch.write(40)).toEqual({ works: 2, ms: 2 + 36 + 4 + 2 });
    expect([quick, heavy, reading, light].map(({ costMs }) => costMs)).toEqual([3, 38, 3, 6]);
  });

  it('charges nobody with the writing of a batch that writes nothing', () => {
    const batch = new Batch();
    const own = batch.run('bulk', 5, 0);
    expect(batch.write(7)).toEqual({ works: 1, ms: 5 });
    expect(own.costMs).toBe(5);
  });

  it('knows of no bulk works where there are none', () => {
    const batch = new Batch();
    batch.run('interactive', 5, 3);
    expect(batch.write(7)).toEqual({ works: 0, ms: 0 });
  });
});
