/** A UTC instant in whole milliseconds since 1970-01-01T00:00:00Z. Rendered as ISO-8601 at the HTTP edge only. */
export type Instant = number;

/** The one source of "now". Handlers read it inside their work, so that a work that is re-run decides on the time of the re-run. */
export abstract class Clock {
  abstract now(): Instant;
}

/** A system clock that is set back by more than this is followed at once: nobody wants to wait for it for hours. */
export const SET_BACK_MAX_MS = 3_600_000;
/** Behind which the time goes on, in milliseconds of the monotonic clock for one of its own, until the system's has caught up. */
const SLOWED_BY = 2;

/**
 * The system's clock, which never goes back while the process lives: what was over stays over, and what happens later is
 * dated later. When the system's clock is set back, this one goes on at half the speed until it is overtaken; a clock
 * that is set forward is followed at once (docs/decisions/0038-a-clock-that-jumps.md).
 */
export class SystemClock extends Clock {
  /** What it said last. */
  private told: Instant = -Infinity;
  /** Since the system's clock was set back: where it went on from, and when, on the monotonic clock. */
  private slowedAt: { readonly instant: Instant; readonly elapsedMs: number } | undefined;

  /**
   * @param systemMs may jump
   * @param elapsedMs never jumps, and counts from anywhere
   */
  constructor(
    private readonly systemMs: () => number = () => Date.now(),
    private readonly elapsedMs: () => number = () => performance.now(),
  ) {
    super();
  }

  now(): Instant {
    const system = this.systemMs();
    if (system < this.told) return this.goOnSlowly(system);
    this.slowedAt = undefined;
    this.told = system;
    return system;
  }

  private goOnSlowly(system: Instant): Instant {
    const elapsedMs = this.elapsedMs();
    this.slowedAt ??= { instant: this.told, elapsedMs };
    const slowed = this.slowedAt.instant + Math.floor((elapsedMs - this.slowedAt.elapsedMs) / SLOWED_BY);
    const isFollowed = slowed <= system || slowed - system > SET_BACK_MAX_MS;
    if (isFollowed) this.slowedAt = undefined;
    this.told = isFollowed ? system : slowed;
    return this.told;
  }
}

/** @returns e.g. `2026-11-22T22:43:00.000Z`: UTC with milliseconds, as every time in the API. */
export function toIsoInstant(at: Instant): string {
  return new Date(at).toISOString();
}
