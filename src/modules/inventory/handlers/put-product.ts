import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Instant, Clock } from '../../../shared/kernel/clock.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type ProductView, PutProduct } from '../contract.ts';
import { Product, type ProductState } from '../domain/product.ts';
import { productsTable } from '../storage/product.table.ts';
import { StockItems } from '../storage/stock-item.repository.ts';

/** Creates a product or replaces what is said about it; its stock items follow a new threshold in the same commit. */
@CommandHandler(PutProduct)
export class PutProductHandler implements ICommandHandler<PutProduct> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly items: StockItems,
  ) {}

  execute(command: PutProduct): Promise<{ product: ProductView; created: boolean }> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const stored = await tx.get(productsTable, command.sku);
      assertVersionMatches(command.ifMatch, stored?.version ?? 0);
      if (stored === undefined) {
        const created = Product.create(command.sku, command.wanted, at);
        await tx.put(productsTable, created.state);
        tx.record(created.takeEvents());
        return { product: created.state, created: true };
      }
      const product = Product.of(stored);
      if (product.put(command.wanted, at)) {
        await tx.put(productsTable, product.state);
        tx.record(product.takeEvents());
        await this.followThreshold(tx, stored, product.state, at);
      }
      return { product: product.state, created: false };
    });
  }

  private async followThreshold(tx: Transaction, before: ProductState, now: ProductState, at: Instant): Promise<void> {
    if (before.lowStockThreshold === now.lowStockThreshold) {
      return;
    }
    for (const item of await this.items.ofSkus(tx, [now.sku])) {
      item.followThreshold(now.lowStockThreshold, at);
      this.items.save(tx, item);
    }
  }
}
