import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { LogReader } from '../../../shared/outbox/log-reader.ts';
import type { Upcasting } from '../../../shared/outbox/upcasting.ts';
import { FEED_TYPES, FeedChange } from './feed-change.ts';
import { type FeedInterest, keysOf } from './feed-interest.ts';

/** Changes that somebody wanted and that are kept for readers which are a little behind; whoever is further behind reads the log. */
const TAIL_CHANGES_MAX = 2_000;
/** Events of one look: requests have their turn between two. */
const PAGE_EVENTS = 500;
/**
 * Time between the beginnings of two looks, in milliseconds. The first one after a rest is made at once; while commits
 * follow each other, one look serves several of them.
 */
const LOOK_EVERY_MS = 50;
/** How soon a look that failed is tried again, in milliseconds. */
const RETRY_MS = 250;

/** Somebody at the tail. */
export interface TailFollower {
  readonly interest: FeedInterest;
  /** There is something that it wants. Must not throw and must not take long. */
  tell(): void;
}

/** What the tail has behind a position. */
export interface TailPage {
  readonly changes: readonly FeedChange[];
  readonly upTo: number;
}

/**
 * The end of a tenant's log, read once for all who follow it: after each commit one look, whatever their number, and each
 * of them is told only when there is something that it wants.
 */
export class FeedTail {
  private readonly logger = new Logger(FeedTail.name);
  private readonly followers = new Map<string, Set<TailFollower>>();
  private changes: FeedChange[] = [];
  private start = 0;
  private end = 0;
  private wanted = false;
  private reading: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly log: LogReader,
    private readonly upcasting: Upcasting,
    private readonly lookEveryMs = LOOK_EVERY_MS,
  ) {}

  /** Begins at the end of the log. Works in the context of the tenant, as do all looks that it leads to. */
  async open(): Promise<void> {
    this.start = this.end = await this.log.headOfTenant();
  }

  /** Behind this position everything is here that a follower wants, up to `upTo`, from where it began to follow. */
  get from(): number {
    return this.start;
  }

  get upTo(): number {
    return this.end;
  }

  /** @returns what ends it */
  follow(follower: TailFollower): () => void {
    const { keys } = follower.interest;
    for (const key of keys) {
      const others = this.followers.get(key) ?? new Set();
      this.followers.set(key, others.add(follower));
    }
    return () => {
      for (const key of keys) {
        const others = this.followers.get(key);
        others?.delete(follower);
        if (others?.size === 0) this.followers.delete(key);
      }
    };
  }

  /** @param position `from` or later @param limit most changes */
  after(position: number, interest: FeedInterest, limit: number): TailPage {
    const changes: FeedChange[] = [];
    for (let index = this.indexBehind(position); index < this.changes.length; index += 1) {
      const change = this.changes[index];
      if (change === undefined || !interest.wants(change)) continue;
      changes.push(change);
      if (changes.length === limit) return { changes, upTo: change.position };
    }
    return { changes, upTo: Math.max(position, this.end) };
  }

  /** The tenant may have new events. */
  wake(): void {
    this.wanted = true;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.reading;
  }

  private async read(): Promise<void> {
    // Whoever made the commit gets the answer first.
    await nextTurn();
    for (let failed = false; this.wanted && !this.stopped;) {
      this.wanted = false;
      try {
        const beganMs = performance.now();
        await this.readToEnd();
        failed = false;
        await pause(Math.max(0, beganMs + this.lookEveryMs - performance.now()), undefined, { ref: false });
      } catch (error) {
        if (!failed) this.logger.warn({ err: error }, 'Could not read what the feeds tell; trying again');
        failed = this.wanted = true;
        await pause(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  private async readToEnd(): Promise<void> {
    for (let more = true; more && !this.stopped;) {
      const page = await this.log.after(this.end, { types: FEED_TYPES }, PAGE_EVENTS);
      // Before anybody is told, so that whoever is finds it.
      this.end = page.upTo;
      this.append(page.events.map((event) => new FeedChange(event, this.upcasting)));
      more = page.more;
      if (more) await nextTurn();
    }
  }

  private append(changes: readonly FeedChange[]): void {
    const told = new Set<TailFollower>();
    for (const change of changes) {
      const wanted = this.followersOf(change);
      if (wanted.length === 0) continue;
      this.settle(change, wanted);
      this.changes.push(change);
      wanted.forEach((follower) => told.add(follower));
    }
    const excess = this.changes.length - TAIL_CHANGES_MAX;
    if (excess > 0) {
      this.start = this.changes[excess - 1]?.position ?? this.start;
      this.changes = this.changes.slice(excess);
    }
    told.forEach((follower) => {
      follower.tell();
    });
  }

  private settle(change: FeedChange, wanted: readonly TailFollower[]): void {
    try {
      change.settle(new Set(wanted.map(({ interest }) => interest.as)));
    } catch (error) {
      this.logger.warn({ err: error, type: change.type }, 'An event cannot be told');
    }
  }

  private followersOf(change: FeedChange): TailFollower[] {
    const wanted: TailFollower[] = [];
    for (const key of keysOf(change)) {
      this.followers.get(key)?.forEach((follower) => {
        if (follower.interest.wants(change)) wanted.push(follower);
      });
    }
    return wanted;
  }

  /** Positions rise, so it is found by halving. */
  private indexBehind(position: number): number {
    let [low, high] = [0, this.changes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.changes[middle]?.position ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
