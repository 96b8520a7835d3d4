import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import {
  CancelReservation,
  ConfirmReservation,
  CreateReservation,
  FulfilReservation,
  LookUpReservation,
  type ReservationView,
  type WantedLine,
} from '../../reservation/contract.ts';
import type { OrderStream } from '../domain/order-stream.ts';
import { OrderNotPaid, PaidWithoutStock, ReservationNotForOrder } from '../domain/order.errors.ts';
import type { ReadOrderEvent } from '../order-event.ts';

/** Refusals of a confirmation that mean: what was held is held no more, or for somebody else's cancelled cart. */
const HOLD_DIED: ReadonlySet<string> = new Set(['RESERVATION_EXPIRED', 'RESERVATION_NOT_ACTIVE', 'NOT_FOUND']);

/**
 * What an event of an order does, by the commands of reservation. Each is called inside a unit of work; when it throws,
 * the caller undoes what it has done by then.
 */
@Injectable()
export class OrderEffects {
  constructor(private readonly commands: CommandBus) {}

  /** @throws DomainError what the event dies of */
  carryOut(stream: OrderStream, version: number, event: ReadOrderEvent, at: Instant): Promise<void> {
    switch (event.type) {
      case 'order.created':
        return this.create(stream, version, event, at);
      case 'order.paid':
        return this.pay(stream, version, at);
      case 'order.shipped':
        return this.ship(stream, version, event.locationId, at);
      case 'order.cancelled':
        return this.cancel(stream, version, event.reason, at);
    }
  }

  /**
   * A cancellation has overtaken the creation that would have taken a reservation over: what the shop holds by it has no
   * use any more, as if they had come in order.
   */
  async passOver({ state }: OrderStream, version: number, event: ReadOrderEvent): Promise<void> {
    if (!('reservationId' in event) || state.reservationId !== null || version > (state.cancelledBy ?? 0)) return;
    const reservation = await this.lookUp(event.reservationId);
    if (reservation?.status === 'ACTIVE') await this.commands.execute(new CancelReservation(reservation.id, null));
  }

  private async create(
    stream: OrderStream,
    version: number,
    wanted: { lines: readonly WantedLine[] } | { reservationId: string },
    at: Instant,
  ): Promise<void> {
    stream.assertNotCreated();
    const { id: reservationId, lines } =
      'lines' in wanted
        ? await this.commands.execute(new CreateReservation(wanted.lines, null, null))
        : await this.takeOver(wanted.reservationId);
    stream.create(version, { reservationId, lines: askedLines(lines) }, at);
  }

  /** The shop has reserved before it made the order of it; the reservation stays as it is. */
  private async takeOver(reservationId: string): Promise<ReservationView> {
    const reservation = await this.commands.execute(new LookUpReservation(reservationId));
    if (reservation === null) {
      throw new ReservationNotForOrder('NOT_FOUND', `There is no reservation ${reservationId}`);
    }
    const { status } = reservation;
    if (status !== 'ACTIVE') {
      const code = status === 'EXPIRED' ? 'RESERVATION_EXPIRED' : 'RESERVATION_NOT_ACTIVE';
      throw new ReservationNotForOrder(code, `The reservation ${reservationId} is ${status}`);
    }
    return reservation;
  }

  private async pay(stream: OrderStream, version: number, at: Instant): Promise<void> {
    const { orderId, reservationId } = stream.state;
    if (reservationId === null) throw new PaidWithoutStock('no event before it has held anything');
    try {
      await this.commands.execute(new ConfirmReservation(reservationId, orderId));
      stream.pay(version, reservationId, at);
    } catch (error) {
      if (!(error instanceof DomainError) || !HOLD_DIED.has(error.code)) throw error;
      stream.pay(version, await this.holdAnew(stream, reservationId), at);
    }
  }

  /** The hold of an order that is paid now has died: its lines are held once more, and confirmed. */
  private async holdAnew({ state }: OrderStream, reservationId: string): Promise<string> {
    // The shopper may have changed the reservation after the order took it over; one that was purged cannot be asked.
    const died = await this.commands.execute(new LookUpReservation(reservationId));
    const lines = askedLines(died?.lines ?? state.lines);
    try {
      const { id } = await this.commands.execute(new CreateReservation(lines, null, null));
      await this.commands.execute(new ConfirmReservation(id, state.orderId));
      return id;
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind === 'busy') throw error;
      throw new PaidWithoutStock(error.message);
    }
  }

  private async ship(stream: OrderStream, version: number, locationId: string | null, at: Instant): Promise<void> {
    const { orderId, reservationId } = stream.state;
    const reservation = await this.lookUp(reservationId);
    if (reservation === null || reservation.orderId !== orderId) throw new OrderNotPaid();
    const { status } = await this.commands.execute(new FulfilReservation(reservation.id, locationId));
    stream.ship(version, status === 'FULFILLED', at);
  }

  private async cancel(stream: OrderStream, version: number, reason: string | null, at: Instant): Promise<void> {
    const { orderId, reservationId } = stream.state;
    stream.assertNotShipped();
    await this.giveBack(orderId, reservationId, reason);
    stream.cancel(version, at);
  }

  /** What has died already needs no cancelling, and what another order has confirmed is not this one's to give up. */
  private async giveBack(orderId: string, reservationId: string | null, reason: string | null): Promise<void> {
    const reservation = await this.lookUp(reservationId);
    if (reservation === null || reservation.status === 'EXPIRED') return;
    if (reservation.orderId === null || reservation.orderId === orderId) {
      await this.commands.execute(new CancelReservation(reservation.id, reason));
    }
  }

  private async lookUp(reservationId: string | null): Promise<ReservationView | null> {
    return reservationId === null ? null : this.commands.execute(new LookUpReservation(reservationId));
  }
}

function askedLines(lines: readonly WantedLine[]): WantedLine[] {
  return lines.map(({ sku, quantity, locationId }) => ({ sku, quantity, locationId }));
}
