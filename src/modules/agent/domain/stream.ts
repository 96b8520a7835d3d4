import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';

/**
 * How far this store and the centre have told each other what happened.
 *
 * What the store records is counted by **positions**, from 1, for ever. A **sequence** is a position within an epoch:
 * `sequence = position - base`. So a new epoch renumbers everything that is not acknowledged by one number, `base`, and
 * the rows of the events stay as they are.
 */
export interface StreamState {
  readonly locationId: string;
  /** Null: the centre has never been reached. */
  readonly epoch: number | null;
  /** The position before sequence 1 of the epoch. */
  readonly base: number;
  /** The last recorded event. */
  readonly head: number;
  /** The centre has everything up to here. */
  readonly acknowledged: number;
  /** Acknowledged events up to here are no longer kept, so they cannot be sent again. */
  readonly purgedThrough: number;
  /** The change of the feed that was applied last; null: there has been no snapshot yet. */
  readonly cursor: string | null;
  /** False from the beginning of a snapshot until the feed has caught up with it. */
  readonly settled: boolean;
  /** What the shelf shows may be wrong: take a snapshot before the feed is followed further. */
  readonly snapshotWanted: boolean;
  /** Counts the snapshots that were begun. */
  readonly round: number;
  readonly updatedAt: Instant;
  readonly version: number;
}

/** What the centre knows of this store's stream. */
export interface CentralStream {
  /** Null: no stream was ever opened, as far as the centre knows. */
  readonly epoch: number | null;
  readonly nextSequence: number;
}

export type Acknowledgement =
  /** The centre has more than before, or as much. */
  | 'noted'
  /** It was about an epoch that is over. */
  | 'outdated'
  /** The centre has lost what it had acknowledged. */
  | 'lost'
  /** The centre has numbers that this store never gave: somebody else uses the epoch. */
  | 'foreign';

export class Stream extends Aggregate<StreamState> {
  static of(state: StreamState): Stream {
    return new Stream(state);
  }

  static begin(locationId: string, at: Instant): Stream {
    return new Stream({
      locationId,
      epoch: null,
      base: 0,
      head: 0,
      acknowledged: 0,
      purgedThrough: 0,
      cursor: null,
      settled: false,
      snapshotWanted: true,
      round: 0,
      updatedAt: at,
      version: 1,
    });
  }

  get pending(): number {
    return this.state.head - this.state.acknowledged;
  }

  /** The cursor that a count made now goes with; null: it is filled in when the feed has caught up with the snapshot. */
  get countCursor(): string | null {
    return this.state.settled ? this.state.cursor : null;
  }

  /** @returns the position of the event that is recorded */
  append(at: Instant): number {
    const position = this.state.head + 1;
    this.change({ head: position, updatedAt: at });
    return position;
  }

  /**
   * A new epoch begins. Everything behind `from` is numbered from 1 in it.
   * @param from see `resume`
   */
  open(epoch: number, from: Resumption, at: Instant): void {
    this.change({
      epoch,
      base: from.position,
      acknowledged: from.position,
      snapshotWanted: this.state.snapshotWanted || from.snapshot,
      updatedAt: at,
    });
  }

  /** @param nextSequence the lowest number that the centre has not processed in the epoch */
  acknowledge(epoch: number, nextSequence: number, at: Instant): Acknowledgement {
    if (epoch !== this.state.epoch) return 'outdated';
    const position = this.state.base + nextSequence - 1;
    if (position > this.state.head) return 'foreign';
    if (position < this.state.acknowledged) return 'lost';
    if (position > this.state.acknowledged) this.change({ acknowledged: position, updatedAt: at });
    return 'noted';
  }

  /** The events up to `position` are gone. */
  purged(position: number, at: Instant): void {
    if (position > this.state.acknowledged) throw new Error('Bug: what is not acknowledged is never purged');
    if (position > this.state.purgedThrough) this.change({ purgedThrough: position, updatedAt: at });
  }

  // ---------------------------------------------------------------- the feed

  /** @returns false when the changes do not follow the ones that were applied last */
  follow(after: string, cursor: string, at: Instant): boolean {
    if (this.state.cursor !== after) return false;
    if (cursor !== after) this.change({ cursor, updatedAt: at });
    return true;
  }

  wantSnapshot(at: Instant): void {
    if (!this.state.snapshotWanted) this.change({ snapshotWanted: true, updatedAt: at });
  }

  /** @returns the number of the snapshot that begins */
  beginSnapshot(at: Instant): number {
    const round = this.state.round + 1;
    this.change({ round, settled: false, snapshotWanted: true, updatedAt: at });
    return round;
  }

  /** Every item is as the snapshot has it. */
  endSnapshot(round: number, cursor: string, at: Instant): void {
    if (round !== this.state.round) throw new Error('Bug: another snapshot has begun');
    this.change({ cursor, snapshotWanted: false, updatedAt: at });
  }

  /** The feed has caught up with the snapshot: from now on the cursor says what is in the balances. */
  settle(at: Instant): void {
    this.change({ settled: true, updatedAt: at });
  }
}

/** Where a new epoch goes on. */
export interface Resumption {
  /** Everything behind it is sent, under new numbers and with its old ids. */
  readonly position: number;
  /** The feed alone does not lead from what the shelf shows to what is true. */
  readonly snapshot: boolean;
  readonly because: 'first' | 'continued' | 'centre-restored' | 'store-restored';
}

/**
 * Where to go on in a new epoch, by what both sides say of the one before.
 *
 * The centre is *behind* what it had acknowledged when it was restored from a backup: then everything that is still kept
 * is sent again, and what it has already is found by its id. It is *ahead* when somebody else has sent in the store's
 * name since: another agent, or this one before its data were restored. What that one sent is not on this shelf and will
 * not come by the feed, so only a snapshot tells.
 *
 * @param known what was recorded before the stream was last used: of anything behind it the centre can know nothing
 */
export function resume(stream: StreamState, centre: CentralStream, known: number): Resumption {
  const { epoch, base, acknowledged, purgedThrough, cursor } = stream;
  const snapshot = cursor === null || stream.snapshotWanted;
  if (epoch === null) {
    return { position: acknowledged, snapshot: true, because: centre.epoch === null ? 'first' : 'store-restored' };
  }
  const reached = base + centre.nextSequence - 1;
  if (centre.epoch === null || centre.epoch < epoch || (centre.epoch === epoch && reached < acknowledged)) {
    return { position: purgedThrough, snapshot: true, because: 'centre-restored' };
  }
  if (centre.epoch > epoch || reached > known) {
    return { position: acknowledged, snapshot: true, because: 'store-restored' };
  }
  return { position: acknowledged, snapshot, because: 'continued' };
}
