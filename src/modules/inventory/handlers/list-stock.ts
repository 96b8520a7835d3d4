import { setImmediate as nextTurn } from 'node:timers/promises';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { SelectQueryBuilder } from 'typeorm';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { type CursorPosition, decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListStock, type StockItemView, type StockState } from '../contract.ts';
import { type StockItemRow, stockItemsTable } from '../storage/stock-item.table.ts';
import { FreshnessReads } from './freshness-reads.ts';
import { cautionUnitsOf } from './stock-reads.ts';
import { toStockItemView } from './stock-view.ts';

/** Each state has a flag in the row and a partial index on it. */
const FLAGS: Record<StockState, string> = { low: 'isLow', out: 'isOut', negative: 'isNegative' };

/** Available units that make the state; null: those have no part in it. */
const BOUNDS: Record<StockState, string | null> = { low: 'item.lowStockThreshold', out: '0', negative: null };

/** Items that are looked through at a time where no index helps: 1 to 2 ms, in which SQLite answers nothing else. */
const PIECE_ITEMS = 2_000;

type Filter = ListStock['filter'];
type Place = readonly [sku: string, locationId: string];

/** Stock items by sku, then location. As a list it may lag the sweeper: holds that are over may still count as held. */
@QueryHandler(ListStock)
export class ListStockHandler implements IQueryHandler<ListStock> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly freshness: FreshnessReads,
  ) {}

  async execute({ filter, limit, cursor }: ListStock): Promise<Page<StockItemView>> {
    const at = this.clock.now();
    const after = cursor === null ? null : placeOf(decodeCursor(cursor, 'stock', filter));
    const rows = await this.find(filter, after, limit + 1, at);
    const page = pageOf(rows, limit, ({ sku, locationId }) => encodeCursor('stock', filter, [sku, locationId]));
    const known = await this.freshness.of(page.items.map(({ locationId }) => locationId));
    return { ...page, items: page.items.map((row) => toStockItemView(row, known.get(row.locationId), 0, at)) };
  }

  private async find(filter: Filter, after: Place | null, most: number, at: Instant): Promise<StockItemRow[]> {
    const { state } = filter;
    const bound = state === null ? null : BOUNDS[state];
    const cautious = bound === null ? NONE : await this.freshness.cautious(at);
    if (bound !== null && cautious.size > 0) return this.search(filter, after, most, bound, cautious);
    const rows = this.rowsOf(filter, after).limit(most);
    // A literal, so that the planner sees the condition of the partial index.
    if (state !== null) rows.andWhere(`item.${FLAGS[state]} = TRUE`);
    return this.reader.many(rows);
  }

  /**
   * Where a share of on-hand is left alone more is low and out than the flags know, and no index knows how much more. So
   * all items are looked through, piece by piece.
   */
  private async search(
    filter: Filter,
    after: Place | null,
    most: number,
    bound: string,
    cautious: ByPercent,
  ): Promise<StockItemRow[]> {
    const found: StockItemRow[] = [];
    for (let from = after; ;) {
      const last = await this.reader.one(
        this.rowsOf(filter, from)
          .offset(PIECE_ITEMS - 1)
          .limit(1),
      );
      const piece = this.rowsOf(filter, from).limit(most - found.length);
      if (last !== undefined) {
        piece.andWhere('(item.sku, item.locationId) <= (:lastSku, :lastLocationId)', {
          lastSku: last.sku,
          lastLocationId: last.locationId,
        });
      }
      const { caution, locations } = cautionOf(cautious);
      piece.andWhere(`${WITHOUT_CAUTION} - ${caution} <= ${bound}`, locations);
      found.push(...(await this.reader.many(piece)));
      if (last === undefined || found.length === most) return found;
      from = [last.sku, last.locationId];
      await nextTurn();
    }
  }

  private rowsOf({ skus, locationId }: Filter, after: Place | null): SelectQueryBuilder<StockItemRow> {
    const rows = this.reader.rows(stockItemsTable, 'item').orderBy('item.sku').addOrderBy('item.locationId');
    if (skus !== null) rows.andWhere('item.sku IN (:...skus)', { skus });
    if (locationId !== null) rows.andWhere('item.locationId = :locationId', { locationId });
    if (after !== null) {
      const [afterSku, afterLocationId] = after;
      rows.andWhere('(item.sku, item.locationId) > (:afterSku, :afterLocationId)', { afterSku, afterLocationId });
    }
    return rows;
  }
}

function placeOf([sku, locationId]: CursorPosition): Place {
  return [String(sku), String(locationId)];
}

type ByPercent = ReadonlyMap<number, readonly string[]>;
const NONE: ByPercent = new Map();
const WITHOUT_CAUTION = 'item.onHand - item.held - item.committed - item.safetyStock';

/** Units that are left alone, as one expression: the planner would take the condition on locations for one to search by. */
function cautionOf(cautious: ByPercent): { caution: string; locations: Record<string, readonly string[]> } {
  const locations: Record<string, readonly string[]> = {};
  const cases = [...cautious].map(([percent, locationIds]) => {
    locations[`cautious${percent}`] = locationIds;
    return `WHEN item.locationId IN (:...cautious${percent}) THEN ${cautionUnitsOf('item.onHand', `${percent}`)}`;
  });
  return { caution: `CASE ${cases.join(' ')} ELSE 0 END`, locations };
}
