import { Command, Query } from '@nestjs/cqrs';
import { Type } from 'typebox';
import type { Instant } from '../../shared/kernel/clock.ts';
import { currentContext } from '../../shared/kernel/context.ts';
import { defineEvent } from '../../shared/kernel/domain-event.ts';
import type { EntityKey, Keyed } from '../../shared/kernel/entity-key.ts';
import type { Page } from '../../shared/kernel/page.ts';
import type { VersionMatch } from '../../shared/kernel/version-match.ts';
import { HOLD_LINES_MAX, type HoldLine, holdKey, holdLineKeys } from '../inventory/contract.ts';

/*
 * The face of reservation: its commands (in), its queries and its events (out), as plain data. Another module imports
 * this file and nothing else of reservation.
 */

export const LINES_MAX = HOLD_LINES_MAX;
/** Longest time-to-live that a caller may ask for, in seconds (DESIGN section 4). */
export const TTL_SECONDS_MAX = 14_400;

export const RESERVATION_STATUSES = ['ACTIVE', 'CONFIRMED', 'FULFILLED', 'CANCELLED', 'EXPIRED'] as const;
export type ReservationStatus = (typeof RESERVATION_STATUSES)[number];

/** A wanted line; `locationId` null: wherever sourcing finds the units. */
export type WantedLine = HoldLine;

export interface ReservationLine extends WantedLine {
  readonly allocations: readonly { locationId: string; quantity: number; fulfilled: boolean }[];
}

/** A reservation as it is now: an ACTIVE one that is due reads as EXPIRED, swept or not. */
export interface ReservationView {
  readonly id: string;
  readonly status: ReservationStatus;
  readonly lines: readonly ReservationLine[];
  readonly cartId: string | null;
  readonly orderId: string | null;
  readonly expiresAt: Instant;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** One thing that happened to a reservation. */
export interface TimelineItem {
  /** That of its event. */
  readonly type: string;
  readonly at: Instant;
  /** Of the reservation after it. */
  readonly version: number;
  /** Who did it and under which request; null for an end by the clock that nobody has stored yet. */
  readonly clientId: string | null;
  readonly correlationId: string | null;
  /** The key that was sent; null also where nobody was asked for one, or a job did it. */
  readonly keyId: string | null;
  /** What its event says, without the reservation's id. */
  readonly data: Readonly<Record<string, unknown>>;
}

// ---------------------------------------------------------------- keys

export function reservationKey(reservationId: string): EntityKey {
  return { table: 'reservations', values: [reservationId] };
}

/** The ACTIVE reservation of a cart of the caller's, if there is one; another client's cart of this name is another cart. */
export function activeReservationOfCartKey(cartId: string): EntityKey {
  return { table: 'reservations', group: 'cart', values: [currentContext().clientId, cartId] };
}

/** What a caller with caps holds in all; first, so that every batch that locks rows locks this one before others. */
function ownTallyKeys(): EntityKey[] {
  const clientId = currentContext().reach?.clientId ?? null;
  return clientId === null ? [] : [{ table: 'client_tallies', values: [clientId] }];
}

function keysOf(reservationId: string): EntityKey[] {
  return [...ownTallyKeys(), reservationKey(reservationId), holdKey(reservationId)];
}

// ---------------------------------------------------------------- commands

export class CreateReservation extends Command<ReservationView> implements Keyed {
  constructor(
    readonly lines: readonly WantedLine[],
    readonly ttlSeconds: number | null,
    readonly cartId: string | null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    const lineKeys = holdLineKeys(this.lines);
    const cartKeys = this.cartId === null ? [] : [activeReservationOfCartKey(this.cartId)];
    return [...ownTallyKeys(), ...cartKeys, ...lineKeys];
  }
}

/** The wanted final lines; the reservation keeps what it has and only the difference moves (DESIGN rule 4). */
export class UpdateReservation extends Command<ReservationView> implements Keyed {
  constructor(
    readonly reservationId: string,
    readonly lines: readonly WantedLine[],
    readonly ttlSeconds: number | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [...keysOf(this.reservationId), ...holdLineKeys(this.lines)];
  }
}

export class RefreshReservation extends Command<ReservationView> implements Keyed {
  constructor(
    readonly reservationId: string,
    readonly ttlSeconds: number | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return keysOf(this.reservationId);
  }
}

export class ConfirmReservation extends Command<ReservationView> implements Keyed {
  constructor(
    readonly reservationId: string,
    readonly orderId: string,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return keysOf(this.reservationId);
  }
}

export class CancelReservation extends Command<ReservationView> implements Keyed {
  constructor(
    readonly reservationId: string,
    readonly reason: string | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return keysOf(this.reservationId);
  }
}

/** `locationId` null: at every location that still has units of it. */
export class FulfilReservation extends Command<ReservationView> implements Keyed {
  constructor(
    readonly reservationId: string,
    readonly locationId: string | null,
    readonly ifMatch: VersionMatch | null = null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return keysOf(this.reservationId);
  }
}

/**
 * A fact: a customer took the units of a confirmed reservation at one location, although on-hand may be short of them.
 * Refuses with NOT_FOUND, RESERVATION_NOT_CONFIRMED, or UNKNOWN_LOCATION when it has no units there.
 */
export class RecordPickup extends Command<void> implements Keyed {
  /** @param late later reports of the store may have been recorded already */
  constructor(
    readonly reservationId: string,
    readonly locationId: string,
    readonly late = false,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return keysOf(this.reservationId);
  }
}

/**
 * The reservation as the batch has it now, or null. For handlers of other modules inside a unit of work, where a query
 * would see what is committed; it changes nothing.
 */
export class LookUpReservation extends Command<ReservationView | null> implements Keyed {
  constructor(readonly reservationId: string) {
    super();
  }

  get keys(): EntityKey[] {
    return [reservationKey(this.reservationId)];
  }
}

/** Ends those of the named reservations that are due; passes over the others. */
export class ExpireDueReservations extends Command<{ expired: number }> implements Keyed {
  constructor(readonly reservationIds: readonly string[]) {
    super();
  }

  get keys(): EntityKey[] {
    return this.reservationIds.flatMap((id) => [reservationKey(id), holdKey(id)]);
  }
}

// ---------------------------------------------------------------- queries

export class GetReservation extends Query<ReservationView> {
  constructor(readonly reservationId: string) {
    super();
  }
}

/** Everything that happened to a reservation, oldest first. */
export class GetReservationTimeline extends Query<Page<TimelineItem>> {
  constructor(
    readonly reservationId: string,
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

export class ListReservations extends Query<Page<ReservationView>> {
  constructor(
    readonly filter: {
      status: ReservationStatus | null;
      cartId: string | null;
      orderId: string | null;
      locationId: string | null;
    },
    readonly limit: number,
    readonly cursor: string | null,
  ) {
    super();
  }
}

// ---------------------------------------------------------------- events

const id = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$' });
const idOrNull = Type.Union([id, Type.Null()]);
const quantity = Type.Integer({ minimum: 1 });
/** ISO-8601 UTC with milliseconds. */
const instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const closed = { additionalProperties: false } as const;

const lines = Type.Array(
  Type.Object(
    {
      sku: id,
      quantity,
      locationId: idOrNull,
      allocations: Type.Array(Type.Object({ locationId: id, quantity, fulfilled: Type.Boolean() }, closed)),
    },
    closed,
  ),
  { minItems: 1, maxItems: LINES_MAX },
);

export const ReservationCreated = defineEvent(
  'reservation.created',
  1,
  Type.Object({ reservationId: id, cartId: idOrNull, lines, expiresAt: instant }, closed),
);

export const ReservationUpdated = defineEvent(
  'reservation.updated',
  1,
  Type.Object({ reservationId: id, linesBefore: lines, lines, expiresAt: instant }, closed),
);

export const ReservationRefreshed = defineEvent(
  'reservation.refreshed',
  1,
  Type.Object({ reservationId: id, expiresAtBefore: instant, expiresAt: instant }, closed),
);

export const ReservationConfirmed = defineEvent(
  'reservation.confirmed',
  1,
  Type.Object({ reservationId: id, orderId: id, lines }, closed),
);

/** Units left the shelf: of one location, or (`locationId` null) of all that still had some. `complete`: none is left. */
export const ReservationFulfilled = defineEvent(
  'reservation.fulfilled',
  1,
  Type.Object({ reservationId: id, orderId: id, locationId: idOrNull, complete: Type.Boolean(), lines }, closed),
);

export const ReservationCancelled = defineEvent(
  'reservation.cancelled',
  1,
  Type.Object(
    {
      reservationId: id,
      orderId: idOrNull,
      reason: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
      lines,
    },
    closed,
  ),
);

export const ReservationExpired = defineEvent(
  'reservation.expired',
  1,
  Type.Object({ reservationId: id, cartId: idOrNull, expiresAt: instant, lines }, closed),
);

export const RESERVATION_EVENTS = [
  ReservationCreated,
  ReservationUpdated,
  ReservationRefreshed,
  ReservationConfirmed,
  ReservationFulfilled,
  ReservationCancelled,
  ReservationExpired,
] as const;
