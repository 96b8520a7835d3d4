import type { Instant } from '../kernel/clock.ts';

const HOUR_MS = 3_600_000;

/** A jump of this length passes at once: a weekend during which the server stood still. */
export const JUMP_MAX_MS = 72 * HOUR_MS;
/** What goes beyond is caught up at this multiple of the speed of time: ten hours in each hour. */
export const CATCH_UP_SPEED = 10;

/**
 * The time by which things become old enough to be purged. It follows the server's clock, but not its jumps: a clock
 * that is a year ahead costs what is due within three days, and ten more hours of it for each hour until somebody
 * notices, instead of everything at once (docs/decisions/0016).
 */
export class RetentionClock {
  private allowanceMs = JUMP_MAX_MS;
  private countedAtMs: number;

  /** @param elapsedMs time that nobody can set, in milliseconds from anywhere */
  constructor(private readonly elapsedMs: () => number = () => performance.now()) {
    this.countedAtMs = elapsedMs();
  }

  /**
   * Moves on towards `now`.
   * @param reached how far it had come, stored by whichever server was last
   * @returns how far it has come: never less than `reached`, and never more than `now` unless it was already
   */
  advance(reached: Instant, now: Instant): Instant {
    const elapsedMs = this.elapsedMs();
    this.allowanceMs = Math.min(JUMP_MAX_MS, this.allowanceMs + CATCH_UP_SPEED * (elapsedMs - this.countedAtMs));
    this.countedAtMs = elapsedMs;
    const stepMs = Math.min(Math.max(0, now - reached), Math.floor(this.allowanceMs));
    this.allowanceMs -= stepMs;
    return reached + stepMs;
  }
}
