import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Ids } from '../../../shared/kernel/ids.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { FulfilHold } from '../contract.ts';
import { InsufficientStock } from '../domain/inventory.errors.ts';
import { Holds } from '../storage/hold.repository.ts';
import { StockItems } from '../storage/stock-item.repository.ts';

/** Committed units leave the shelf, as FULFILMENT movements. All of them or, while on-hand is short anywhere, none. */
@CommandHandler(FulfilHold)
export class FulfilHoldHandler implements ICommandHandler<FulfilHold> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ids: Ids,
    private readonly items: StockItems,
    private readonly holds: Holds,
  ) {}

  execute({ holdId, locationId, reference, at, keys }: FulfilHold): Promise<void> {
    return this.unitOfWork.run({ keys }, async (tx) => {
      const rows = (await this.holds.of(tx, holdId)).filter(
        (row) => row.state === 'COMMITTED' && (locationId === null || row.locationId === locationId),
      );
      const pairs = await this.holds.withItems(tx, rows);
      const short = pairs.filter(({ row, item }) => item.state.onHand < row.units);
      if (short.length > 0) {
        short.forEach(({ row }) => {
          this.items.countAttempt(tx, 'FULFILMENT', row.locationId);
        });
        throw new InsufficientStock(
          short.map(({ row, item }) => ({
            sku: row.sku,
            locationId: row.locationId,
            requested: row.units,
            available: Math.max(0, item.state.onHand),
          })),
        );
      }
      for (const { row, item } of pairs) {
        const entry = this.items.change(tx, item, 'FULFILMENT', () =>
          item.fulfil(row.units, holdId, { movementId: this.ids.next(), reference }, at),
        );
        this.items.appendToLedger(tx, entry);
        this.holds.remove(tx, row);
      }
    });
  }
}
