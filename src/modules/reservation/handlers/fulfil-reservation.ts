import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CheckLocation, FulfilHold } from '../../inventory/contract.ts';
import { FulfilReservation, type ReservationView } from '../contract.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { toReservationView } from './reservation-view.ts';

/** Committed units leave the shelf, of one location or of all; FULFILLED when none is left. */
@CommandHandler(FulfilReservation)
export class FulfilReservationHandler implements ICommandHandler<FulfilReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
  ) {}

  execute(command: FulfilReservation): Promise<ReservationView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      const { reservationId, locationId, ifMatch } = command;
      const reservation = await this.reservations.get(tx, reservationId);
      if (locationId !== null) {
        await this.commands.execute(new CheckLocation(locationId));
      }
      assertVersionMatches(ifMatch, reservation.version);
      if (reservation.fulfil(locationId, at) === 'changed') {
        await this.commands.execute(new FulfilHold(reservationId, locationId, reservation.state.orderId, at));
        this.reservations.save(tx, reservation);
      } else {
        this.reservations.leave(tx, reservation);
      }
      return toReservationView(reservation.state, at);
    });
  }
}
