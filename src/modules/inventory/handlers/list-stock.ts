import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListStock, type StockItemView, type StockState } from '../contract.ts';
import { stockItemsTable } from '../storage/stock-item.table.ts';
import { toStockItemView } from './stock-view.ts';

/** Each state has a flag in the row and a partial index on it. */
const FLAGS: Record<StockState, string> = { low: 'isLow', out: 'isOut', negative: 'isNegative' };

/** Stock items by sku, then location. As a list it may lag the sweeper: holds that are over may still count as held. */
@QueryHandler(ListStock)
export class ListStockHandler implements IQueryHandler<ListStock> {
  constructor(private readonly reader: Reader) {}

  async execute({ filter, limit, cursor }: ListStock): Promise<Page<StockItemView>> {
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
      // A literal, so that the planner sees the condition of the partial index.
      rows.andWhere(`item.${FLAGS[filter.state]} = TRUE`);
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
    return { ...page, items: page.items.map((row) => toStockItemView(row, 0)) };
  }
}
