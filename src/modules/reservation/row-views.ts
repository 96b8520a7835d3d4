import { Clock } from '../../shared/kernel/clock.ts';
import { type RowView, ViewsRowsOf } from '../../shared/outbox/views.ts';
import type { ReservationState } from './domain/reservation.ts';
import { toReservationView } from './handlers/reservation-view.ts';
import { toReservationResponse } from './reservation.dto.ts';
import { reservationsTable } from './storage/reservation.table.ts';

/** Reservations as the API shows them, for an operator who asks what replaying an event would change. */
@ViewsRowsOf(reservationsTable.name, 'reservations')
export class ReservationRows implements RowView<ReservationState> {
  constructor(private readonly clock: Clock) {}

  toView(row: ReservationState): object {
    return toReservationResponse(toReservationView(row, this.clock.now()));
  }
}
