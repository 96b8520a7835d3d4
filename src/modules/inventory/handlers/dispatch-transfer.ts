import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { DispatchTransfer, type TransferView } from '../contract.ts';
import { Transfer } from '../domain/transfer.ts';
import { Catalogue } from '../storage/catalogue.repository.ts';
import { Room } from '../storage/room.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { Transfers } from '../storage/transfer.repository.ts';
import { toTransferView } from './transfer-view.ts';

/** Sends units on their way: they leave the source as a command, limited by what is available, and are incoming at the target. */
@CommandHandler(DispatchTransfer)
export class DispatchTransferHandler implements ICommandHandler<DispatchTransfer> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly catalogue: Catalogue,
    private readonly items: StockItems,
    private readonly room: Room,
    private readonly transfers: Transfers,
  ) {}

  execute(command: DispatchTransfer): Promise<TransferView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const { sku, fromLocationId, toLocationId, quantity: units } = command.wanted;
      await this.catalogue.productsInBody(tx, [sku]);
      await this.catalogue.locationsInBody(tx, [fromLocationId, toLocationId]);
      const transfer = Transfer.dispatch({ id: this.ids.next(), ...command.wanted }, at);
      const { id: transferId } = transfer.state;
      const { source, target } = await this.transfers.ends(tx, transfer.state);
      // Where the units are to go is no place to take them from.
      const fitsElsewhere = ({ locationId }: { locationId: string }): boolean => locationId !== toLocationId;
      await this.room.make(tx, source, { type: 'TRANSFER_OUT', units, allowed: true, fitsElsewhere }, at);
      const movementId = this.ids.next();
      const entry = this.items.change(tx, source, 'TRANSFER_OUT', () =>
        source.dispatch(units, { movementId, transferId }, at),
      );
      this.items.appendToLedger(tx, entry);
      target.expect(units, transferId, at);
      this.items.save(tx, target);
      this.transfers.insert(tx, transfer);
      return toTransferView(transfer.state);
    });
  }
}
