import type { StockItemRef } from './plan.ts';

/** Movements that a replay causes, with the direction in which they change on-hand units. */
export const DIRECTIONS = { RECEIPT: 1, FULFILMENT: -1, RETURN: 1, WRITE_OFF: -1 } as const;
export type MovedType = keyof typeof DIRECTIONS;
export const MOVED_TYPES = Object.keys(DIRECTIONS) as MovedType[];

/** Units by movement type; a type that is absent moved none. */
export type UnitsByType = Map<MovedType, number>;

export interface Refusal {
  requests: number;
  /** Rows of the file that did not happen because of it. */
  rows: number;
  /** What the server said to the first one. */
  readonly example: string;
}

/** What the server acknowledged and what it refused, as the answers told; the proof compares it with the ledger. */
export class Tally {
  readonly reservations = { created: 0, confirmed: 0, fulfilled: 0, cancelled: 0 };
  readonly rows = { applied: 0, refused: 0 };
  readonly movements = { recorded: 0 };
  readonly refusals = new Map<string, Refusal>();
  /** Units that the server said it moved, and units that it refused to move. */
  readonly acknowledged: UnitsByType = new Map();
  readonly refused: UnitsByType = new Map();
  private readonly byItem = new Map<string, UnitsByType>();
  private readonly openByItem = new Map<string, number>();

  /** @param rows rows of the file that happened by it: none for opening stock */
  moved(item: StockItemRef, type: MovedType, units: number, rows: number): void {
    this.rows.applied += rows;
    add(this.acknowledged, type, units);
    const ofItem = this.byItem.get(nameOf(item)) ?? new Map<MovedType, number>();
    add(ofItem, type, units);
    this.byItem.set(nameOf(item), ofItem);
  }

  notMoved(type: MovedType, units: number, rows: number): void {
    this.rows.refused += rows;
    add(this.refused, type, units);
  }

  countRefusal(code: string, example: string, rows: number): void {
    const refusal = this.refusals.get(code) ?? { requests: 0, rows: 0, example };
    refusal.requests += 1;
    refusal.rows += rows;
    this.refusals.set(code, refusal);
  }

  /** Units that stay held or committed, because neither fulfilment nor cancellation came through. */
  leftOpen(item: StockItemRef, units: number): void {
    add(this.openByItem, nameOf(item), units);
  }

  acknowledgedOf(item: StockItemRef): UnitsByType {
    return this.byItem.get(nameOf(item)) ?? new Map<MovedType, number>();
  }

  openUnitsOf(item: StockItemRef): number {
    return this.openByItem.get(nameOf(item)) ?? 0;
  }
}

/** Adds to a counter that may not be there yet. */
export function add<Key>(counters: Map<Key, number>, key: Key, units: number): void {
  counters.set(key, (counters.get(key) ?? 0) + units);
}

function nameOf({ sku, locationId }: StockItemRef): string {
  return `${sku} ${locationId}`;
}
