import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Instant, Clock } from '../../../shared/kernel/clock.ts';
import { currentContext } from '../../../shared/kernel/context.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { Settings } from '../../../shared/settings.ts';
import { CheckHoldLines, HoldStock, ReleaseHold } from '../../inventory/contract.ts';
import { CreateReservation, type ReservationView } from '../contract.ts';
import { Reservation } from '../domain/reservation.ts';
import { CartAlreadyReserved } from '../domain/reservation.errors.ts';
import { Reservations } from '../storage/reservation.repository.ts';
import { HoardingCaps } from './hoarding-caps.ts';
import { toReservationView } from './reservation-view.ts';

/** Holds all lines or none, and makes a reservation of them. Its id is the opaque holdId that inventory sees. */
@CommandHandler(CreateReservation)
export class CreateReservationHandler implements ICommandHandler<CreateReservation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly settings: Settings,
    private readonly reservations: Reservations,
    private readonly caps: HoardingCaps,
  ) {}

  execute(command: CreateReservation): Promise<ReservationView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      this.reservations.countRefusal(tx);
      if (command.cartId !== null) {
        // What is unknown is refused before the cart is looked at; without a cart, holding says it first anyway.
        await this.commands.execute(new CheckHoldLines(command.lines));
        await this.assertCartIsFree(tx, command.cartId, at);
      }
      const refusal = this.caps.refusalOf(tx, command.lines, null);
      if (refusal !== null) {
        await this.commands.execute(new CheckHoldLines(command.lines));
        throw refusal;
      }
      const id = this.ids.next();
      const ttlSeconds = command.ttlSeconds ?? this.settings.holdTtlSeconds;
      const lifetimeMaxSeconds = this.settings.holdLifetimeMaxSeconds;
      const expiresAt = Reservation.expiryOf(ttlSeconds, lifetimeMaxSeconds, at);
      const { lines } = await this.commands.execute(new HoldStock(id, command.lines, [], expiresAt, at));
      const reservation = Reservation.create({
        id,
        clientId: currentContext().clientId,
        lines,
        cartId: command.cartId,
        ttlSeconds,
        lifetimeMaxSeconds,
        tallied: this.caps.apply,
        at,
      });
      this.reservations.insert(tx, reservation);
      return toReservationView(reservation.state, at);
    });
  }

  /** A cart has at most one ACTIVE reservation. One whose time is over makes way at once. */
  private async assertCartIsFree(tx: Transaction, cartId: string, at: Instant): Promise<void> {
    const other = await this.reservations.activeOfCart(tx, cartId);
    if (other === undefined) {
      return;
    }
    if (!other.expire(at)) {
      throw new CartAlreadyReserved(other.state.id);
    }
    await this.commands.execute(new ReleaseHold(other.state.id, 'EXPIRED', at));
    this.reservations.save(tx, other);
  }
}
