import type {
  Balances,
  FreshnessPolicy,
  FreshnessView,
  LocationView,
  ProductView,
  SourcedLine,
  StockItemView,
  TransferView,
} from '../../src/modules/inventory/contract.ts';
import type { ReservationView } from '../../src/modules/reservation/contract.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';

/*
 * The model's world: plain maps that say what DESIGN says, with no thought of speed, batches, rows or hints. Sums are
 * added up whenever somebody asks, so they cannot be wrong by bookkeeping.
 */

/** One sku at one location. What is held, committed and incoming is not stored: see `Hold` and `transfers`. */
export interface Item {
  readonly sku: string;
  readonly locationId: string;
  onHand: number;
  safetyStock: number;
  /** The product's. */
  lowStockThreshold: number | null;
  version: number;
  updatedAt: Instant | null;
}

/** What a location's keeper has told of it. */
export interface Told extends FreshnessPolicy {
  readonly lastSequence: number | null;
  readonly asOf: Instant | null;
  readonly heardAt: Instant | null;
}

/** Of a location that nobody has told anything of. */
export const UNTOLD: Told = {
  lastSequence: null,
  asOf: null,
  heardAt: null,
  staleAfterSeconds: 60,
  silentAfterSeconds: 900,
  staleCautionPercent: 0,
  silentCautionPercent: 0,
};

/** Units of one item that are set aside for one reservation. */
export interface Hold {
  readonly holdId: string;
  readonly sku: string;
  readonly locationId: string;
  units: number;
  state: 'HELD' | 'COMMITTED';
  expiresAt: Instant;
}

/** As stored: `status` is ACTIVE until somebody stores that its time is over. */
export type Kept = ReservationView & { readonly ttlSeconds: number; readonly lifetimeEndsAt: Instant };

/** The answer that is kept under an Idempotency-Key. */
export interface KeptAnswer {
  readonly request: string;
  readonly body: unknown;
  readonly expiresAt: Instant;
}

export interface World {
  readonly products: Map<string, ProductView>;
  readonly locations: Map<string, LocationView>;
  readonly told: Map<string, Told>;
  readonly items: Map<string, Item>;
  readonly holds: Map<string, Hold>;
  readonly transfers: Map<string, TransferView>;
  readonly reservations: Map<string, Kept>;
  readonly answers: Map<string, KeptAnswer>;
}

export function emptyWorld(): World {
  return {
    products: new Map(),
    locations: new Map(),
    told: new Map(),
    items: new Map(),
    holds: new Map(),
    transfers: new Map(),
    reservations: new Map(),
    answers: new Map(),
  };
}

/** A world of its own: what is done to it does not show in the other. Values are replaced or flat, so this is deep enough. */
export function copyOf(world: World): World {
  const copied = <Value extends object>(map: Map<string, Value>): Map<string, Value> =>
    new Map([...map].map(([name, value]) => [name, { ...value }]));
  return {
    products: copied(world.products),
    locations: copied(world.locations),
    told: copied(world.told),
    items: copied(world.items),
    holds: copied(world.holds),
    transfers: copied(world.transfers),
    reservations: copied(world.reservations),
    answers: copied(world.answers),
  };
}

/** An event that the log has to have; the ids of movements are the server's own and left out. */
export interface ExpectedEvent {
  readonly type: string;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly locationId: string | null;
  readonly occurredAt: Instant;
  readonly data: object;
}

/** Ids that only the server can choose, read from the events of the very request. */
export interface Witness {
  readonly reservationId: string;
  readonly movementId: string;
  readonly transferId: string;
  /**
   * Where the units of a reservation were found, when that was decided on stock of a moment ago: then only that they could
   * be had is checked. Absent: where they are found is the model's to say.
   */
  readonly sourced?: readonly SourcedLine[];
}

/** One request at work on the world, at one instant. */
export interface Work {
  readonly world: World;
  readonly at: Instant;
  readonly witness: Witness;
  readonly events: ExpectedEvent[];
}

/** The rules say no; nothing of the request remains. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly details: object = {},
  ) {
    super(code);
  }
}

export function placeOf(sku: string, locationId: string): string {
  return `${sku} ${locationId}`;
}

export function holdsAt({ holds }: World, sku: string, locationId: string): Hold[] {
  return [...holds.values()].filter((hold) => hold.sku === sku && hold.locationId === locationId);
}

export function holdsOf({ holds }: World, holdId: string): Hold[] {
  return [...holds.values()].filter((hold) => hold.holdId === holdId);
}

export function isDue({ state, expiresAt }: Hold, at: Instant): boolean {
  return state === 'HELD' && at >= expiresAt;
}

export function unitsOf(parts: readonly { units: number }[]): number {
  return parts.reduce((sum, { units }) => sum + units, 0);
}

/** Balances as stored: holds that are over still count until they are released. */
export function balancesOf(world: World, item: Item): Balances {
  const holds = holdsAt(world, item.sku, item.locationId);
  const held = unitsOf(holds.filter(({ state }) => state === 'HELD'));
  const committed = unitsOf(holds.filter(({ state }) => state === 'COMMITTED'));
  const { onHand, safetyStock } = item;
  const incoming = incomingAt(world, item.sku, item.locationId);
  return { onHand, held, committed, incoming, safetyStock, available: onHand - held - committed - safetyStock };
}

function incomingAt({ transfers }: World, sku: string, locationId: string): number {
  return [...transfers.values()]
    .filter((one) => one.status === 'IN_TRANSIT' && one.sku === sku && one.toLocationId === locationId)
    .reduce((sum, { quantity }) => sum + quantity, 0);
}

/** An item as everybody sees it: holds that are over do not count (rule 5). */
export function viewItem(world: World, item: Item, at: Instant): StockItemView {
  const due = unitsOf(holdsAt(world, item.sku, item.locationId).filter((hold) => isDue(hold, at)));
  const { held, available, ...rest } = balancesOf(world, item);
  const { sku, locationId, version, updatedAt } = item;
  const free = available + due - keptBack(world, item, at);
  const freshness = freshnessAt(world, locationId, at);
  return { sku, locationId, ...rest, held: held - due, available: free, version, updatedAt, freshness };
}

/** How old what is known of a location is decides at the very moment; a clock that went back makes nothing younger than new. */
export function freshnessAt({ told }: World, locationId: string, at: Instant): FreshnessView {
  const { lastSequence, asOf, heardAt, staleAfterSeconds, silentAfterSeconds } = told.get(locationId) ?? UNTOLD;
  if (lastSequence === null || heardAt === null) {
    return { status: 'DIRECT', lastSequence: null, asOf: null, lagSeconds: null };
  }
  const lagSeconds = Math.max(0, Math.floor((at - heardAt) / 1000));
  const status = lagSeconds >= silentAfterSeconds ? 'SILENT' : lagSeconds >= staleAfterSeconds ? 'STALE' : 'LIVE';
  return { status, lastSequence, asOf, lagSeconds };
}

/** Units that commands leave alone because the location has not been heard from: one unit at a time, to be sure. */
export function keptBack(world: World, { locationId, onHand }: Item, at: Instant): number {
  const { status } = freshnessAt(world, locationId, at);
  const { staleCautionPercent, silentCautionPercent } = world.told.get(locationId) ?? UNTOLD;
  const percent = status === 'STALE' ? staleCautionPercent : status === 'SILENT' ? silentCautionPercent : 0;
  let units = 0;
  while (units * 100 < Math.max(0, onHand) * percent) units += 1;
  return units;
}

export function viewReservation(kept: Kept, at: Instant): ReservationView {
  const { ttlSeconds: _ttl, lifetimeEndsAt: _end, ...view } = kept;
  return { ...view, status: isOver(kept, at) ? 'EXPIRED' : kept.status };
}

export function isOver({ status, expiresAt }: Kept, at: Instant): boolean {
  return status === 'ACTIVE' && at >= expiresAt;
}

/** The item, or an empty one that is not in the world yet. */
export function itemAt({ items, products }: World, sku: string, locationId: string): Item {
  const lowStockThreshold = products.get(sku)?.lowStockThreshold ?? null;
  const none = { onHand: 0, safetyStock: 0, lowStockThreshold, version: 0, updatedAt: null };
  return items.get(placeOf(sku, locationId)) ?? { sku, locationId, ...none };
}
