import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { FulfilHold } from '../../inventory/contract.ts';
import { RecordPickup } from '../contract.ts';
import { Reservations } from '../storage/reservation.repository.ts';

/** A customer has taken the units at one location; a second report of the same changes nothing. */
@CommandHandler(RecordPickup)
export class RecordPickupHandler implements ICommandHandler<RecordPickup> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
  ) {}

  execute(command: RecordPickup): Promise<void> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      const { reservationId, locationId, late } = command;
      const reservation = await this.reservations.get(tx, reservationId);
      if (reservation.pickUp(locationId, at) === 'changed') {
        const { orderId } = reservation.state;
        const fact = late ? 'late' : 'in order';
        await this.commands.execute(new FulfilHold(reservationId, locationId, orderId, at, fact));
        this.reservations.save(tx, reservation);
      }
    });
  }
}
