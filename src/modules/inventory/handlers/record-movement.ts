import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { RecordMovement, type StockItemView } from '../contract.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';
import { Holds } from '../storage/hold.repository.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { StockLedger } from './stock-ledger.ts';
import { viewOfItem } from './stock-view.ts';

/** Records goods that came or went. What takes units is a command here and is refused beyond what is available. */
@CommandHandler(RecordMovement)
export class RecordMovementHandler implements ICommandHandler<RecordMovement> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly holds: Holds,
    private readonly ledger: StockLedger,
  ) {}

  execute(command: RecordMovement): Promise<{ movementId: string; stock: StockItemView }> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const product = await this.catalogue.inPath(tx, command.sku, command.locationId);
      const item = await this.items.get(tx, command.sku, command.locationId);
      assertVersionMatches(command.ifMatch, item.version);
      await this.ledger.roomFor(tx, command.movement, product, item, at);
      const { movementId } = this.ledger.move(tx, command.movement, item, at);
      return { movementId, stock: viewOfItem(item, await this.holds.dueUnits(tx, item, at), at) };
    });
  }
}
