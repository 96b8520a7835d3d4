import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';

/** One sku on the shelf of this store, as the store knows it. */
export interface ShelfItemState {
  readonly sku: string;
  /** What the tills did, and what the centre has told, together. Below zero when more was sold than anybody knew of. */
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly safetyStock: number;
  /** The centre's version of the stock item in the last snapshot: changes up to it are in the balances already. 0: none. */
  readonly centralVersion: number;
  /** The snapshot that wrote it last; 0: none. */
  readonly round: number;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** What one hold has of one sku on this shelf. */
export interface ShelfHold {
  readonly sku: string;
  /** The reservation. */
  readonly holdId: string;
  readonly held: number;
  readonly committed: number;
  /** Units that a pickup here took, of which the centre may still tell that they were fulfilled or released. */
  readonly taken: number;
  /** As the centre told it last. It may have been prolonged since: only the centre says when a hold is over. */
  readonly expiresAt: Instant | null;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** A stock item in a snapshot of the centre. */
export interface SnapshotLine {
  readonly sku: string;
  readonly onHand: number;
  readonly safetyStock: number;
  readonly version: number;
  readonly holds: readonly SnapshotHold[];
}

export interface SnapshotHold {
  readonly holdId: string;
  readonly units: number;
  readonly state: 'HELD' | 'COMMITTED';
  readonly expiresAt: Instant | null;
}

/** A fact of this store about the sku that a snapshot does not have yet. */
export interface OwnFact {
  /** Signed; for a count, what it changed here when it was recorded. */
  readonly delta: number;
  /** A count that says "this is what is there now", whatever the centre knew before; null: the delta is added. */
  readonly counted: number | null;
}

/**
 * The units of one sku on this store's shelf. Its own facts are never refused, not even below zero; what the centre tells
 * is added to them, in the order of the feed. When both have told each other everything, the balances are the centre's.
 */
export class ShelfItem extends Aggregate<ShelfItemState> {
  static of(state: ShelfItemState): ShelfItem {
    return new ShelfItem(state);
  }

  /** A sku of which this store has heard nothing yet. */
  static unknown(sku: string): ShelfItem {
    return new ShelfItem({
      sku,
      onHand: 0,
      held: 0,
      committed: 0,
      safetyStock: 0,
      centralVersion: 0,
      round: 0,
      updatedAt: 0,
      version: 0,
    });
  }

  get available(): number {
    const { onHand, held, committed, safetyStock } = this.state;
    return onHand - held - committed - safetyStock;
  }

  /** Units came (above 0) or went. Also what the centre tells of its movements. */
  move(delta: number, at: Instant): void {
    this.change({ onHand: this.state.onHand + delta, updatedAt: at });
  }

  /** @returns what the count changed */
  count(counted: number, at: Instant): number {
    const delta = counted - this.state.onHand;
    this.move(delta, at);
    return delta;
  }

  /** The customer of a confirmed reservation took its units from here. */
  take(hold: ShelfHold, at: Instant): ShelfHold {
    const { onHand, committed } = this.state;
    const units = hold.committed;
    this.change({ onHand: onHand - units, committed: committed - units, updatedAt: at });
    return { ...hold, committed: 0, taken: hold.taken + units, updatedAt: at, version: hold.version + 1 };
  }

  // ---------------------------------------------------------------- what the centre tells

  hold(hold: ShelfHold, units: number, expiresAt: Instant, at: Instant): ShelfHold {
    this.change({ held: this.state.held + units, updatedAt: at });
    return { ...hold, held: hold.held + units, expiresAt, updatedAt: at, version: hold.version + 1 };
  }

  /** It ends earlier than was told. */
  shorten(hold: ShelfHold, expiresAt: Instant, at: Instant): ShelfHold {
    return { ...hold, expiresAt, updatedAt: at, version: hold.version + 1 };
  }

  /** Held units were paid for. @param pickedUp the customer was here already: they are gone with it */
  commit(hold: ShelfHold, units: number, pickedUp: boolean, at: Instant): ShelfHold {
    const { onHand, held, committed } = this.state;
    // A snapshot may have left out what was due: then there is nothing to take it from.
    const fromHeld = Math.min(hold.held, units);
    this.change({
      held: held - fromHeld,
      onHand: pickedUp ? onHand - units : onHand,
      committed: pickedUp ? committed : committed + units,
      updatedAt: at,
    });
    return {
      ...hold,
      held: hold.held - fromHeld,
      committed: pickedUp ? hold.committed : hold.committed + units,
      taken: pickedUp ? hold.taken + units : hold.taken,
      updatedAt: at,
      version: hold.version + 1,
    };
  }

  release(hold: ShelfHold, units: number, from: 'HELD' | 'COMMITTED', at: Instant): ShelfHold {
    if (from === 'HELD') {
      const released = Math.min(hold.held, units);
      this.change({ held: this.state.held - released, updatedAt: at });
      return { ...hold, held: hold.held - released, updatedAt: at, version: hold.version + 1 };
    }
    // What a pickup took is not among the committed units any more.
    const fromTaken = Math.min(hold.taken, units);
    const released = Math.min(hold.committed, units - fromTaken);
    this.change({ committed: this.state.committed - released, updatedAt: at });
    return {
      ...hold,
      taken: hold.taken - fromTaken,
      committed: hold.committed - released,
      updatedAt: at,
      version: hold.version + 1,
    };
  }

  /** Units left by a fulfilment that the centre decided; those that a pickup took here have left already. */
  fulfil(hold: ShelfHold, units: number, at: Instant): ShelfHold {
    const fromTaken = Math.min(hold.taken, units);
    const left = units - fromTaken;
    const fromCommitted = Math.min(hold.committed, left);
    const { onHand, committed } = this.state;
    this.change({ onHand: onHand - left, committed: committed - fromCommitted, updatedAt: at });
    return {
      ...hold,
      taken: hold.taken - fromTaken,
      committed: hold.committed - fromCommitted,
      updatedAt: at,
      version: hold.version + 1,
    };
  }

  setSafetyStock(safetyStock: number, at: Instant): void {
    this.change({ safetyStock, updatedAt: at });
  }

  // ---------------------------------------------------------------- starting from a snapshot

  /**
   * Takes the centre's balances over and puts this store's own facts, which they do not have, on top.
   * @param facts in the order in which they were recorded
   */
  start(line: SnapshotLine, facts: readonly OwnFact[], round: number, at: Instant): void {
    const unitsOf = (state: SnapshotHold['state']): number =>
      line.holds.reduce((units, hold) => units + (hold.state === state ? hold.units : 0), 0);
    this.change({
      onHand: withFacts(line.onHand, facts),
      held: unitsOf('HELD'),
      committed: unitsOf('COMMITTED'),
      safetyStock: line.safetyStock,
      centralVersion: line.version,
      round,
      updatedAt: at,
    });
  }
}

/** Units on hand with the facts on top. A count that begins anew replaces everything before it. */
export function withFacts(onHand: number, facts: readonly OwnFact[]): number {
  return facts.reduce((units, { delta, counted }) => counted ?? units + delta, onHand);
}

/** A stock item that the snapshot does not have. */
export function emptyLine(sku: string): SnapshotLine {
  return { sku, onHand: 0, safetyStock: 0, version: 0, holds: [] };
}

export function noHold(sku: string, holdId: string): ShelfHold {
  return { sku, holdId, held: 0, committed: 0, taken: 0, expiresAt: null, updatedAt: 0, version: 0 };
}

/** Nothing is left that anybody could ask for or tell of. */
export function isOver({ held, committed, taken }: ShelfHold): boolean {
  return held === 0 && committed === 0 && taken === 0;
}
