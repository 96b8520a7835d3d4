import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Instant, Clock } from '../../../shared/kernel/clock.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { RecordMovement, type StockItemView } from '../contract.ts';
import type { ProductState } from '../domain/product.ts';
import type { StockSight } from '../domain/sourcing.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';
import { Holds } from '../storage/hold.repository.ts';
import { Room } from '../storage/room.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { toStockItemView } from './stock-view.ts';

/** Records goods that came or went. What takes units is a command here and is refused beyond what is available. */
@CommandHandler(RecordMovement)
export class RecordMovementHandler implements ICommandHandler<RecordMovement> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly holds: Holds,
    private readonly room: Room,
  ) {}

  execute(command: RecordMovement): Promise<{ movementId: string; stock: StockItemView }> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const product = await this.catalogue.inPath(tx, command.sku, command.locationId);
      const item = await this.items.get(tx, command.sku, command.locationId);
      assertVersionMatches(command.ifMatch, item.version);
      await this.assertTakeable(tx, command, product, item, at);
      const { quantity, ...movement } = command.movement;
      const movementId = this.ids.next();
      const entry = this.items.change(tx, item, movement.type, () =>
        item.move({ ...movement, units: quantity, movementId }, at),
      );
      this.items.appendToLedger(tx, entry);
      return { movementId, stock: toStockItemView(item.state, await this.holds.dueUnits(tx, item, at)) };
    });
  }

  /** What takes units may have those of holds that are due; what sells has to be for sale, here and elsewhere. */
  private async assertTakeable(
    tx: Transaction,
    { movement: { type, quantity } }: RecordMovement,
    product: ProductState,
    item: StockItem,
    at: Instant,
  ): Promise<void> {
    const units = type === 'ADJUSTMENT' ? -quantity : quantity;
    if (type === 'RECEIPT' || type === 'RETURN' || units < 0) {
      return;
    }
    const allowed = type !== 'SALE' || product.active;
    const fitsElsewhere = ({ sellsOnline }: StockSight): boolean => type !== 'SALE' || sellsOnline;
    await this.room.make(tx, item, { type, units, allowed, fitsElsewhere }, at);
  }
}
