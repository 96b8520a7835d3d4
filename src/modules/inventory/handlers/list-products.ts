import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListProducts, type ProductView } from '../contract.ts';
import { productsTable } from '../storage/product.table.ts';

/** All products, by sku. */
@QueryHandler(ListProducts)
export class ListProductsHandler implements IQueryHandler<ListProducts> {
  constructor(private readonly reader: Reader) {}

  async execute({ limit, cursor }: ListProducts): Promise<Page<ProductView>> {
    const rows = this.reader
      .rows(productsTable, 'product')
      .orderBy('product.sku')
      .limit(limit + 1);
    if (cursor !== null) {
      const [after] = decodeCursor(cursor, 'products', {});
      rows.andWhere('product.sku > :after', { after });
    }
    return pageOf(await this.reader.many(rows), limit, ({ sku }) => encodeCursor('products', {}, [sku]));
  }
}
