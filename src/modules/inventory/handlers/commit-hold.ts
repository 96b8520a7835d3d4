import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CommitHold, type HoldOutcome } from '../contract.ts';
import { Holds } from '../storage/hold.repository.ts';
import { StockItems } from '../storage/stock-item.repository.ts';

/** Held becomes committed. Never refused for want of stock: a hold, once given, holds (DESIGN rule 6). */
@CommandHandler(CommitHold)
export class CommitHoldHandler implements ICommandHandler<CommitHold> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly items: StockItems,
    private readonly holds: Holds,
  ) {}

  execute({ holdId, heldUnits, at, keys }: CommitHold): Promise<HoldOutcome> {
    return this.unitOfWork.run({ keys }, async (tx) => {
      const rows = await this.holds.whole(tx, holdId, heldUnits, at);
      if (rows === undefined) {
        return 'over';
      }
      for (const { row, item } of await this.holds.withItems(tx, rows)) {
        this.items.change(tx, item, 'COMMIT', () => {
          item.commit(row.units, holdId, at);
        });
        this.holds.put(tx, { ...row, state: 'COMMITTED', version: row.version + 1 });
      }
      return 'done';
    });
  }
}
