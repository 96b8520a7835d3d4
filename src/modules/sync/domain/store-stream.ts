import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { EpochNeverGiven, SequenceAhead, StaleEpoch } from './store-stream.errors.ts';

/** Numbers that have not come although later ones have; both ends belong to it. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  /** When it was first seen. */
  readonly since: Instant;
}

export interface StoreStreamState {
  readonly locationId: string;
  /** Counts from 1; each is one life of the store's agent. */
  readonly epoch: number;
  /** What is used up next; all numbers below are used up. */
  readonly nextSequence: number;
  /** The highest number that has come; `nextSequence - 1` while nothing is parked. */
  readonly highest: number;
  /** Numbers from `nextSequence` to `highest` that have not come, lowest first. The others of them are parked. */
  readonly holes: readonly Hole[];
  /** How many numbers are parked. */
  readonly parked: number;
  /** Events that an earlier epoch had parked and that are no dead letters yet. */
  readonly toEnd: number;
  /** Conflicts so far, kept or not. */
  readonly conflicts: number;
  /** Units by which the last reconciliation found store and centre apart, and that were not corrected. */
  readonly drift: number;
  readonly openedAt: Instant;
  /** When the centre last took something from this store. */
  readonly lastContactAt: Instant;
  readonly version: number;
}

/**
 * What became of an event that is known. PARKED waits for its turn; ENDED waited in an epoch that is over, and is a dead
 * letter; SPENT: the number is used up, and the event has a row of its own elsewhere or contradicts one.
 */
export const STORE_EVENT_STATUSES = ['APPLIED', 'DEAD', 'DISCARDED', 'PARKED', 'ENDED', 'SPENT'] as const;
export type StoreEventStatus = (typeof STORE_EVENT_STATUSES)[number];

/** An event that has come before, as far as it decides about one that comes now. */
export interface KnownEvent {
  readonly eventId: string;
  readonly contentHash: string;
  readonly status: StoreEventStatus;
  readonly epoch: number;
}

/** What is known about an event that comes. */
export interface Known {
  /** The event of this id, in whatever epoch. */
  readonly byId: KnownEvent | undefined;
  /** Whatever has this number in the stream's epoch. */
  readonly byNumber: KnownEvent | undefined;
}

/**
 * `apply`: it is the next. `park`: there is a hole before it. `refuse`: there is no room to park it. The others change
 * nothing but that they may use up the next number (`spends`).
 */
export type Placement =
  | { readonly kind: 'apply' | 'park' | 'refuse' }
  | { readonly kind: 'duplicate' | 'conflict'; readonly spends: boolean };

const APPLY: Placement = { kind: 'apply' };
const PARK: Placement = { kind: 'park' };
const REFUSE: Placement = { kind: 'refuse' };

/**
 * The events of one store in the order in which they happened there, whatever order they come in: numbers count from 1
 * without holes within an epoch, and each is used up once (docs/decisions/0019).
 */
export class StoreStream extends Aggregate<StoreStreamState> {
  /** The stream as it was stored. */
  static of(state: StoreStreamState): StoreStream {
    return new StoreStream(state);
  }

  /** The first epoch of a store. */
  static open(locationId: string, at: Instant): StoreStream {
    const times = { openedAt: at, lastContactAt: at };
    return new StoreStream({ locationId, ...FRESH, epoch: 1, toEnd: 0, conflicts: 0, drift: 0, ...times, version: 1 });
  }

  /** A new life of the store's agent: numbers begin again, and what is parked has to be ended. */
  openNext(at: Instant): void {
    const { epoch, toEnd, parked } = this.state;
    this.change({ ...FRESH, epoch: epoch + 1, toEnd: toEnd + parked, openedAt: at, lastContactAt: at });
  }

  /**
   * @throws StaleEpoch when a newer one was opened
   * @throws EpochNeverGiven
   */
  assertEpoch(epoch: number): void {
    if (epoch < this.state.epoch) throw new StaleEpoch(epoch, this.state.epoch);
    if (epoch > this.state.epoch) throw new EpochNeverGiven();
  }

  /** Something came that is taken, whatever it holds. */
  contact(at: Instant): void {
    this.change({ lastContactAt: Math.max(at, this.state.lastContactAt) });
  }

  /**
   * Decides about an event, and uses its number up, or notes it as parked.
   * @param parkedMax most that may wait for holes to be filled
   */
  place(event: { sequence: number; contentHash: string }, known: Known, parkedMax: number, at: Instant): Placement {
    const { sequence } = event;
    const isNext = sequence === this.state.nextSequence && !this.isParked(sequence);
    const repeat = this.repeatOf(event, known);
    if (repeat !== undefined) {
      if (isNext) this.useUp();
      return { kind: repeat, spends: isNext };
    }
    if (isNext) {
      this.useUp();
      return APPLY;
    }
    if (this.state.parked >= parkedMax) return REFUSE;
    this.park(sequence, at);
    return PARK;
  }

  /** Whether this number is used up, or waits for its turn. */
  isTaken(sequence: number): boolean {
    return sequence < this.state.nextSequence || this.isParked(sequence);
  }

  /** How many parked events have their turn now, one after another, from `nextSequence` on. */
  get due(): number {
    const { nextSequence, highest, holes } = this.state;
    return (holes[0]?.from ?? highest + 1) - nextSequence;
  }

  /** The next one, which was parked, has had its turn. */
  takeParked(): void {
    if (this.due === 0) throw new Error(`Bug: nothing that was parked has its turn at ${this.state.nextSequence}`);
    this.change({ nextSequence: this.state.nextSequence + 1, parked: this.state.parked - 1 });
  }

  /** So many events of earlier epochs are dead letters now. */
  ended(events: number): void {
    this.change({ toEnd: Math.max(0, this.state.toEnd - events) });
  }

  /**
   * The store has reported up to this number.
   * @throws SequenceAhead
   */
  assertReached(sequence: number): void {
    if (sequence >= this.state.nextSequence) throw new SequenceAhead(sequence, this.state.nextSequence);
  }

  /** @param drift units by which store and centre are apart */
  reconciled(drift: number): void {
    this.change({ drift });
  }

  /** So many conflicts came that had not come before. */
  countConflicts(conflicts: number): void {
    this.change({ conflicts: this.state.conflicts + conflicts });
  }

  /** @returns undefined when the event is neither a repeat nor contradicts what came before */
  private repeatOf(
    { sequence, contentHash }: { sequence: number; contentHash: string },
    { byId, byNumber }: Known,
  ): 'duplicate' | 'conflict' | undefined {
    if (byId !== undefined) {
      if (byId.contentHash !== contentHash) return 'conflict';
      if (!this.isEnded(byId)) return 'duplicate';
    }
    if (!this.isTaken(sequence)) return undefined;
    // What has used the number up is not kept any more, so it was answered long ago.
    if (byNumber === undefined) return 'duplicate';
    // The same, under another name. Of a number that is spent nobody knows whether its content was ever applied.
    return byNumber.contentHash === contentHash && byNumber.status !== 'SPENT' ? 'duplicate' : 'conflict';
  }

  /** It waited in an epoch that is over, whether or not it is a dead letter already. */
  private isEnded({ status, epoch }: KnownEvent): boolean {
    return status === 'ENDED' || (status === 'PARKED' && epoch < this.state.epoch);
  }

  private isParked(sequence: number): boolean {
    const { nextSequence, highest, holes } = this.state;
    if (sequence < nextSequence || sequence > highest) return false;
    const hole = holes[firstHoleUpTo(holes, sequence)];
    return hole === undefined || hole.from > sequence;
  }

  /** The next number, which has not come before. */
  private useUp(): void {
    const { nextSequence, highest, holes } = this.state;
    const next = nextSequence + 1;
    const [first, ...others] = holes;
    if (first === undefined) {
      this.change({ nextSequence: next, highest: Math.max(highest, nextSequence) });
    } else {
      this.change({ nextSequence: next, holes: first.to < next ? others : [{ ...first, from: next }, ...others] });
    }
  }

  private park(sequence: number, at: Instant): void {
    const { highest, holes, parked } = this.state;
    if (sequence > highest) {
      const hole = { from: highest + 1, to: sequence - 1, since: at };
      this.change({ parked: parked + 1, highest: sequence, holes: hole.from > hole.to ? holes : [...holes, hole] });
      return;
    }
    const index = firstHoleUpTo(holes, sequence);
    const hole = holes[index];
    if (hole === undefined) throw new Error(`Bug: ${sequence} is parked already`);
    const parts = [
      { ...hole, to: sequence - 1 },
      { ...hole, from: sequence + 1 },
    ].filter(({ from, to }) => from <= to);
    this.change({ parked: parked + 1, holes: [...holes.slice(0, index), ...parts, ...holes.slice(index + 1)] });
  }
}

const FRESH = { nextSequence: 1, highest: 0, holes: [], parked: 0 } as const;

/** @returns the place of the first hole that does not end before this number */
function firstHoleUpTo(holes: readonly Hole[], sequence: number): number {
  let low = 0;
  let high = holes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((holes[middle]?.to ?? 0) < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
