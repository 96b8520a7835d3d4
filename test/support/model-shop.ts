/**
 * DESIGN section 3 in plain maps: what a server has to answer to requests whose lines all ask for a location. Written
 * from the rules and not from the code, so that the two can be compared step by step.
 */
export interface ModelLine {
  readonly sku: string;
  readonly quantity: number;
  readonly locationId: string;
}

export interface ModelReservation {
  readonly id: string;
  status: 'ACTIVE' | 'CONFIRMED' | 'FULFILLED' | 'CANCELLED';
  lines: ModelLine[];
  readonly cartId: string | null;
  orderId: string | null;
  readonly ttlSeconds: number;
  readonly endsAt: number;
  expiresAt: number;
  readonly fulfilledAt: Set<string>;
}

export type Verdict = { readonly status: number; readonly code?: string };

const OK: Verdict = { status: 200 };
const CREATED: Verdict = { status: 201 };
const SHORT: Verdict = { status: 409, code: 'INSUFFICIENT_STOCK' };

export class ModelShop {
  readonly reservations = new Map<string, ModelReservation>();
  private readonly onHands = new Map<string, number>();
  private readonly safety = new Map<string, number>();

  /** @param lifetimeMs HOLD_LIFETIME_MAX_SECONDS in milliseconds */
  constructor(private readonly lifetimeMs: number) {}

  isOver(reservation: ModelReservation, now: number): boolean {
    return reservation.status === 'ACTIVE' && now >= reservation.expiresAt;
  }

  /** The balances of one item as a single read shows them. */
  balances(sku: string, locationId: string, now: number) {
    const onHand = this.onHands.get(`${sku}@${locationId}`) ?? 0;
    const safetyStock = this.safety.get(`${sku}@${locationId}`) ?? 0;
    let [held, committed] = [0, 0];
    for (const reservation of this.reservations.values()) {
      const units = unitsAt(reservation.lines, sku, locationId);
      if (reservation.status === 'ACTIVE' && !this.isOver(reservation, now)) held += units;
      if (reservation.status === 'CONFIRMED' && !reservation.fulfilledAt.has(locationId)) committed += units;
    }
    return { onHand, held, committed, safetyStock, available: onHand - held - committed - safetyStock };
  }

  move(sku: string, locationId: string, delta: number, now: number): Verdict {
    const { onHand, available } = this.balances(sku, locationId, now);
    if (delta < 0 && -delta > available) return SHORT;
    this.onHands.set(`${sku}@${locationId}`, onHand + delta);
    return CREATED;
  }

  count(sku: string, locationId: string, counted: number): Verdict {
    this.onHands.set(`${sku}@${locationId}`, counted);
    return CREATED;
  }

  setSafetyStock(sku: string, locationId: string, units: number): Verdict {
    this.safety.set(`${sku}@${locationId}`, units);
    return OK;
  }

  /** Whether a new reservation is possible; `made` tells the model under which id the server made it. */
  reserve(lines: readonly ModelLine[], cartId: string | null, now: number): Verdict {
    const isOfCart = (one: ModelReservation) =>
      one.cartId === cartId && one.status === 'ACTIVE' && !this.isOver(one, now);
    if (cartId !== null && [...this.reservations.values()].some(isOfCart)) {
      return { status: 409, code: 'CART_ALREADY_RESERVED' };
    }
    return this.fits(lines, undefined, now) ? CREATED : SHORT;
  }

  made(id: string, lines: readonly ModelLine[], cartId: string | null, ttlSeconds: number, now: number): void {
    this.reservations.set(id, {
      id,
      status: 'ACTIVE',
      lines: [...lines],
      cartId,
      orderId: null,
      ttlSeconds,
      endsAt: now + this.lifetimeMs,
      expiresAt: Math.min(now + ttlSeconds * 1000, now + this.lifetimeMs),
      fulfilledAt: new Set(),
    });
  }

  update(reservation: ModelReservation, lines: readonly ModelLine[], ttlSeconds: number | null, now: number): Verdict {
    const refusal = this.refusalUnlessActive(reservation, now);
    if (refusal !== undefined) return refusal;
    if (!this.fits(lines, reservation, now)) return SHORT;
    reservation.lines = [...lines];
    reservation.expiresAt = Math.min(now + (ttlSeconds ?? reservation.ttlSeconds) * 1000, reservation.endsAt);
    return OK;
  }

  refresh(reservation: ModelReservation, ttlSeconds: number | null, now: number): Verdict {
    const refusal = this.refusalUnlessActive(reservation, now);
    if (refusal !== undefined) return refusal;
    const wanted = now + (ttlSeconds ?? reservation.ttlSeconds) * 1000;
    if (wanted > reservation.endsAt && reservation.expiresAt >= reservation.endsAt) {
      return { status: 422, code: 'HOLD_LIFETIME_EXCEEDED' };
    }
    reservation.expiresAt = Math.min(wanted, reservation.endsAt);
    return OK;
  }

  confirm(reservation: ModelReservation, orderId: string, now: number): Verdict {
    if (this.isOver(reservation, now)) return { status: 409, code: 'RESERVATION_EXPIRED' };
    if (reservation.status === 'CANCELLED') return { status: 409, code: 'RESERVATION_NOT_ACTIVE' };
    if (reservation.status !== 'ACTIVE') {
      return reservation.orderId === orderId ? OK : { status: 409, code: 'ALREADY_CONFIRMED' };
    }
    reservation.status = 'CONFIRMED';
    reservation.orderId = orderId;
    return OK;
  }

  cancel(reservation: ModelReservation, now: number): Verdict {
    if (this.isOver(reservation, now)) return { status: 409, code: 'RESERVATION_EXPIRED' };
    if (reservation.status === 'FULFILLED' || reservation.fulfilledAt.size > 0) {
      return { status: 409, code: 'ALREADY_FULFILLED' };
    }
    reservation.status = 'CANCELLED';
    return OK;
  }

  fulfil(reservation: ModelReservation, locationId: string | null, now: number): Verdict {
    const places = [...new Set(reservation.lines.map((line) => line.locationId))];
    if (locationId !== null && !places.includes(locationId)) return { status: 422, code: 'UNKNOWN_LOCATION' };
    if (this.isOver(reservation, now)) return { status: 409, code: 'RESERVATION_EXPIRED' };
    if (reservation.status === 'ACTIVE' || reservation.status === 'CANCELLED') {
      return { status: 409, code: 'RESERVATION_NOT_CONFIRMED' };
    }
    const due = places.filter((place) => (locationId ?? place) === place && !reservation.fulfilledAt.has(place));
    const leaving = reservation.lines.filter((line) => due.includes(line.locationId));
    const isShort = leaving.some((line) => line.quantity > (this.onHands.get(`${line.sku}@${line.locationId}`) ?? 0));
    if (isShort) return SHORT;
    for (const { sku, locationId: place, quantity } of leaving) {
      this.onHands.set(`${sku}@${place}`, (this.onHands.get(`${sku}@${place}`) ?? 0) - quantity);
    }
    for (const place of due) reservation.fulfilledAt.add(place);
    if (places.every((place) => reservation.fulfilledAt.has(place))) reservation.status = 'FULFILLED';
    return OK;
  }

  private refusalUnlessActive(reservation: ModelReservation, now: number): Verdict | undefined {
    if (this.isOver(reservation, now)) return { status: 409, code: 'RESERVATION_EXPIRED' };
    return reservation.status === 'ACTIVE' ? undefined : { status: 409, code: 'RESERVATION_NOT_ACTIVE' };
  }

  /** Own units count as available, and staying is always possible. */
  private fits(lines: readonly ModelLine[], own: ModelReservation | undefined, now: number): boolean {
    return lines.every(({ sku, quantity, locationId }) => {
      const { available } = this.balances(sku, locationId, now);
      const has = own === undefined ? 0 : unitsAt(own.lines, sku, locationId);
      return quantity <= has + Math.max(0, available);
    });
  }
}

function unitsAt(lines: readonly ModelLine[], sku: string, locationId: string): number {
  const here = lines.filter((line) => line.sku === sku && line.locationId === locationId);
  return here.reduce((sum, line) => sum + line.quantity, 0);
}
