import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { ListReservations, type ReservationView } from '../contract.ts';
import { reservationPlacesTable } from '../storage/reservation-place.table.ts';
import { reservationsTable } from '../storage/reservation.table.ts';
import { toReservationView } from './reservation-view.ts';

/**
 * Reservations, newest first (ids rise with time). ACTIVE leaves out what is due; EXPIRED may lag the sweeper.
 */
@QueryHandler(ListReservations)
export class ListReservationsHandler implements IQueryHandler<ListReservations> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
  ) {}

  async execute({ filter, limit, cursor }: ListReservations): Promise<Page<ReservationView>> {
    const at = this.clock.now();
    // Of all that a client ever had, few are open, and few of all that are open are another's.
    const isOpen = filter.status === 'ACTIVE' || filter.status === 'CONFIRMED';
    const rows = this.reader.rows(reservationsTable, 'reservation', !isOpen).limit(limit + 1);
    // The index that narrows most also gives the order: both sort by the reservation's id.
    const id = filter.locationId === null ? 'reservation.id' : 'place.reservationId';
    rows.orderBy(id, 'DESC');
    for (const property of ['status', 'cartId', 'orderId'] as const) {
      const wanted = filter[property];
      if (wanted !== null) {
        rows.andWhere(`reservation.${property} = :${property}`, { [property]: wanted });
      }
    }
    if (filter.status === 'ACTIVE') {
      // The sum keeps SQLite from the index by expiry, which would have to be read whole and sorted; at a location,
      // where few of them are wanted, that is still the shorter way.
      const expiresAt = filter.locationId === null ? 'reservation.expiresAt + 0' : 'reservation.expiresAt';
      rows.andWhere(`${expiresAt} > :at`, { at });
    }
    if (filter.locationId !== null) {
      rows
        .innerJoin(
          reservationPlacesTable.name,
          'place',
          'place.tenantId = reservation.tenantId AND place.reservationId = reservation.id',
        )
        .andWhere('place.locationId = :locationId', { locationId: filter.locationId });
      // Literals, so that the planner sees the condition of a partial index. Without one of these a store with a long
      // past would read all of it to find the few that are open.
      if (filter.status === 'CONFIRMED') rows.andWhere('place.toPick = TRUE');
      if (filter.status === 'ACTIVE') rows.andWhere("reservation.status = 'ACTIVE'");
    }
    if (cursor !== null) {
      const [before] = decodeCursor(cursor, 'reservations', filter);
      rows.andWhere(`${id} < :before`, { before });
    }
    const page = pageOf(await this.reader.many(rows), limit, (row) => encodeCursor('reservations', filter, [row.id]));
    return { ...page, items: page.items.map((row) => toReservationView(row, at)) };
  }
}
