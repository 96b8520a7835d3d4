import type { FreshnessPolicy, HoldLine, RecordableMovement } from '../../src/modules/inventory/contract.ts';

/*
 * What may be asked for in a small shop. An ask names things by number ("the third reservation"), because it is drawn
 * before anything has an id; cast.ts turns the numbers into what is there at that moment.
 */

export const SKUS = ['A', 'B'] as const;
export const LOCATIONS = ['L1', 'L2', 'L3'] as const;

/** Draws the line, the location, the reservation or the transfer out of those that are there. */
export type Drawn = number;

export type Fulfilled = 'everywhere' | 'at one of its places' | 'anywhere';

interface Common {
  /** Sent under an Idempotency-Key of its own. */
  readonly keyed: boolean;
  readonly match: 'none' | 'current' | 'stale';
}

interface OnReservation extends Common {
  readonly reservation: Drawn;
}

interface OnTransfer extends Common {
  readonly transfer: Drawn;
}

/** A request before its numbers mean anything. */
export type Ask =
  | (Common & { ask: 'putLocation'; locationId: string; priority: number; sellsOnline: boolean })
  | (Common & { ask: 'putProduct'; sku: string; lowStockThreshold: number | null; active: boolean })
  | (Common & { ask: 'move'; sku: string; locationId: string; type: RecordableMovement; quantity: number })
  | (Common & { ask: 'count'; sku: string; locationId: string; counted: number })
  | (Common & { ask: 'policy'; sku: string; locationId: string; safetyStock: number })
  | (Common & { ask: 'create'; lines: HoldLine[]; ttlSeconds: number | null; cartId: string | null })
  | (OnReservation & { ask: 'replace'; lines: HoldLine[]; ttlSeconds: number | null })
  | (OnReservation & { ask: 'adjust'; line: Drawn; more: number; to: string | null; ttlSeconds: number | null })
  | (OnReservation & { ask: 'refresh'; ttlSeconds: number | null })
  | (OnReservation & { ask: 'confirm'; orderId: string })
  | (OnReservation & { ask: 'cancel' })
  | (OnReservation & { ask: 'fulfil'; where: Fulfilled; place: Drawn })
  /** `onward`: how many places further the target is. */
  | (Common & { ask: 'dispatch'; sku: string; from: string; onward: number; quantity: number })
  /** `percent` of what was dispatched; null: nothing is said. */
  | (OnTransfer & { ask: 'receive'; percent: number | null })
  | (OnTransfer & { ask: 'cancelTransfer' })
  /** What a location's keeper tells; a contact is so many milliseconds old, or still to come. */
  | (Common & {
      ask: 'report';
      locationId: string;
      contactMsAgo: number | null;
      pushed: number | null;
      repeats: boolean;
      restarted: boolean;
      policy: FreshnessPolicy | null;
    })
  | { ask: 'sweep'; everything: boolean };

/** `again`: the very same request under the same key; `misuse`: another request under the key of an earlier one. */
export type Sending =
  { send: 'new'; what: Ask } | { send: 'again'; earlier: Drawn } | { send: 'misuse'; earlier: Drawn; what: Ask };
