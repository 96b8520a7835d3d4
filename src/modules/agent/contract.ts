import { Command, Query } from '@nestjs/cqrs';
import type { Instant } from '../../shared/kernel/clock.ts';
import type { EntityKey, Keyed } from '../../shared/kernel/entity-key.ts';

/*
 * The face of the store agent: what its tills may record and ask, as plain data. It runs in a process of its own and shares
 * no module with the centre; what the two say to each other is docs/sync-protocol.md.
 */

/** Largest quantity of one fact, and largest count; as at the centre (DESIGN section 4). */
export const UNITS_MAX = 1_000_000;

export const TILL_EVENT_TYPES = ['sale', 'return', 'receipt', 'count', 'pickup'] as const;
export type TillEventType = (typeof TILL_EVENT_TYPES)[number];

/** Facts about units that came or went. */
export type Movement = 'sale' | 'return' | 'receipt';

// ---------------------------------------------------------------- plain data

/** One sku on the shelf: `available = onHand - held - committed - safety stock`. */
export interface ShelfView {
  readonly sku: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly available: number;
}

export interface ShelfStatus extends ShelfView {
  /** Recorded facts about the sku that the centre has not acknowledged. */
  readonly pending: number;
}

/** A fact that is on the store's disk. */
export interface Recorded {
  readonly eventId: string;
  readonly stock: ShelfView;
}

/** A reservation that was handed over. */
export interface PickedUp {
  readonly eventId: string;
  readonly reservationId: string;
  /** What was known to wait for it here; empty when the store had not heard of it yet. */
  readonly lines: readonly { readonly sku: string; readonly units: number }[];
  /** False: it had been picked up before, and nothing was recorded. */
  readonly isNew: boolean;
}

/** Units of this store that somebody on the web has a right to. */
export interface ShelfReservation {
  readonly reservationId: string;
  readonly lines: readonly {
    readonly sku: string;
    readonly held: number;
    readonly committed: number;
    readonly expiresAt: Instant | null;
  }[];
}

// ---------------------------------------------------------------- keys

export function streamKey(locationId: string): EntityKey {
  return { table: 'till_stream', values: [locationId] };
}

export function shelfKey(sku: string): EntityKey {
  return { table: 'shelf_items', values: [sku] };
}

function pickupKeys(reservationId: string): EntityKey[] {
  return [
    { table: 'till_pickups', values: [reservationId] },
    { table: 'shelf_holds', group: 'hold', values: [reservationId] },
  ];
}

// ---------------------------------------------------------------- commands

/** Units came or went at a till. Never refused. */
export class RecordMovementHere extends Command<Recorded> implements Keyed {
  constructor(
    readonly type: Movement,
    readonly sku: string,
    readonly quantity: number,
    readonly reference: string | null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [shelfKey(this.sku)];
  }
}

/** Somebody counted what is on the shelf. Never refused. */
export class RecordCountHere extends Command<Recorded> implements Keyed {
  constructor(
    readonly sku: string,
    readonly counted: number,
    readonly reference: string | null,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [shelfKey(this.sku)];
  }
}

/** The customer of a confirmed reservation took its units. Never refused; a second time does nothing. */
export class RecordPickup extends Command<PickedUp> implements Keyed {
  constructor(readonly reservationId: string) {
    super();
  }

  get keys(): EntityKey[] {
    return pickupKeys(this.reservationId);
  }
}

// ---------------------------------------------------------------- queries

export class GetShelf extends Query<ShelfStatus> {
  constructor(readonly sku: string) {
    super();
  }
}

/** By reservation id, which rises with time. */
export class ListShelfReservations extends Query<readonly ShelfReservation[]> {}
