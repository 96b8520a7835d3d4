import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { type HeldUnits, ListStockWithHolds, type StockWithHolds } from '../contract.ts';
import { FreshnessReads } from './freshness-reads.ts';
import { toStockItemView } from './stock-view.ts';

const NO_ITEM = `NULL AS "onHand", NULL AS "held", NULL AS "committed", NULL AS "incoming", NULL AS "safetyStock",
  NULL AS "version", NULL AS "updatedAt"`;

/** Each state in its own words, because each has its partial index. */
const holdsIn = (state: HeldUnits['state']): string => `
  SELECT p."sku", ${NO_ITEM}, h.hold_id AS "holdId", h.units AS "units", '${state}' AS "state", h.expires_at AS "expiresAt"
  FROM page p JOIN holds h
    ON h.tenant_id = :tenant AND h.sku = p."sku" AND h.location_id = :locationId AND h.state = '${state}'`;

/** One statement, so that an item and its holds are of the same instant. An item comes before its holds: it has no hold id. */
const PAGE = `WITH page AS (
    SELECT sku AS "sku", on_hand AS "onHand", held AS "held", committed AS "committed", incoming AS "incoming",
      safety_stock AS "safetyStock", version AS "version", updated_at AS "updatedAt"
    FROM stock_items WHERE tenant_id = :tenant AND location_id = :locationId AND sku > :afterSku
    ORDER BY sku LIMIT :limit
  )
  SELECT p.*, '' AS "holdId", 0 AS "units", '' AS "state", 0 AS "expiresAt" FROM page p
  UNION ALL ${holdsIn('HELD')}
  UNION ALL ${holdsIn('COMMITTED')}
  ORDER BY "sku", "holdId"`;

interface ItemRow {
  readonly sku: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly safetyStock: number;
  readonly version: number;
  readonly updatedAt: Instant;
}

type PageRow = (ItemRow & { readonly holdId: '' }) | ({ readonly sku: string } & HeldUnits);

/** Stock items of one location with their holds, a page at a time. */
@QueryHandler(ListStockWithHolds)
export class ListStockWithHoldsHandler implements IQueryHandler<ListStockWithHolds> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly freshness: FreshnessReads,
  ) {}

  async execute({ locationId, afterSku, limit }: ListStockWithHolds): Promise<readonly StockWithHolds[]> {
    const at = this.clock.now();
    const freshness = (await this.freshness.of([locationId])).get(locationId);
    // No sku is empty, so all of them come behind it.
    const rows = await this.reader.select<PageRow>(PAGE, { locationId, afterSku: afterSku ?? '', limit });
    const items: (StockWithHolds & { holds: HeldUnits[] })[] = [];
    for (const row of rows) {
      if (isItem(row)) {
        items.push({ ...toStockItemView({ ...row, locationId }, freshness, 0, at), holds: [] });
      } else {
        const { holdId, units, state, expiresAt } = row;
        items.at(-1)?.holds.push({ holdId, units, state, expiresAt: state === 'HELD' ? expiresAt : null });
      }
    }
    return items;
  }
}

function isItem(row: PageRow): row is Extract<PageRow, { holdId: '' }> {
  return row.holdId === '';
}
