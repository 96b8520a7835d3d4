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

/** Skus of one statement; shorter lists are filled up, so that there are two statements to prepare and not as many. */
const STATEMENT_SKUS = 250;

/** Goes through what the store has reported since the place, once for all skus, however many those are. */
const later = (skus: number): string => `SELECT sku AS "sku", SUM(delta) AS "units",
    COUNT(CASE WHEN type = 'COUNT' THEN 1 END) AS "counts"
  FROM movements
  WHERE tenant_id = :tenant AND location_id = :locationId AND origin = :locationId
    AND (origin_epoch, origin_sequence) >= (:epoch, :behind)
    AND sku IN (${Array.from({ length: skus }, (_, index) => `:sku${index}`).join(', ')})
  GROUP BY sku`;
const LATER_OF_ONE = later(1);
const LATER_OF_MANY = later(STATEMENT_SKUS);

interface StoredReports {
  readonly sku: string;
  readonly units: number | string;
  readonly counts: number | string;
}

/**
 * Facts that are recorded after later ones of their store, because they could not be in their turn. They leave on-hand
 * as it would be had they come in their turn.
 */
@Injectable()
export class LateFacts {
  constructor(private readonly ledger: StockLedger) {}

  async reportedAfter(tx: Transaction, sku: string, locationId: string, place: StreamPlace): Promise<LaterReports> {
    const [reports] = await this.reportedAfterOf(tx, [sku], locationId, place);
    return reports ?? NOTHING;
  }

  /** @returns in the order of `skus` */
  async reportedAfterOf(
    tx: Transaction,
    skus: readonly string[],
    locationId: string,
    place: StreamPlace,
  ): Promise<LaterReports[]> {
    const stored = new Map<string, StoredReports>();
    for (let start = 0; start < skus.length; start += STATEMENT_SKUS) {
      const rows = await this.stored(tx, skus.slice(start, start + STATEMENT_SKUS), locationId, place);
      for (const row of rows) stored.set(row.sku, row);
    }
    const own = tx.known(movementsTable, (known) => known.locationId === locationId && isLater(known, place));
    return skus.map((sku) => {
      const row = stored.get(sku);
      const ofSku = own.filter((known) => known.sku === sku);
      return {
        units: ofSku.reduce((sum, { delta }) => sum + delta, Number(row?.units ?? 0)),
        isCounted: Number(row?.counts ?? 0) > 0 || ofSku.some(({ type }) => type === 'COUNT'),
      };
    });
  }

  /**
   * What a late fact moved was seen by a later count already: on-hand goes back to what that count made of it.
   * @param onHand before the fact
   */
  restore(tx: Transaction, item: StockItem, onHand: number, place: StreamPlace | null, at: Instant): void {
    this.ledger.settle(tx, onHand, 'Seen by a later count of the store', item, place, at);
  }

  private stored(
    tx: Transaction,
    skus: readonly string[],
    locationId: string,
    { epoch, sequence }: StreamPlace,
  ): Promise<StoredReports[]> {
    // `>=` the number behind: why, says balances-as-of.ts.
    const parameters: Record<string, string | number> = { locationId, epoch, behind: sequence + 1 };
    const width = skus.length === 1 ? 1 : STATEMENT_SKUS;
    for (let index = 0; index < width; index += 1) {
      parameters[`sku${index}`] = skus[Math.min(index, skus.length - 1)] ?? '';
    }
    return tx.select<StoredReports>(width === 1 ? LATER_OF_ONE : LATER_OF_MANY, parameters);
  }
}

const NOTHING: LaterReports = { units: 0, isCounted: false };

function isLater({ origin, originEpoch, originSequence }: MovementRow, { epoch, sequence }: StreamPlace): boolean {
  if (origin === null || originEpoch === null || originSequence === null) return false;
  return originEpoch > epoch || (originEpoch === epoch && originSequence > sequence);
}
