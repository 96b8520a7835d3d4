import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { StreamPlace } from '../../../shared/kernel/context.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { type MovementRow, movementsTable } from '../storage/movement.table.ts';
import { StockLedger } from './stock-ledger.ts';

/** What a store has reported of an item after a place in its stream. */
export interface LaterReports {
  readonly units: number;
  /** A later count has seen the item as it was after that place. */
  readonly isCounted: boolean;
}

const LATER = `SELECT COALESCE(SUM(delta), 0) AS "units", COUNT(CASE WHEN type = 'COUNT' THEN 1 END) AS "counts"
  FROM movements
  WHERE tenant_id = :tenant AND sku = :sku AND location_id = :locationId AND origin = :locationId
    AND (origin_epoch, origin_sequence) > (:epoch, :sequence)`;

/**
 * Facts that are recorded after later ones of their store, because they could not be in their turn. They leave on-hand
 * as it would be had they come in their turn.
 */
@Injectable()
export class LateFacts {
  constructor(private readonly ledger: StockLedger) {}

  async reportedAfter(tx: Transaction, sku: string, locationId: string, place: StreamPlace): Promise<LaterReports> {
    const [row] = await tx.select<{ units: number | string; counts: number | string }>(LATER, {
      sku,
      locationId,
      ...place,
    });
    const own = tx.known(
      movementsTable,
      (known) => known.sku === sku && known.locationId === locationId && isLater(known, place),
    );
    const units = own.reduce((sum, { delta }) => sum + delta, Number(row?.units ?? 0));
    return { units, isCounted: Number(row?.counts ?? 0) > 0 || own.some(({ type }) => type === 'COUNT') };
  }

  /**
   * What a late fact moved was seen by a later count already: on-hand goes back to what that count made of it.
   * @param onHand before the fact
   */
  restore(tx: Transaction, item: StockItem, onHand: number, place: StreamPlace | null, at: Instant): void {
    this.ledger.settle(tx, onHand, 'Seen by a later count of the store', item, place, at);
  }
}

function isLater({ origin, originEpoch, originSequence }: MovementRow, { epoch, sequence }: StreamPlace): boolean {
  if (origin === null || originEpoch === null || originSequence === null) return false;
  return originEpoch > epoch || (originEpoch === epoch && originSequence > sequence);
}
