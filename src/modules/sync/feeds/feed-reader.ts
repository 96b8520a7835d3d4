import type { FeedChange } from './feed-change.ts';
import type { FeedInterest } from './feed-interest.ts';
import type { FeedLog } from './feed-log.ts';
import type { FeedTail, TailFollower } from './feed-tail.ts';

/** Follows the log from a position on: by pages while it is far behind, then at the tail. */
export class FeedReader implements TailFollower {
  private readonly unfollow: () => void;
  private readonly followsFrom: number;
  private at: number;
  private behindSinceMs: number | null = performance.now();
  private resume: (() => void) | undefined;
  private ended = false;
  private isClosed = false;

  /**
   * @param position behind which it begins
   * @param onClosed called once
   */
  constructor(
    private readonly tail: FeedTail,
    private readonly log: FeedLog,
    readonly interest: FeedInterest,
    position: number,
    private readonly onClosed: () => void,
  ) {
    this.at = position;
    // The tail keeps only what somebody wanted when it was read.
    this.followsFrom = tail.upTo;
    this.unfollow = tail.follow(this);
  }

  /** Nothing that is wanted is left up to here, included; what `next` gave is counted as seen. */
  get position(): number {
    return this.at;
  }

  /** Whether `next` may have something. */
  get isBehind(): boolean {
    return this.behindSinceMs !== null;
  }

  /** For how long there has been something to read, in milliseconds. */
  get behindMs(): number {
    return this.behindSinceMs === null ? 0 : performance.now() - this.behindSinceMs;
  }

  /** Whether nobody waits for it any more. */
  get isStopped(): boolean {
    return this.ended;
  }

  tell(): void {
    this.behindSinceMs ??= performance.now();
    this.wake();
  }

  /**
   * What comes next; empty when there is nothing, or when nothing that was looked at is wanted: then `isBehind` tells.
   * @param limit most changes
   * @throws CursorGone when what comes next was purged
   */
  async next(limit: number): Promise<readonly FeedChange[]> {
    if (this.behindSinceMs === null) {
      // Of what the tail has read since, nothing was wanted: it would have told.
      this.at = Math.max(this.at, this.tail.upTo);
      return [];
    }
    if (this.at >= this.tailFrom) {
      const { changes, upTo } = this.tail.after(this.at, this.interest, limit);
      this.at = Math.max(this.at, upTo);
      this.behindSinceMs = changes.length === limit ? performance.now() : null;
      return changes;
    }
    // Taken before the look: what the tail lets go of meanwhile may be newer than what the look sees.
    const from = this.tailFrom;
    const { changes, upTo, more } = await this.log.page(this.interest, this.at, limit);
    this.at = more ? upTo : Math.max(upTo, from);
    return changes;
  }

  /** @returns once there may be something to read, it is stopped, or `ms` milliseconds are over */
  async wait(ms: number): Promise<void> {
    if (this.isBehind || this.ended) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.resume = undefined;
  }

  /** Ends a wait at once, and every later one. */
  stop(): void {
    this.ended = true;
    this.wake();
  }

  /** It is no longer told of anything. A second time does nothing. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stop();
    this.unfollow();
    this.onClosed();
  }

  /** Behind this the tail has everything that this reader wants. */
  private get tailFrom(): number {
    return Math.max(this.followsFrom, this.tail.from);
  }

  private wake(): void {
    this.resume?.();
  }
}
