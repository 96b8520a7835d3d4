import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetStockItem, type StockItemView } from '../contract.ts';
import { StockItem } from '../domain/stock-item.ts';
import { assertKnownInPath } from './known-in-path.ts';
import { STOCK_COLUMNS, type StockReadRow, viewOf } from './stock-reads.ts';
import { toStockItemView } from './stock-view.ts';

const STOCK_ITEM = `SELECT ${STOCK_COLUMNS} FROM stock_items s
  WHERE s.tenant_id = :tenant AND s.sku = :sku AND s.location_id = :locationId`;

/** One sku at one location, true at this instant: holds that are over do not count, swept or not. */
@QueryHandler(GetStockItem)
export class GetStockItemHandler implements IQueryHandler<GetStockItem> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
  ) {}

  async execute({ sku, locationId }: GetStockItem): Promise<StockItemView> {
    const at = this.clock.now();
    const [row] = await this.reader.select<StockReadRow>(STOCK_ITEM, { sku, locationId, at });
    if (row !== undefined) {
      return viewOf(row);
    }
    await assertKnownInPath(this.reader, sku, locationId);
    return toStockItemView(StockItem.unstocked(sku, locationId, null).state, 0);
  }
}
