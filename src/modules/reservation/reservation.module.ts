import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Table } from '../../shared/persistence/table.ts';
import { EndedReservations } from './ended-reservations.ts';
import { CancelReservationHandler } from './handlers/cancel-reservation.ts';
import { ConfirmReservationHandler } from './handlers/confirm-reservation.ts';
import { CreateReservationHandler } from './handlers/create-reservation.ts';
import { ExpireDueReservationsHandler } from './handlers/expire-due-reservations.ts';
import { FulfilReservationHandler } from './handlers/fulfil-reservation.ts';
import { GetReservationTimelineHandler } from './handlers/get-reservation-timeline.ts';
import { GetReservationHandler } from './handlers/get-reservation.ts';
import { ListReservationsHandler } from './handlers/list-reservations.ts';
import { HoardingCaps } from './handlers/hoarding-caps.ts';
import { LookUpReservationHandler } from './handlers/look-up-reservation.ts';
import { RecordPickupHandler } from './handlers/record-pickup.ts';
import { RefreshReservationHandler } from './handlers/refresh-reservation.ts';
import { UpdateReservationHandler } from './handlers/update-reservation.ts';
import { ReservationController } from './reservation.controller.ts';
import { ReservationRows } from './row-views.ts';
import { clientTalliesTable } from './storage/client-tally.table.ts';
import { reservationPlacesTable } from './storage/reservation-place.table.ts';
import { Reservations } from './storage/reservation.repository.ts';
import { reservationsTable } from './storage/reservation.table.ts';
import { Sweeper } from './sweeper.ts';

/**
 * Written before every other table: a batch that is run again locks tallies first, and two servers that took them in
 * another order would wait for each other.
 */
export const TALLY_TABLES = [clientTalliesTable] as Table[];

/** In the order in which a batch writes them. */
export const RESERVATION_TABLES = [reservationsTable, reservationPlacesTable] as Table[];

const HANDLERS = [
  CreateReservationHandler,
  UpdateReservationHandler,
  RefreshReservationHandler,
  ConfirmReservationHandler,
  CancelReservationHandler,
  FulfilReservationHandler,
  LookUpReservationHandler,
  RecordPickupHandler,
  ExpireDueReservationsHandler,
  GetReservationHandler,
  GetReservationTimelineHandler,
  ListReservationsHandler,
];

@Module({
  imports: [CqrsModule],
  controllers: [ReservationController],
  providers: [Reservations, HoardingCaps, Sweeper, EndedReservations, ReservationRows, ...HANDLERS],
})
export class ReservationModule {}
