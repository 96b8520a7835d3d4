import type { HoldLine } from '../../src/modules/inventory/contract.ts';
import type { ReservationView } from '../../src/modules/reservation/contract.ts';
import { type Instant, toIsoInstant } from '../../src/shared/kernel/clock.ts';
import type { RequestOf } from './requests.ts';
import { source } from './sourcing-rules.ts';
import { assertVersion, commit, fulfilUnits, hold, reachable, release, renew } from './stock-rules.ts';
import {
  type Hold,
  holdsOf,
  isDue,
  isOver,
  type Kept,
  Refused,
  unitsOf,
  viewReservation,
  type Work,
  type World,
} from './world.ts';

/* Rules 3 to 6 of DESIGN section 3: reservations and the units that they hold. */

/** HOLD_TTL_SECONDS and HOLD_LIFETIME_MAX_SECONDS of the application under test: short, so that stories meet the cap. */
export const HOLD_TTL_SECONDS = 120;
export const HOLD_LIFETIME_MAX_SECONDS = 600;

export function create(work: Work, { lines, ttlSeconds, cartId }: RequestOf<'create'>): ReservationView {
  const { world, at } = work;
  assertKnown(world, lines);
  makeCartFree(work, cartId);
  const id = work.witness.reservationId;
  const ttl = ttlSeconds ?? HOLD_TTL_SECONDS;
  const lifetimeEndsAt = at + HOLD_LIFETIME_MAX_SECONDS * 1000;
  const expiresAt = Math.min(at + ttl * 1000, lifetimeEndsAt);
  const kept: Kept = {
    id,
    status: 'ACTIVE',
    lines: holdLines(work, id, lines, expiresAt),
    cartId,
    orderId: null,
    expiresAt,
    createdAt: at,
    updatedAt: at,
    version: 0,
    ttlSeconds: ttl,
    lifetimeEndsAt,
  };
  world.reservations.set(id, kept);
  return change(work, kept, {}, 'created', { cartId, lines: kept.lines, expiresAt: toIsoInstant(expiresAt) });
}

/** A cart has at most one ACTIVE reservation; one whose time is over makes way at once. */
function makeCartFree(work: Work, cartId: string | null): void {
  const other = [...work.world.reservations.values()].find(
    (kept) => kept.cartId === cartId && kept.status === 'ACTIVE',
  );
  if (cartId === null || other === undefined) return;
  if (!isOver(other, work.at)) throw new Refused('CART_ALREADY_RESERVED', { reservationId: other.id });
  expire(work, other);
}

/** Rule 4: the wanted final lines; what is held stays, the difference moves, and the time-to-live begins anew. */
export function update(work: Work, request: RequestOf<'update'>): ReservationView {
  const { world, at } = work;
  const { id, lines, ttlSeconds, ifMatch } = request;
  const kept = reservationInPath(world, id);
  assertKnown(world, lines);
  assertVersion(ifMatch, kept.version);
  assertActive(work, kept);
  const expiresAt = Math.min(at + (ttlSeconds ?? kept.ttlSeconds) * 1000, kept.lifetimeEndsAt);
  const linesBefore = kept.lines;
  const next = { lines: holdLines(work, id, lines, expiresAt), expiresAt };
  return change(work, kept, next, 'updated', { linesBefore, lines: next.lines, expiresAt: toIsoInstant(expiresAt) });
}

/** Refused for the cap only when the cap stops any gain; a shorter time-to-live shortens. */
export function refresh(work: Work, { id, ttlSeconds, ifMatch }: RequestOf<'refresh'>): ReservationView {
  const kept = reservationInPath(work.world, id);
  assertVersion(ifMatch, kept.version);
  assertActive(work, kept);
  const wanted = work.at + (ttlSeconds ?? kept.ttlSeconds) * 1000;
  if (wanted > kept.lifetimeEndsAt && kept.expiresAt >= kept.lifetimeEndsAt) {
    throw new Refused('HOLD_LIFETIME_EXCEEDED');
  }
  const expiresAt = Math.min(wanted, kept.lifetimeEndsAt);
  inOrder(holdsOf(work.world, id)).forEach((one) => {
    renew(work, one, expiresAt, one.units);
  });
  const times = { expiresAtBefore: toIsoInstant(kept.expiresAt), expiresAt: toIsoInstant(expiresAt) };
  return change(work, kept, { expiresAt }, 'refreshed', times);
}

/** Payment, once; whatever happened to the item since, a hold that was given holds. */
export function confirm(work: Work, { id, orderId, ifMatch }: RequestOf<'confirm'>): ReservationView {
  const kept = reservationInPath(work.world, id);
  assertVersion(ifMatch, kept.version);
  if (kept.status === 'CONFIRMED' || kept.status === 'FULFILLED') {
    if (kept.orderId !== orderId) throw new Refused('ALREADY_CONFIRMED');
    return viewReservation(kept, work.at);
  }
  assertActive(work, kept);
  inOrder(holdsOf(work.world, id)).forEach((one) => {
    commit(work, one);
  });
  return change(work, kept, { status: 'CONFIRMED', orderId }, 'confirmed', { orderId, lines: kept.lines });
}

/** Gives up what it still has. */
export function cancel(work: Work, { id, ifMatch }: RequestOf<'cancel'>): ReservationView {
  const kept = reservationInPath(work.world, id);
  assertVersion(ifMatch, kept.version);
  if (kept.status === 'CANCELLED') return viewReservation(kept, work.at);
  assertNotExpired(work, kept);
  if (kept.lines.some(({ allocations }) => allocations.some(({ fulfilled }) => fulfilled))) {
    throw new Refused('ALREADY_FULFILLED');
  }
  releaseAll(work, id, 'CANCELLED');
  const { orderId, lines } = kept;
  return change(work, kept, { status: 'CANCELLED' }, 'cancelled', { orderId, reason: null, lines });
}

/** Committed units of one location, or of all, leave on-hand; never twice. */
export function fulfil(
  work: Work,
  { id, locationId, ifMatch }: RequestOf<'fulfil'>,
  by: 'command' | 'pickup' = 'command',
): ReservationView {
  const { world } = work;
  const kept = reservationInPath(world, id);
  const isHere = (place: string): boolean => locationId === null || locationId === place;
  if (locationId !== null && !world.locations.has(locationId)) throw new Refused('UNKNOWN_LOCATION');
  assertVersion(ifMatch, kept.version);
  const concerned = kept.lines.flatMap(({ allocations }) => allocations).filter((one) => isHere(one.locationId));
  if (concerned.length === 0) throw new Refused('UNKNOWN_LOCATION');
  assertNotExpired(work, kept);
  const { status, orderId } = kept;
  if (status === 'ACTIVE' || status === 'CANCELLED' || orderId === null) throw new Refused('RESERVATION_NOT_CONFIRMED');
  if (concerned.every(({ fulfilled }) => fulfilled)) return viewReservation(kept, work.at);

  fulfilUnits(work, inOrder(holdsOf(world, id).filter((one) => isHere(one.locationId))), orderId, by);
  const lines = kept.lines.map((line) => ({
    ...line,
    allocations: line.allocations.map((one) => (isHere(one.locationId) ? { ...one, fulfilled: true } : one)),
  }));
  const complete = holdsOf(world, id).length === 0;
  const next = { lines, status: complete ? ('FULFILLED' as const) : ('CONFIRMED' as const) };
  return change(work, kept, next, 'fulfilled', { orderId, locationId, complete, lines });
}

/** The sweeper: stores what time has done to those of the named reservations that are due. */
export function sweep(work: Work, { ids }: RequestOf<'sweep'>): { expired: number } {
  const due = ids.map((id) => reservationInPath(work.world, id)).filter((kept) => isOver(kept, work.at));
  new Set(due).forEach((kept) => {
    expire(work, kept);
  });
  return { expired: new Set(due).size };
}

function expire(work: Work, kept: Kept): void {
  const { id, cartId, expiresAt, lines } = kept;
  releaseAll(work, id, 'EXPIRED');
  change(work, kept, { status: 'EXPIRED' }, 'expired', { cartId, expiresAt: toIsoInstant(expiresAt), lines });
}

/** Makes the hold be exactly these lines, by the difference alone, or refuses with every short line. */
function holdLines(work: Work, holdId: string, lines: readonly HoldLine[], expiresAt: Instant): Kept['lines'] {
  const { world } = work;
  const before = holdsOf(world, holdId);
  const ownAt = (sku: string, place: string): number =>
    unitsOf(before.filter((one) => one.sku === sku && one.locationId === place));
  const openAt = (sku: string, place: string): number =>
    (world.reservations.get(holdId)?.lines ?? [])
      .filter((line) => line.sku === sku && line.locationId === null)
      .flatMap(({ allocations }) => allocations)
      .filter(({ locationId }) => locationId === place)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  const found = source(lines, (sku) =>
    [...world.locations.values()].map(({ locationId, priority, sellsOnline }) => {
      const mayTake = world.products.get(sku)?.active === true;
      const free = mayTake ? Math.max(0, reachable(work, sku, locationId)) : 0;
      return { locationId, priority, sellsOnline, own: ownAt(sku, locationId), ownOpen: openAt(sku, locationId), free };
    }),
  );
  const { sourced: decided } = work.witness;
  const sourced = decided === undefined ? found : { lines: decided, shortages: [], alternatives: [] };
  const { shortages, alternatives } = sourced;
  if (shortages.length > 0) throw new Refused('INSUFFICIENT_STOCK', { shortages, alternatives });
  const wantedAt = (sku: string, place: string): number =>
    sourced.lines
      .filter((line) => line.sku === sku)
      .flatMap(({ allocations }) => allocations)
      .filter(({ locationId }) => locationId === place)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  for (const sku of world.products.keys()) {
    for (const locationId of world.locations.keys()) {
      const more = wantedAt(sku, locationId) - ownAt(sku, locationId);
      const own = before.find((one) => one.sku === sku && one.locationId === locationId);
      const had = own?.units ?? 0;
      if (more > 0) hold(work, { holdId, sku, locationId, units: more, expiresAt });
      if (more < 0 && own !== undefined) release(work, own, -more, 'CHANGED');
      if (own !== undefined) renew(work, own, expiresAt, Math.min(had, own.units));
    }
  }
  return sourced.lines.map((line) => ({
    ...line,
    allocations: line.allocations.map((allocation) => ({ ...allocation, fulfilled: false })),
  }));
}

function releaseAll(work: Work, id: string, cause: 'CANCELLED' | 'EXPIRED'): void {
  inOrder(holdsOf(work.world, id)).forEach((one) => {
    release(work, one, one.units, cause);
  });
}

function inOrder(holds: readonly Hold[]): Hold[] {
  const name = ({ sku, locationId }: Hold): string => `${sku} ${locationId}`;
  return [...holds].sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

function reservationInPath({ reservations }: World, id: string): Kept {
  const kept = reservations.get(id);
  if (kept === undefined) throw new Refused('NOT_FOUND');
  return kept;
}

function assertKnown({ products, locations }: World, lines: readonly HoldLine[]): void {
  if (lines.some(({ sku }) => !products.has(sku))) throw new Refused('UNKNOWN_PRODUCT');
  if (lines.some(({ locationId }) => locationId !== null && !locations.has(locationId))) {
    throw new Refused('UNKNOWN_LOCATION');
  }
}

function assertNotExpired({ at }: Work, kept: Kept): void {
  if (kept.status === 'EXPIRED' || isOver(kept, at)) throw new Refused('RESERVATION_EXPIRED');
}

/** Also over is what has lost units because they were due, even if the clock has gone back since (rule 5). */
function assertActive(work: Work, kept: Kept): void {
  assertNotExpired(work, kept);
  if (kept.status !== 'ACTIVE') throw new Refused('RESERVATION_NOT_ACTIVE');
  const holds = holdsOf(work.world, kept.id);
  const wanted = kept.lines.reduce((sum, { quantity }) => sum + quantity, 0);
  if (unitsOf(holds) !== wanted || holds.some((one) => isDue(one, work.at))) throw new Refused('RESERVATION_EXPIRED');
}

/** Every change of a reservation: a version and an event. */
function change(work: Work, kept: Kept, next: Partial<Kept>, type: string, data: object): ReservationView {
  const changed: Kept = { ...kept, ...next, updatedAt: work.at, version: kept.version + 1 };
  work.world.reservations.set(kept.id, changed);
  work.events.push({
    type: `reservation.${type}`,
    subject: `reservation/${kept.id}`,
    subjectVersion: changed.version,
    locationId: null,
    occurredAt: work.at,
    data: { reservationId: kept.id, ...data },
  });
  return viewReservation(changed, work.at);
}
