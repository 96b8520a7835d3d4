import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CommitHold } from '../../inventory/contract.ts';
import { ConfirmReservation, type ReservationView } from '../contract.ts';
import { ReservationIsExpired } from '../domain/reservation.errors.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { toReservationView } from './reservation-view.ts';

/** Payment, once: held becomes committed. The same order again gets the same answer (DESIGN rule 6). */
@CommandHandler(ConfirmReservation)
export class ConfirmReservationHandler implements ICommandHandler<ConfirmReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
  ) {}

  execute(command: ConfirmReservation): Promise<ReservationView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      const reservation = await this.reservations.getMatching(tx, command.reservationId, command.ifMatch);
      const { id, expiresAt } = reservation.state;
      if (reservation.confirm(command.orderId, at) === 'changed') {
        const outcome = await this.commands.execute(new CommitHold(id, reservation.heldUnits, at));
        if (outcome === 'over') {
          throw new ReservationIsExpired(expiresAt);
        }
        this.reservations.save(tx, reservation);
      } else {
        this.reservations.leave(tx, reservation);
      }
      return toReservationView(reservation.state, at);
    });
  }
}
