import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetProduct, type ProductView } from '../contract.ts';
import { ProductNotFound } from '../domain/inventory.errors.ts';
import { productsTable } from '../storage/product.table.ts';

@QueryHandler(GetProduct)
export class GetProductHandler implements IQueryHandler<GetProduct> {
  constructor(private readonly reader: Reader) {}

  async execute({ sku }: GetProduct): Promise<ProductView> {
    const row = await this.reader.one(
      this.reader.rows(productsTable, 'product').andWhere('product.sku = :sku', { sku }),
    );
    if (row === undefined) {
      throw new ProductNotFound(sku);
    }
    return row;
  }
}
