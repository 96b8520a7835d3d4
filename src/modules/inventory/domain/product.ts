import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { EventDefinition } from '../../../shared/kernel/domain-event.ts';
import { ProductChanged, ProductCreated } from '../contract.ts';

/** What a caller may say about a product. */
export interface ProductContent {
  readonly name: string;
  /** Available units at or below which a stock item counts as low; null: never. */
  readonly lowStockThreshold: number | null;
  /** False: no new holds and no web sales; everything else goes on. */
  readonly active: boolean;
}

export interface ProductState extends ProductContent {
  readonly sku: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** Something sold. Its stock items follow its threshold (StockItem.followThreshold). */
export class Product extends Aggregate<ProductState> {
  static of(state: ProductState): Product {
    return new Product(state);
  }

  static create(sku: string, { name, lowStockThreshold, active }: ProductContent, at: Instant): Product {
    const content = { sku, name, lowStockThreshold, active };
    const product = new Product({ ...content, createdAt: at, updatedAt: at, version: 1 });
    product.tell(ProductCreated, at);
    return product;
  }

  /**
   * Replaces the content.
   * @returns false when it is the same as before: nothing changed, not even the version
   */
  put({ name, lowStockThreshold, active }: ProductContent, at: Instant): boolean {
    const present = this.state;
    const same = name === present.name && lowStockThreshold === present.lowStockThreshold && active === present.active;
    if (same) return false;
    this.change({ name, lowStockThreshold, active, updatedAt: at });
    this.tell(ProductChanged, at);
    return true;
  }

  private tell({ type, version }: EventDefinition, occurredAt: Instant): void {
    const { sku, name, lowStockThreshold, active, version: subjectVersion } = this.state;
    const data = { sku, name, lowStockThreshold, active };
    this.record({ type, version, subject: `product/${sku}`, subjectVersion, locationId: null, data, occurredAt });
  }
}
