import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetSkuStock, type SkuStockView } from '../contract.ts';
import { ProductNotFound } from '../domain/inventory.errors.ts';
import { STOCK_COLUMNS, STOCK_WITH_FRESHNESS, type StockReadRow, viewOf } from './stock-reads.ts';

const SKU_STOCK = `SELECT ${STOCK_COLUMNS} FROM ${STOCK_WITH_FRESHNESS}
  WHERE s.tenant_id = :tenant AND s.sku = :sku ORDER BY s.location_id`;

const KNOWN = 'SELECT sku AS "sku" FROM products WHERE tenant_id = :tenant AND sku = :sku';

/** A sku over all locations that have ever had it, by location id, and the sums. */
@QueryHandler(GetSkuStock)
export class GetSkuStockHandler implements IQueryHandler<GetSkuStock> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
  ) {}

  async execute({ sku }: GetSkuStock): Promise<SkuStockView> {
    const at = this.clock.now();
    const rows = await this.reader.select<StockReadRow>(SKU_STOCK, { sku, at });
    if (rows.length === 0 && (await this.reader.select(KNOWN, { sku })).length === 0) {
      throw new ProductNotFound(sku);
    }
    const locations = rows.map((row) => viewOf(row, at));
    const totals = { onHand: 0, held: 0, committed: 0, incoming: 0, available: 0 };
    for (const item of locations) {
      totals.onHand += item.onHand;
      totals.held += item.held;
      totals.committed += item.committed;
      totals.incoming += item.incoming;
      totals.available += item.available;
    }
    return { sku, totals, locations };
  }
}
