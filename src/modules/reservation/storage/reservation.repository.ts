import { Injectable } from '@nestjs/common';
import { currentContext } from '../../../shared/kernel/context.ts';
import { assertVersionMatches, type VersionMatch } from '../../../shared/kernel/version-match.ts';
import { Metrics, type ReservationOutcome } from '../../../shared/operations/metrics.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import {
  ReservationCancelled,
  ReservationConfirmed,
  ReservationCreated,
  ReservationExpired,
  ReservationFulfilled,
  ReservationRefreshed,
  ReservationUpdated,
} from '../contract.ts';
import { Reservation, type ReservationState } from '../domain/reservation.ts';
import { ReservationNotFound } from '../domain/reservation.errors.ts';
import { followInTally, loadTally } from './client-tallies.ts';
import { type ReservationPlaceRow, reservationPlacesTable } from './reservation-place.table.ts';
import { reservationsTable } from './reservation.table.ts';

/** What the metrics call each event. */
const OUTCOMES: Readonly<Record<string, ReservationOutcome>> = {
  [ReservationCreated.type]: 'created',
  [ReservationUpdated.type]: 'updated',
  [ReservationRefreshed.type]: 'refreshed',
  [ReservationConfirmed.type]: 'confirmed',
  [ReservationFulfilled.type]: 'fulfilled',
  [ReservationCancelled.type]: 'cancelled',
  [ReservationExpired.type]: 'expired',
};

@Injectable()
export class Reservations {
  constructor(private readonly metrics: Metrics) {}

  async find(tx: Transaction, reservationId: string): Promise<Reservation | undefined> {
    const row = await tx.get(reservationsTable, reservationId);
    return row === undefined ? undefined : this.opened(tx, row);
  }

  /** @throws ReservationNotFound */
  async get(tx: Transaction, reservationId: string): Promise<Reservation> {
    const reservation = await this.find(tx, reservationId);
    if (reservation === undefined) {
      throw new ReservationNotFound(reservationId);
    }
    return reservation;
  }

  /** @throws ReservationNotFound, VersionMismatch */
  async getMatching(tx: Transaction, reservationId: string, ifMatch: VersionMatch | null): Promise<Reservation> {
    const reservation = await this.get(tx, reservationId);
    assertVersionMatches(ifMatch, reservation.version);
    return reservation;
  }

  /** The one that is stored as ACTIVE for the caller's cart; it may be due. */
  async activeOfCart(tx: Transaction, cartId: string): Promise<Reservation | undefined> {
    const rows = await tx.group(reservationsTable, 'cart', currentContext().clientId, cartId);
    const active = rows.find(({ status }) => status === 'ACTIVE');
    return active === undefined ? undefined : this.opened(tx, active);
  }

  /** Whoever may change it needs the tally that follows it. */
  private async opened(tx: Transaction, row: ReservationState): Promise<Reservation> {
    if (row.tallied) await loadTally(tx, row.clientId);
    return Reservation.of(row);
  }

  insert(tx: Transaction, reservation: Reservation): void {
    followInTally(tx, undefined, reservation.state);
    tx.insert(reservationsTable, reservation.state);
    for (const place of placesOf(reservation.state).values()) {
      tx.insert(reservationPlacesTable, place);
    }
    this.recordEvents(tx, reservation);
  }

  /** Stores a changed reservation with its events. */
  save(tx: Transaction, reservation: Reservation): void {
    const before = tx.loaded(reservationsTable, reservation.state.id);
    followInTally(tx, before, reservation.state);
    tx.replace(reservationsTable, reservation.state);
    if (before !== undefined) {
      this.savePlaces(tx, placesOf(before), placesOf(reservation.state));
    }
    this.recordEvents(tx, reservation);
  }

  /**
   * What is answered of one that was found as it was wanted has to be true when it is answered: on PostgreSQL another server may
   * have changed it since it was read, and then the work runs again.
   */
  leave(tx: Transaction, reservation: Reservation): void {
    tx.assume(reservationsTable, reservation.state.id);
  }

  /** Places follow from their reservation, whose version guards them: they need not be read to be changed. */
  private savePlaces(tx: Transaction, before: Places, now: Places): void {
    for (const place of before.values()) {
      const next = now.get(place.locationId);
      if (next?.toPick === place.toPick) continue;
      tx.adopt(reservationPlacesTable, [place]);
      if (next === undefined) tx.remove(reservationPlacesTable, place);
      else tx.replace(reservationPlacesTable, next);
    }
    for (const place of now.values()) {
      if (!before.has(place.locationId)) tx.insert(reservationPlacesTable, place);
    }
  }

  /** Removes reservations that have ended, without an event: what happened to them is past. */
  async remove(tx: Transaction, reservationIds: readonly string[]): Promise<void> {
    await tx.load(reservationIds.map((id) => ({ table: reservationsTable.name, values: [id] })));
    const rows = reservationIds.flatMap((id) => tx.loaded(reservationsTable, id) ?? []);
    for (const row of rows) {
      tx.remove(reservationsTable, row);
      for (const place of tx.adopt(reservationPlacesTable, [...placesOf(row).values()])) {
        tx.remove(reservationPlacesTable, place);
      }
    }
  }

  /** Counts the work as refused if a rule says no; what it did is counted with its events. */
  countRefusal(tx: Transaction): void {
    tx.onSettled((status) => {
      if (status === 'refused') this.metrics.countReservation('refused');
    });
  }

  private recordEvents(tx: Transaction, reservation: Reservation): void {
    const events = reservation.takeEvents();
    tx.record(events);
    tx.onSettled((status) => {
      for (const { type } of status === 'success' ? events : []) {
        const outcome = OUTCOMES[type];
        if (outcome !== undefined) this.metrics.countReservation(outcome);
      }
    });
  }
}

type Places = ReadonlyMap<string, ReservationPlaceRow>;

/** By location id. */
function placesOf({ id, status, lines }: ReservationState): Places {
  const places = new Map<string, ReservationPlaceRow>();
  for (const { locationId, fulfilled } of lines.flatMap(({ allocations }) => allocations)) {
    const toPick = (status === 'CONFIRMED' && !fulfilled) || (places.get(locationId)?.toPick ?? false);
    places.set(locationId, { locationId, reservationId: id, toPick });
  }
  return places;
}
