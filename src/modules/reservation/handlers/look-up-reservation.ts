import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { LookUpReservation, type ReservationView } from '../contract.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { toReservationView } from './reservation-view.ts';

/** Tells another module's handler how a reservation stands within the batch. */
@CommandHandler(LookUpReservation)
export class LookUpReservationHandler implements ICommandHandler<LookUpReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
  ) {}

  execute(command: LookUpReservation): Promise<ReservationView | null> {
    return this.unitOfWork.run(command, async (tx) => {
      const reservation = await this.reservations.find(tx, command.reservationId);
      return reservation === undefined ? null : toReservationView(reservation.state, this.clock.now());
    });
  }
}
