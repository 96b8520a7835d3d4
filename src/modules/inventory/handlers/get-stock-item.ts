import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetStockItem, type StockItemView } from '../contract.ts';
import { StockItem } from '../domain/stock-item.ts';
import { FreshnessReads } from './freshness-reads.ts';
import { assertKnownInPath } from './known-in-path.ts';
import { STOCK_COLUMNS, STOCK_WITH_FRESHNESS, type StockReadRow, viewOf } from './stock-reads.ts';
import { viewOfItem } from './stock-view.ts';

const STOCK_ITEM = `SELECT ${STOCK_COLUMNS} FROM ${STOCK_WITH_FRESHNESS}
  WHERE s.tenant_id = :tenant AND s.sku = :sku AND s.location_id = :locationId`;

/** One sku at one location, true at this instant: holds that are over do not count, swept or not. */
@QueryHandler(GetStockItem)
export class GetStockItemHandler implements IQueryHandler<GetStockItem> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly freshness: FreshnessReads,
  ) {}

  async execute({ sku, locationId }: GetStockItem): Promise<StockItemView> {
    const at = this.clock.now();
    const [row] = await this.reader.select<StockReadRow>(STOCK_ITEM, { sku, locationId, at });
    if (row !== undefined) {
      return viewOf(row, at);
    }
    await assertKnownInPath(this.reader, sku, locationId);
    const freshness = (await this.freshness.of([locationId])).get(locationId);
    return viewOfItem(StockItem.unstocked(sku, locationId, null, freshness), 0, at);
  }
}
