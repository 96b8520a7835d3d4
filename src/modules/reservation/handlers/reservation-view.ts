import type { Instant } from '../../../shared/kernel/clock.ts';
import type { ReservationView } from '../contract.ts';
import { Reservation, type ReservationState } from '../domain/reservation.ts';

/** A reservation as callers see it at `at`: one that is due reads EXPIRED, swept or not (DESIGN rule 5). */
export function toReservationView(state: ReservationState, at: Instant): ReservationView {
  const { id, lines, cartId, orderId, expiresAt, createdAt, updatedAt, version } = state;
  const status = Reservation.of(state).statusAt(at);
  return { id, status, lines, cartId, orderId, expiresAt, createdAt, updatedAt, version };
}
