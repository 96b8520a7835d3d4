import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { RenewHold } from '../../inventory/contract.ts';
import { RefreshReservation, type ReservationView } from '../contract.ts';
import { ReservationIsExpired } from '../domain/reservation.errors.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { HoardingCaps } from './hoarding-caps.ts';
import { toReservationView } from './reservation-view.ts';

/** Renews the time-to-live, from now; never revives what is over (DESIGN rule 5). */
@CommandHandler(RefreshReservation)
export class RefreshReservationHandler implements ICommandHandler<RefreshReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
    private readonly caps: HoardingCaps,
  ) {}

  execute(command: RefreshReservation): Promise<ReservationView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      const reservation = await this.reservations.getMatching(tx, command.reservationId, command.ifMatch);
      reservation.assertActive(at);
      const { id, expiresAt: expiredAt } = reservation.state;
      const renewedUntil = reservation.updatedExpiry(command.ttlSeconds, at);
      const outcome = await this.commands.execute(new RenewHold(id, reservation.heldUnits, renewedUntil, at));
      if (outcome === 'over') {
        throw new ReservationIsExpired(expiredAt);
      }
      // Not before inventory was asked: under a clock that stepped back, only it knows that the hold has given way, and
      // what is over is told as over. A refusal here undoes the renewal.
      const expiresAt = reservation.refreshedExpiry(command.ttlSeconds, at);
      this.caps.assertRenewable(tx, reservation, at);
      reservation.refresh(expiresAt, at);
      this.reservations.save(tx, reservation);
      return toReservationView(reservation.state, at);
    });
  }
}
