import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { SelectQueryBuilder } from 'typeorm';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
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
const WITHOUT_CAUTION = 'item.onHand - item.held - item.committed - item.safetyStock';

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
    const rows = this.reader
      .rows(stockItemsTable, 'item')
      .orderBy('item.sku')
      .addOrderBy('item.locationId')
      .limit(limit + 1);
    if (filter.skus !== null) {
      rows.andWhere('item.sku IN (:...skus)', { skus: filter.skus });
    }
    if (filter.locationId !== null) {
      rows.andWhere('item.locationId = :locationId', { locationId: filter.locationId });
    }
    if (filter.state !== null) {
      await this.keepState(rows, filter.state, at);
    }
    if (cursor !== null) {
      const [sku, locationId] = decodeCursor(cursor, 'stock', filter);
      rows.andWhere('(item.sku, item.locationId) > (:afterSku, :afterLocationId)', {
        afterSku: sku,
        afterLocationId: locationId,
      });
    }
    const page = pageOf(await this.reader.many(rows), limit, ({ sku, locationId }) =>
      encodeCursor('stock', filter, [sku, locationId]),
    );
    const known = await this.freshness.of(page.items.map(({ locationId }) => locationId));
    return { ...page, items: page.items.map((row) => toStockItemView(row, known.get(row.locationId), 0, at)) };
  }

  /** Where a share of on-hand is left alone more is low or out than the flags know. */
  private async keepState(rows: SelectQueryBuilder<StockItemRow>, state: StockState, at: Instant): Promise<void> {
    // A literal, so that the planner sees the condition of the partial index.
    const kept = [`item.${FLAGS[state]} = TRUE`];
    const locations: Record<string, readonly string[]> = {};
    const bound = BOUNDS[state];
    if (bound !== null) {
      for (const [percent, locationIds] of await this.freshness.cautious(at)) {
        const available = `${WITHOUT_CAUTION} - ${cautionUnitsOf('item.onHand', `${percent}`)}`;
        kept.push(`(item.locationId IN (:...cautious${percent}) AND ${available} <= ${bound})`);
        locations[`cautious${percent}`] = locationIds;
      }
    }
    rows.andWhere(`(${kept.join(' OR ')})`, locations);
  }
}
