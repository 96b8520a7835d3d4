import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetReservation, type ReservationView } from '../contract.ts';
import { ReservationNotFound } from '../domain/reservation.errors.ts';
import { reservationsTable } from '../storage/reservation.table.ts';
import { toReservationView } from './reservation-view.ts';

@QueryHandler(GetReservation)
export class GetReservationHandler implements IQueryHandler<GetReservation> {
  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
  ) {}

  async execute({ reservationId }: GetReservation): Promise<ReservationView> {
    const row = await this.reader.one(
      this.reader.rows(reservationsTable, 'reservation').andWhere('reservation.id = :reservationId', { reservationId }),
    );
    if (row === undefined) {
      throw new ReservationNotFound(reservationId);
    }
    return toReservationView(row, this.clock.now());
  }
}
