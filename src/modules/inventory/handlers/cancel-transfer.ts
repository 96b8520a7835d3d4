import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CancelTransfer, type TransferView } from '../contract.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { Transfers } from '../storage/transfer.repository.ts';
import { toTransferView } from './transfer-view.ts';

/** Brings the units back to where they came from; the target no longer waits for them. */
@CommandHandler(CancelTransfer)
export class CancelTransferHandler implements ICommandHandler<CancelTransfer> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly items: StockItems,
    private readonly transfers: Transfers,
  ) {}

  execute(command: CancelTransfer): Promise<TransferView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const transfer = await this.transfers.get(tx, command.transferId);
      assertVersionMatches(command.ifMatch, transfer.version);
      if (transfer.cancel(command.reason, at) === 'changed') {
        const { id: transferId, quantity: units, reason } = transfer.state;
        const { source, target } = await this.transfers.ends(tx, transfer.state);
        const movement = { movementId: this.ids.next(), transferId, reason };
        const entry = this.items.change(tx, source, 'TRANSFER_IN', () => source.takeBack(units, movement, at));
        this.items.appendToLedger(tx, entry);
        target.expectNoMore(units, transferId, at);
        this.items.save(tx, target);
        this.transfers.save(tx, transfer);
      }
      return toTransferView(transfer.state);
    });
  }
}
