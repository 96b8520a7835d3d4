import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type HoldOutcome, RenewHold } from '../contract.ts';
import { Holds } from '../storage/hold.repository.ts';
import { StockItems } from '../storage/stock-item.repository.ts';

/** Moves the expiry of a hold, to later or to earlier. */
@CommandHandler(RenewHold)
export class RenewHoldHandler implements ICommandHandler<RenewHold> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly items: StockItems,
    private readonly holds: Holds,
  ) {}

  execute({ holdId, heldUnits, expiresAt, at, keys }: RenewHold): Promise<HoldOutcome> {
    return this.unitOfWork.run({ keys }, async (tx) => {
      const rows = await this.holds.whole(tx, holdId, heldUnits, at);
      if (rows === undefined) {
        return 'over';
      }
      const shortened = rows.filter((row) => expiresAt < row.expiresAt);
      for (const item of await this.items.getAll(tx, shortened)) {
        item.expectExpiry(expiresAt);
        await this.items.save(tx, item);
      }
      for (const row of rows) {
        await this.holds.put(tx, { ...row, expiresAt, version: row.version + 1 });
      }
      return 'done';
    });
  }
}
