import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Instant, Clock } from '../../../shared/kernel/clock.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { ReceiveTransfer, type TransferView } from '../contract.ts';
import type { Transfer } from '../domain/transfer.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { Transfers } from '../storage/transfer.repository.ts';
import { toTransferView } from './transfer-view.ts';

/** Records what arrived, as facts: all dispatched units come in at the target, and what is missing is written off there. */
@CommandHandler(ReceiveTransfer)
export class ReceiveTransferHandler implements ICommandHandler<ReceiveTransfer> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly items: StockItems,
    private readonly transfers: Transfers,
  ) {}

  execute(command: ReceiveTransfer): Promise<TransferView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const transfer = await this.transfers.get(tx, command.transferId);
      const received = transfer.arrivalOf(command.quantity);
      assertVersionMatches(command.ifMatch, transfer.version);
      if (transfer.receive(received, command.reason, at) === 'changed') {
        await this.bringIn(tx, transfer, received, at);
        this.transfers.save(tx, transfer);
      }
      return toTransferView(transfer.state);
    });
  }

  private async bringIn(tx: Transaction, { state }: Transfer, received: number, at: Instant): Promise<void> {
    const { id: transferId, sku, toLocationId, quantity, reason } = state;
    const target = await this.items.get(tx, sku, toLocationId);
    const movement = { movementId: this.ids.next(), lossId: this.ids.next(), transferId, reason };
    const entries = this.items.change(tx, target, 'TRANSFER_IN', () =>
      target.receive(quantity, received, movement, at),
    );
    for (const entry of entries) {
      this.items.appendToLedger(tx, entry);
    }
    if (received < quantity) {
      this.items.countAttempt(tx, 'WRITE_OFF', toLocationId);
    }
  }
}
