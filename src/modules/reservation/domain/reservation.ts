import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import { type Instant, toIsoInstant } from '../../../shared/kernel/clock.ts';
import type { EventDefinition, PayloadOf } from '../../../shared/kernel/domain-event.ts';
import {
  ReservationCancelled,
  ReservationConfirmed,
  ReservationCreated,
  ReservationExpired,
  ReservationFulfilled,
  type ReservationLine,
  ReservationRefreshed,
  type ReservationStatus,
  ReservationUpdated,
  type WantedLine,
} from '../contract.ts';
import {
  AlreadyConfirmed,
  AlreadyFulfilled,
  HoldLifetimeExceeded,
  NothingAtLocation,
  ReservationIsExpired,
  ReservationNotActive,
  ReservationNotConfirmed,
} from './reservation.errors.ts';

/** What the subject of each of its events begins with; the id follows. */
export const RESERVATION_SUBJECT_PREFIX = 'reservation/';

export interface ReservationState {
  readonly id: string;
  /** Whose it is within the tenant: who made it. */
  readonly clientId: string;
  /** As stored: an ACTIVE one may be due, see `statusAt`. */
  readonly status: ReservationStatus;
  readonly lines: readonly ReservationLine[];
  readonly cartId: string | null;
  /** Set by confirm, and kept. */
  readonly orderId: string | null;
  /** The time-to-live that it was made with; an update without one uses it again. */
  readonly ttlSeconds: number;
  readonly expiresAt: Instant;
  /** How often it was updated or refreshed. */
  readonly renewals: number;
  /** Whether it counts for the caps of its client: whoever made it has some. */
  readonly tallied: boolean;
  /** Fixed when it is made: no renewal goes beyond (rule 5). */
  readonly lifetimeEndsAt: Instant;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** A wanted line with where its units were found; the quantities of its allocations add up to its own. */
export interface AllocatedLine extends WantedLine {
  readonly allocations: readonly { readonly locationId: string; readonly quantity: number }[];
}

/**
 * Units of one or more products, set aside for one shopper until `expiresAt`.
 *
 * ACTIVE -> CONFIRMED -> FULFILLED; CANCELLED from ACTIVE or CONFIRMED; EXPIRED from ACTIVE. It is over at the very
 * instant `expiresAt`, whether or not it is stored so (rule 5).
 */
export class Reservation extends Aggregate<ReservationState> {
  /** The reservation as it was stored. */
  static of(state: ReservationState): Reservation {
    return new Reservation(state);
  }

  /** @param wanted.ttlSeconds, wanted.lifetimeMaxSeconds whole seconds, at least 1 */
  static create(wanted: {
    readonly id: string;
    readonly clientId: string;
    readonly lines: readonly AllocatedLine[];
    readonly cartId: string | null;
    readonly ttlSeconds: number;
    readonly lifetimeMaxSeconds: number;
    readonly tallied: boolean;
    readonly at: Instant;
  }): Reservation {
    const { id, clientId, cartId, ttlSeconds, lifetimeMaxSeconds, tallied, at } = wanted;
    const reservation = new Reservation({
      id,
      clientId,
      status: 'ACTIVE',
      lines: unfulfilled(wanted.lines),
      cartId,
      orderId: null,
      ttlSeconds,
      expiresAt: Reservation.expiryOf(ttlSeconds, lifetimeMaxSeconds, at),
      renewals: 0,
      tallied,
      lifetimeEndsAt: secondsAfter(at, lifetimeMaxSeconds),
      createdAt: at,
      updatedAt: at,
      version: 1,
    });
    const { lines, expiresAt } = reservation.state;
    reservation.publish(ReservationCreated, { cartId, lines: linesOf(lines), expiresAt: toIsoInstant(expiresAt) }, at);
    return reservation;
  }

  /** When a reservation made at `at` will be over: its time-to-live, but no longer than the cap. */
  static expiryOf(ttlSeconds: number, lifetimeMaxSeconds: number, at: Instant): Instant {
    return secondsAfter(at, Math.min(ttlSeconds, lifetimeMaxSeconds));
  }

  /** True when it is stored as ACTIVE although its time is over. */
  isDue(at: Instant): boolean {
    return this.state.status === 'ACTIVE' && at >= this.state.expiresAt;
  }

  /** The status that holds at `at`, swept or not. */
  statusAt(at: Instant): ReservationStatus {
    return this.isDue(at) ? 'EXPIRED' : this.state.status;
  }

  /** Units of all lines: what inventory has set aside for it while it is ACTIVE, and commits when it is confirmed. */
  get heldUnits(): number {
    return this.state.lines.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /**
   * @throws ReservationIsExpired when it is EXPIRED or due
   * @throws ReservationNotActive when it is CONFIRMED, FULFILLED or CANCELLED
   */
  assertActive(at: Instant): void {
    this.assertNotExpired(at);
    if (this.state.status !== 'ACTIVE') throw new ReservationNotActive(this.state.status);
  }

  /**
   * Until when an update keeps it: the time-to-live from now, but no longer than the cap, which never refuses an update.
   * @param ttlSeconds null: the one that it was made with
   */
  updatedExpiry(ttlSeconds: number | null, at: Instant): Instant {
    return Math.min(this.wantedExpiry(ttlSeconds, at), this.state.lifetimeEndsAt);
  }

  /**
   * Until when a refresh keeps it. A shorter time-to-live shortens.
   * @param ttlSeconds null: the one that it was made with
   * @throws HoldLifetimeExceeded when more time is wanted and the cap stops any gain
   */
  refreshedExpiry(ttlSeconds: number | null, at: Instant): Instant {
    const { lifetimeEndsAt, expiresAt } = this.state;
    if (this.wantedExpiry(ttlSeconds, at) > lifetimeEndsAt && lifetimeEndsAt <= expiresAt) {
      throw new HoldLifetimeExceeded(lifetimeEndsAt);
    }
    return this.updatedExpiry(ttlSeconds, at);
  }

  /**
   * Takes over the wanted final lines as inventory has sourced them, and the expiry from `updatedExpiry` (rule 4).
   * @throws as assertActive
   */
  update(wanted: readonly AllocatedLine[], expiresAt: Instant, at: Instant): void {
    this.assertActive(at);
    const linesBefore = linesOf(this.state.lines);
    const lines = unfulfilled(wanted);
    this.change({ lines, expiresAt, renewals: this.state.renewals + 1, updatedAt: at });
    this.publish(ReservationUpdated, { linesBefore, lines: linesOf(lines), expiresAt: toIsoInstant(expiresAt) }, at);
  }

  /**
   * Takes over the expiry from `refreshedExpiry`; the lines stay.
   * @throws as assertActive
   */
  refresh(expiresAt: Instant, at: Instant): void {
    this.assertActive(at);
    const expiresAtBefore = toIsoInstant(this.state.expiresAt);
    this.change({ expiresAt, renewals: this.state.renewals + 1, updatedAt: at });
    this.publish(ReservationRefreshed, { expiresAtBefore, expiresAt: toIsoInstant(expiresAt) }, at);
  }

  /**
   * Payment: once (rule 6).
   * @returns 'same' when it was confirmed for this very order before, also after fulfilment
   * @throws AlreadyConfirmed when it was for another order
   * @throws as assertActive
   */
  confirm(orderId: string, at: Instant): 'changed' | 'same' {
    const { status } = this.state;
    if (status === 'CONFIRMED' || status === 'FULFILLED') {
      if (orderId === this.state.orderId) return 'same';
      throw new AlreadyConfirmed(status);
    }
    this.assertActive(at);
    this.change({ status: 'CONFIRMED', orderId, updatedAt: at });
    this.publish(ReservationConfirmed, { orderId, lines: linesOf(this.state.lines) }, at);
    return 'changed';
  }

  /**
   * Gives up an ACTIVE or CONFIRMED reservation.
   * @returns 'same' when it was cancelled before
   * @throws ReservationIsExpired when it is EXPIRED or due
   * @throws AlreadyFulfilled when units have left the shelf, some or all
   */
  cancel(reason: string | null, at: Instant): 'changed' | 'same' {
    const { status, orderId, lines } = this.state;
    if (status === 'CANCELLED') return 'same';
    this.assertNotExpired(at);
    if (lines.some(({ allocations }) => allocations.some(({ fulfilled }) => fulfilled))) {
      throw new AlreadyFulfilled(status);
    }
    this.change({ status: 'CANCELLED', updatedAt: at });
    this.publish(ReservationCancelled, { orderId, reason, lines: linesOf(lines) }, at);
    return 'changed';
  }

  /**
   * The units at one location, or (null) all that are left, were handed over.
   * @returns 'same' when they had been before
   * @throws NothingAtLocation when it has no units there; before any other refusal, as an unknown location is
   * @throws ReservationIsExpired when it is EXPIRED or due
   * @throws ReservationNotConfirmed when it is ACTIVE or CANCELLED
   */
  fulfil(locationId: string | null, at: Instant): 'changed' | 'same' {
    const { status, orderId, lines } = this.state;
    const concerned = lines
      .flatMap(({ allocations }) => allocations)
      .filter((allocation) => locationId === null || allocation.locationId === locationId);
    if (locationId !== null && concerned.length === 0) throw new NothingAtLocation(locationId);
    this.assertNotExpired(at);
    if (status === 'ACTIVE' || status === 'CANCELLED' || orderId === null) throw new ReservationNotConfirmed(status);
    if (concerned.every(({ fulfilled }) => fulfilled)) return 'same';

    const fulfilledLines = markFulfilled(lines, locationId);
    const complete = fulfilledLines.every(({ allocations }) => allocations.every(({ fulfilled }) => fulfilled));
    this.change({ lines: fulfilledLines, status: complete ? 'FULFILLED' : 'CONFIRMED', updatedAt: at });
    this.publish(ReservationFulfilled, { orderId, locationId, complete, lines: linesOf(fulfilledLines) }, at);
    return 'changed';
  }

  /**
   * A fact: a customer took the units at one location.
   * @returns 'same' when they had been handed over before
   * @throws ReservationNotConfirmed unless it is CONFIRMED or FULFILLED
   * @throws NothingAtLocation when it has no units there
   */
  pickUp(locationId: string, at: Instant): 'changed' | 'same' {
    const status = this.statusAt(at);
    if (status !== 'CONFIRMED' && status !== 'FULFILLED') throw new ReservationNotConfirmed(status);
    return this.fulfil(locationId, at);
  }

  /**
   * Stores what time has done.
   * @returns false when there is nothing to store: it is not ACTIVE or not yet due
   */
  expire(at: Instant): boolean {
    if (!this.isDue(at)) return false;
    const { cartId, expiresAt, lines } = this.state;
    this.change({ status: 'EXPIRED', updatedAt: at });
    this.publish(ReservationExpired, { cartId, expiresAt: toIsoInstant(expiresAt), lines: linesOf(lines) }, at);
    return true;
  }

  private wantedExpiry(ttlSeconds: number | null, at: Instant): Instant {
    return secondsAfter(at, ttlSeconds ?? this.state.ttlSeconds);
  }

  private assertNotExpired(at: Instant): void {
    if (this.statusAt(at) === 'EXPIRED') throw new ReservationIsExpired(this.state.expiresAt);
  }

  private publish<Definition extends EventDefinition>(
    { type, version }: Definition,
    data: Omit<PayloadOf<Definition>, 'reservationId'>,
    at: Instant,
  ): void {
    this.record({
      type,
      version,
      subject: subjectOf(this.state.id),
      subjectVersion: this.version,
      locationId: null,
      data: { reservationId: this.state.id, ...data },
      occurredAt: at,
    });
  }
}

/** The name of a reservation in the event log. */
export function subjectOf(reservationId: string): string {
  return `${RESERVATION_SUBJECT_PREFIX}${reservationId}`;
}

function secondsAfter(at: Instant, seconds: number): Instant {
  return at + seconds * 1000;
}

/** New lines, of which nothing has left the shelf yet. */
function unfulfilled(lines: readonly AllocatedLine[]): ReservationLine[] {
  return lines.map(({ sku, quantity, locationId, allocations }) => {
    const found = allocations.reduce((sum, allocation) => sum + allocation.quantity, 0);
    if (found !== quantity) throw new Error(`Bug: ${found} units are allocated to a line of ${quantity} ${sku}`);
    return {
      sku,
      quantity,
      locationId,
      allocations: allocations.map((allocation) => ({
        locationId: allocation.locationId,
        quantity: allocation.quantity,
        fulfilled: false,
      })),
    };
  });
}

function markFulfilled(lines: readonly ReservationLine[], locationId: string | null): ReservationLine[] {
  return lines.map((line) => ({
    ...line,
    allocations: line.allocations.map((allocation) =>
      locationId === null || allocation.locationId === locationId ? { ...allocation, fulfilled: true } : allocation,
    ),
  }));
}

/** The lines as an event carries them: the payload's type knows no readonly. */
function linesOf(lines: readonly ReservationLine[]): PayloadOf<typeof ReservationCreated>['lines'] {
  return lines.map((line) => ({ ...line, allocations: [...line.allocations] }));
}
