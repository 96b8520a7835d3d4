import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { decodeCursor, encodeCursor } from '../../../shared/http/page-cursor.ts';
import { type Instant, Clock, toIsoInstant } from '../../../shared/kernel/clock.ts';
import type { Page } from '../../../shared/kernel/page.ts';
import { EventHistory, type HistoricEvent } from '../../../shared/outbox/event-history.ts';
import { pageOf, Reader } from '../../../shared/persistence/reader.ts';
import { GetReservationTimeline, ReservationExpired, type TimelineItem } from '../contract.ts';
import { Reservation, type ReservationState, subjectOf } from '../domain/reservation.ts';
import { ReservationNotFound } from '../domain/reservation.errors.ts';
import { reservationsTable } from '../storage/reservation.table.ts';

/** An item with the place in the log behind which the next page begins. */
interface Placed {
  readonly item: TimelineItem;
  readonly position: number;
}

/**
 * Everything that happened to a reservation, oldest first, from the event log. Its end by the clock is part of it from
 * the instant `expiresAt`, swept or not, as its status is (DESIGN rule 5).
 */
@QueryHandler(GetReservationTimeline)
export class GetReservationTimelineHandler implements IQueryHandler<GetReservationTimeline> {
  constructor(
    private readonly reader: Reader,
    private readonly history: EventHistory,
    private readonly clock: Clock,
  ) {}

  async execute({ reservationId, limit, cursor }: GetReservationTimeline): Promise<Page<TimelineItem>> {
    const filter = { reservationId };
    const [after] = cursor === null ? [0] : decodeCursor(cursor, 'timeline', filter);
    // The reservation first: what happens to it between the two reads is then among the events.
    const state = await this.reader.one(
      this.reader.rows(reservationsTable, 'reservation').andWhere('reservation.id = :reservationId', { reservationId }),
    );
    if (state === undefined) {
      throw new ReservationNotFound(reservationId);
    }
    const events = await this.history.of(subjectOf(reservationId), Number(after), limit + 1);
    const placed = [...events.map(placedOf), ...endByTheClock(state, events, this.clock.now())];
    const page = pageOf(placed, limit, ({ position }) => encodeCursor('timeline', filter, [position]));
    return { ...page, items: page.items.map(({ item }) => item) };
  }
}

function placedOf({ position, type, subjectVersion, data: told, occurredAt, ...who }: HistoricEvent): Placed {
  const { reservationId: _, ...data } = told as TimelineItem['data'];
  // It was over at `expiresAt`; the event only tells when that was stored.
  const at = type === ReservationExpired.type ? Date.parse(String(data.expiresAt)) : occurredAt;
  const { clientId, keyId, correlationId } = who;
  return { position, item: { type, at, version: subjectVersion, clientId, keyId, correlationId, data } };
}

/** The end of a reservation that is due: what its event will say once it is stored, but nobody has stored it yet. */
function endByTheClock(state: ReservationState, events: readonly HistoricEvent[], at: Instant): Placed[] {
  const { version, expiresAt, cartId, lines } = state;
  const movedOn = events.some(({ subjectVersion }) => subjectVersion > version);
  if (movedOn || !Reservation.of(state).isDue(at)) {
    return [];
  }
  const data = { cartId, expiresAt: toIsoInstant(expiresAt), lines };
  const who = { clientId: null, keyId: null, correlationId: null };
  // Always the last item, so no page begins behind it.
  return [
    { position: Infinity, item: { type: ReservationExpired.type, at: expiresAt, version: version + 1, ...who, data } },
  ];
}
