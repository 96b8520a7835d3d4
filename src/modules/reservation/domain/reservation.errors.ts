import { type Instant, toIsoInstant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import type { ReservationStatus } from '../contract.ts';

/*
 * Everything that reservation can refuse. Details become members of the problem document, so none of them is named
 * like one of its own members: `reservationStatus`, because `status` there is the HTTP status.
 */

/** There is no such reservation. */
export class ReservationNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(reservationId: string) {
    super(`There is no reservation ${reservationId}`, { reservationId });
  }
}

/** Its time is over (rule 5), whether or not the sweeper has been there. */
export class ReservationIsExpired extends DomainError {
  readonly code = 'RESERVATION_EXPIRED';
  readonly kind = 'refused';

  constructor(expiresAt: Instant) {
    super(`The reservation was over at ${toIsoInstant(expiresAt)}; make a new one`, {
      expiresAt: toIsoInstant(expiresAt),
    });
  }
}

/** What was asked for needs an ACTIVE reservation. */
export class ReservationNotActive extends DomainError {
  readonly code = 'RESERVATION_NOT_ACTIVE';
  readonly kind = 'refused';

  constructor(status: ReservationStatus) {
    super(`The reservation is ${status}, which only an ACTIVE one allows`, { reservationStatus: status });
  }
}

/** Only what was paid for can be fulfilled. */
export class ReservationNotConfirmed extends DomainError {
  readonly code = 'RESERVATION_NOT_CONFIRMED';
  readonly kind = 'refused';

  constructor(status: ReservationStatus) {
    super(`The reservation is ${status}; only a CONFIRMED one can be fulfilled`, { reservationStatus: status });
  }
}

/** It was confirmed for another order. Which one is left out: it may be another customer's. */
export class AlreadyConfirmed extends DomainError {
  readonly code = 'ALREADY_CONFIRMED';
  readonly kind = 'refused';

  constructor(status: ReservationStatus) {
    super('The reservation was confirmed for another order', { reservationStatus: status });
  }
}

/** Units have left the shelf; that cannot be cancelled any more. */
export class AlreadyFulfilled extends DomainError {
  readonly code = 'ALREADY_FULFILLED';
  readonly kind = 'refused';

  constructor(status: ReservationStatus) {
    super('The reservation was fulfilled, in part or whole, and cannot be cancelled; record a RETURN instead', {
      reservationStatus: status,
    });
  }
}

/** A cart has at most one ACTIVE reservation. */
export class CartAlreadyReserved extends DomainError {
  readonly code = 'CART_ALREADY_RESERVED';
  readonly kind = 'refused';

  constructor(reservationId: string) {
    super(`The cart has the ACTIVE reservation ${reservationId}; update that one`, { reservationId });
  }
}

/** The reservation can be kept to the end of its capped life, but not beyond. */
export class HoldLifetimeExceeded extends DomainError {
  readonly code = 'HOLD_LIFETIME_EXCEEDED';
  readonly kind = 'unprocessable';

  constructor(lifetimeEndsAt: Instant) {
    super(`The reservation cannot be kept beyond ${toIsoInstant(lifetimeEndsAt)}`, {
      lifetimeEndsAt: toIsoInstant(lifetimeEndsAt),
    });
  }
}

/** The caller holds, or has renewed, as much as it may at a time. */
export class CapReached extends DomainError {
  readonly code = 'RATE_LIMITED';
  readonly kind = 'limited';

  /**
   * @param limit which cap, e.g. `units-of-client`
   * @param remaining what could still be had under it
   */
  constructor(
    limit: string,
    max: number,
    remaining: number,
    readonly retryAfterSeconds: number,
  ) {
    super(`No more than ${max} ${limit.replaceAll('-', ' ')} at a time; ${remaining} could still be had`, {
      limit,
      max,
      remaining,
    });
  }
}

/** It has no units at the location that is to fulfil it. */
export class NothingAtLocation extends DomainError {
  readonly code = 'UNKNOWN_LOCATION';
  readonly kind = 'unprocessable';

  constructor(locationId: string) {
    super(`The reservation has no units at ${locationId}`, { locationIds: [locationId] });
  }
}
