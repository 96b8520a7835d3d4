import { Injectable } from '@nestjs/common';
import { assertVersionMatches, type VersionMatch } from '../../../shared/kernel/version-match.ts';
import { Metrics, type ReservationOutcome } from '../../../shared/operations/metrics.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import {
  ReservationCancelled,
  ReservationConfirmed,
  ReservationCreated,
  ReservationExpired,
  ReservationFulfilled,
  type ReservationLine,
  ReservationRefreshed,
  ReservationUpdated,
} from '../contract.ts';
import { Reservation } from '../domain/reservation.ts';
import { ReservationNotFound } from '../domain/reservation.errors.ts';
import { reservationPlacesTable } from './reservation-place.table.ts';
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

  /** @throws ReservationNotFound */
  async get(tx: Transaction, reservationId: string): Promise<Reservation> {
    const row = await tx.get(reservationsTable, reservationId);
    if (row === undefined) {
      throw new ReservationNotFound(reservationId);
    }
    return Reservation.of(row);
  }

  /** @throws ReservationNotFound, VersionMismatch */
  async getMatching(tx: Transaction, reservationId: string, ifMatch: VersionMatch | null): Promise<Reservation> {
    const reservation = await this.get(tx, reservationId);
    assertVersionMatches(ifMatch, reservation.version);
    return reservation;
  }

  /** The one that is stored as ACTIVE for the cart; it may be due. */
  async activeOfCart(tx: Transaction, cartId: string): Promise<Reservation | undefined> {
    const rows = await tx.group(reservationsTable, 'cart', cartId);
    const active = rows.find(({ status }) => status === 'ACTIVE');
    return active === undefined ? undefined : Reservation.of(active);
  }

  insert(tx: Transaction, reservation: Reservation): void {
    tx.insert(reservationsTable, reservation.state);
    for (const locationId of placesOf(reservation.state.lines)) {
      tx.insert(reservationPlacesTable, { locationId, reservationId: reservation.state.id });
    }
    this.recordEvents(tx, reservation);
  }

  /** Stores a changed reservation with its events. */
  async save(tx: Transaction, reservation: Reservation): Promise<void> {
    const { id, lines } = reservation.state;
    const before = tx.loaded(reservationsTable, id);
    tx.replace(reservationsTable, reservation.state);
    if (before !== undefined && before.lines !== lines) {
      await this.savePlaces(tx, id, placesOf(before.lines), placesOf(lines));
    }
    this.recordEvents(tx, reservation);
  }

  private async savePlaces(
    tx: Transaction,
    reservationId: string,
    before: ReadonlySet<string>,
    now: ReadonlySet<string>,
  ): Promise<void> {
    const come = [...now].filter((locationId) => !before.has(locationId));
    const gone = [...before].filter((locationId) => !now.has(locationId));
    const { name: table } = reservationPlacesTable;
    await tx.load([...come, ...gone].map((locationId) => ({ table, values: [locationId, reservationId] })));
    for (const locationId of come) {
      tx.replace(reservationPlacesTable, { locationId, reservationId });
    }
    for (const locationId of gone) {
      tx.remove(reservationPlacesTable, { locationId, reservationId });
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

function placesOf(lines: readonly ReservationLine[]): Set<string> {
  return new Set(lines.flatMap(({ allocations }) => allocations.map(({ locationId }) => locationId)));
}
