import { Injectable } from '@nestjs/common';
import { CentralChanges } from '../../../shared/outbox/central-changes.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { StockMoved } from '../contract.ts';
import { stockSubject } from '../domain/stock-item.ts';
import { movementsTable } from '../storage/movement.table.ts';

/** An item of one location, and how far its store had read of what the centre changed. */
export interface KnownThrough {
  readonly sku: string;
  /** A position in the event log. */
  readonly cursor: number;
}

const UNITS_SINCE = `SELECT COALESCE(SUM(delta), 0) AS "units" FROM movements
  WHERE tenant_id = :tenant AND sku = :sku AND location_id = :locationId AND item_version >= :version
    AND origin IS NULL`;

/** What the centre moved without its store's knowing: fulfilments, transfers, corrections, imports. */
@Injectable()
export class CentralMovements {
  constructor(private readonly changes: CentralChanges) {}

  /**
   * On-hand units that central movements behind the cursor have brought (or, negative, taken), this batch included.
   * The items were loaded before: so whoever moves one meanwhile makes this batch run again.
   * @returns in the order of `asked`
   */
  async unitsBehind(tx: Transaction, locationId: string, asked: readonly KnownThrough[]): Promise<number[]> {
    const versions = await this.changes.firstVersionBehind(
      tx,
      StockMoved.type,
      asked.map(({ sku, cursor }) => ({ subject: stockSubject(sku, locationId), position: cursor })),
    );
    const units: number[] = [];
    for (const [index, { sku }] of asked.entries()) {
      const version = versions[index] ?? null;
      const stored = version === null ? 0 : await this.storedUnits(tx, sku, locationId, version);
      units.push(stored + this.unitsOfBatch(tx, sku, locationId));
    }
    return units;
  }

  private async storedUnits(tx: Transaction, sku: string, locationId: string, version: number): Promise<number> {
    const [row] = await tx.select<{ units: number | string }>(UNITS_SINCE, { sku, locationId, version });
    return Number(row?.units ?? 0);
  }

  /** No event of this batch has a position yet, so it lies behind every cursor. */
  private unitsOfBatch(tx: Transaction, sku: string, locationId: string): number {
    return tx
      .known(movementsTable, (row) => row.sku === sku && row.locationId === locationId && row.origin === null)
      .reduce((sum, { delta }) => sum + delta, 0);
  }
}
