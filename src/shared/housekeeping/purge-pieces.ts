import { Injectable } from '@nestjs/common';
import { runInContext } from '../kernel/context.ts';
import { Ids } from '../kernel/ids.ts';
import { Metrics } from '../operations/metrics.ts';
import type { SqlParameters } from '../persistence/engine/engine.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { NO_TENANT } from './retention-marks.ts';

/** Any number that nothing else in the database locks: one server purges at a time, others try again later. */
const PURGE_LOCK = 1_618_033_988;

/** What has been deleted; the number is certain when the piece has run. */
export interface Purged {
  rows: number;
}

/**
 * Purging comes in pieces: works of the bulk class, one at a time, each with a bounded number of rows. So requests
 * overtake it, and a batch grows by no more than one piece.
 */
@Injectable()
export class PurgePieces {
  private stopped = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ids: Ids,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  /** Most rows of one piece. */
  get rowsMax(): number {
    return this.settings.purgeChunkRows;
  }

  /** No piece begins any more. */
  stop(): void {
    this.stopped = true;
  }

  /**
   * @param tenantId whose rows they are; NO_TENANT for what belongs to the database
   * @returns false when nothing was done: another server purges now, or this one stops
   * @throws as UnitOfWork.run
   */
  async run(tenantId: string, work: (tx: Transaction) => Promise<void>): Promise<boolean> {
    if (this.stopped) {
      return false;
    }
    const context = { tenantId, clientId: 'retention', correlationId: this.ids.next(), traceparent: null };
    return runInContext(context, () =>
      this.unitOfWork.run({ keys: [], workClass: 'bulk', takesLock: true }, async (tx) => {
        // Two servers that delete the same rows would each make the other's batches run again.
        if (!(await tx.tryLock(PURGE_LOCK))) {
          return false;
        }
        await work(tx);
        return true;
      }),
    );
  }

  /** Deletes by a condition at the end of the batch, and counts what is gone. */
  delete(tx: Transaction, kind: string, sql: string, parameters: SqlParameters): Purged {
    const purged: Purged = { rows: 0 };
    tx.purge(sql, parameters, this.counting(tx, kind, purged));
    return purged;
  }

  /** The same for rows of all tenants, in a work of `NO_TENANT`. */
  deleteAcrossTenants(tx: Transaction, kind: string, sql: string, parameters: SqlParameters): Purged {
    if (tx.tenantId !== NO_TENANT) throw new Error('A work of a tenant purges what is its own');
    const purged: Purged = { rows: 0 };
    tx.purgeAcrossTenants(sql, parameters, this.counting(tx, kind, purged));
    return purged;
  }

  /** Counts rows that the work itself removes. */
  count(tx: Transaction, kind: string, rows: number): void {
    tx.onSettled((status) => {
      if (status === 'success') this.metrics.countPurged(kind, rows);
    });
  }

  private counting(tx: Transaction, kind: string, purged: Purged): (rows: number) => void {
    tx.onSettled((status) => {
      if (status === 'success') this.metrics.countPurged(kind, purged.rows);
    });
    return (rows) => {
      purged.rows = rows;
    };
  }
}
