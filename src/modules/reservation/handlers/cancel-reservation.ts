import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { ReleaseHold } from '../../inventory/contract.ts';
import { CancelReservation, type ReservationView } from '../contract.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { toReservationView } from './reservation-view.ts';

/** Gives back what is held or committed. */
@CommandHandler(CancelReservation)
export class CancelReservationHandler implements ICommandHandler<CancelReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
  ) {}

  execute(command: CancelReservation): Promise<ReservationView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      const reservation = await this.reservations.getMatching(tx, command.reservationId, command.ifMatch);
      if (reservation.cancel(command.reason, at) === 'changed') {
        await this.commands.execute(new ReleaseHold(reservation.state.id, 'CANCELLED', at));
        this.reservations.save(tx, reservation);
      } else {
        this.reservations.leave(tx, reservation);
      }
      return toReservationView(reservation.state, at);
    });
  }
}
