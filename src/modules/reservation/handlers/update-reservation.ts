import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CheckHoldLines, HoldStock } from '../../inventory/contract.ts';
import { type ReservationView, UpdateReservation } from '../contract.ts';
import { ReservationIsExpired } from '../domain/reservation.errors.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { HoardingCaps } from './hoarding-caps.ts';
import { toReservationView } from './reservation-view.ts';

/** Only the difference is held or released; as a whole or not at all; renews the time-to-live (DESIGN rule 4). */
@CommandHandler(UpdateReservation)
export class UpdateReservationHandler implements ICommandHandler<UpdateReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
    private readonly caps: HoardingCaps,
  ) {}

  execute(command: UpdateReservation): Promise<ReservationView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      const reservation = await this.reservations.get(tx, command.reservationId);
      await this.commands.execute(new CheckHoldLines(command.lines));
      assertVersionMatches(command.ifMatch, reservation.version);
      reservation.assertActive(at);
      this.caps.assertRenewable(tx, reservation, at);
      const refusal = this.caps.refusalOf(tx, command.lines, reservation);
      if (refusal !== null) throw refusal;
      const expiresAt = reservation.updatedExpiry(command.ttlSeconds, at);
      const { id, lines, expiresAt: expiredAt } = reservation.state;
      const held = await this.commands.execute(new HoldStock(id, command.lines, lines, expiresAt, at));
      if (held.outcome === 'over') {
        throw new ReservationIsExpired(expiredAt);
      }
      reservation.update(held.lines, expiresAt, at);
      this.reservations.save(tx, reservation);
      return toReservationView(reservation.state, at);
    });
  }
}
