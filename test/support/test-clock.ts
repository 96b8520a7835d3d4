import { Clock, type Instant, toIsoInstant } from '../../src/shared/kernel/clock.ts';

/** A clock that stands still until a test moves it. */
export class TestClock extends Clock {
  private instant: Instant;

  constructor(iso = '2026-03-01T10:00:00.000Z') {
    super();
    this.instant = Date.parse(iso);
  }

  now(): Instant {
    return this.instant;
  }

  /** Jumps to the very instant, e.g. the `expiresAt` of an answer; `offsetMs` moves it to just before or after. */
  set(iso: string, offsetMs = 0): void {
    this.instant = Date.parse(iso) + offsetMs;
  }

  advanceSeconds(seconds: number): void {
    this.instant += seconds * 1000;
  }

  /** @returns the instant `seconds` from now as the API writes it */
  iso(seconds = 0): string {
    return toIsoInstant(this.instant + seconds * 1000);
  }
}
