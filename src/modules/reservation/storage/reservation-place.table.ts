import { defineTable } from '../../../shared/persistence/table.ts';

/** Which reservations have, or had, units at a location: for a store's list. The reservation's version guards it. */
export interface ReservationPlaceRow {
  readonly locationId: string;
  readonly reservationId: string;
  /** Whether units of it wait there to be handed over: it is CONFIRMED and not fulfilled at this location. */
  readonly toPick: boolean;
}

export const reservationPlacesTable = defineTable<ReservationPlaceRow>({
  name: 'reservation_places',
  key: ['locationId', 'reservationId'],
  columns: { locationId: 'text', reservationId: 'text', toPick: 'boolean' },
});
