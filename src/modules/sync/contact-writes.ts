import type { Instant } from '../../shared/kernel/clock.ts';
import { DEFAULT_FRESHNESS_POLICY } from '../inventory/contract.ts';

/**
 * A contact is written at the latest when this share of the time has passed after which its store would be stale, so that
 * one that is noted and not yet written makes no store stale.
 */
const SHARE_OF_STALE = 1 / 4;

/**
 * Writes when one store was heard from: the first time at once, then the latest contact when it is time again. One write
 * runs at a time, and one that fails is made up for by the next.
 */
export class ContactWrites {
  /** After so many milliseconds without a contact the store is stale. */
  staleAfterMs = DEFAULT_FRESHNESS_POLICY.staleAfterSeconds * 1000;
  private latest: Instant = 0;
  private isNoted = false;
  /** The contact that was written last, and when, by the clock that never goes back. */
  private written: Instant = 0;
  private writtenMs = -Infinity;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /**
   * @param write never rejects
   * @param pauseMs least time between two writes, unless the store would be stale by then
   */
  constructor(
    private readonly write: (contactAt: Instant) => Promise<number | undefined>,
    private readonly pauseMs: number,
  ) {}

  /** The write that is on its way. */
  get pending(): Promise<void> | undefined {
    return this.writing;
  }

  /** Heard so often, the store is never stale: milliseconds. */
  get inTimeMs(): number {
    return this.staleAfterMs * SHARE_OF_STALE;
  }

  note(contactAt: Instant): void {
    this.latest = contactAt;
    this.isNoted = true;
    this.writeInTime();
  }

  /** Writes what is noted, and nothing any more after that. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.writing;
    if (this.isNoted) await this.writeNow();
  }

  private writeInTime(): void {
    if (this.isClosed || this.writing !== undefined) return;
    const pauseMs = Math.min(this.pauseMs, this.inTimeMs);
    // Where the clock has been set, the store looks as old as the clock says, whatever time has passed.
    const isOld = Math.abs(this.latest - this.written) >= pauseMs;
    const waitMs = isOld ? 0 : this.writtenMs + pauseMs - performance.now();
    if (waitMs <= 0) {
      void this.writeNow();
    } else {
      this.timer ??= setTimeout(() => void this.writeNow(), waitMs).unref();
    }
  }

  private writeNow(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isNoted = false;
    this.written = this.latest;
    this.writtenMs = performance.now();
    this.writing = this.write(this.latest).then((staleAfterMs) => {
      this.writing = undefined;
      if (staleAfterMs === undefined) this.isNoted = true;
      else this.staleAfterMs = staleAfterMs;
      if (this.isNoted) this.writeInTime();
    });
    return this.writing;
  }
}
