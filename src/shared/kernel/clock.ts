/** A UTC instant in whole milliseconds since 1970-01-01T00:00:00Z. Rendered as ISO-8601 at the HTTP edge only. */
export type Instant = number;

/** The one source of "now". Handlers read it inside their work, so that a work that is re-run decides on the time of the re-run. */
export abstract class Clock {
  abstract now(): Instant;
}

export class SystemClock extends Clock {
  now(): Instant {
    return Date.now();
  }
}

/** @returns e.g. `2026-11-22T22:43:00.000Z`: UTC with milliseconds, as every time in the API. */
export function toIsoInstant(at: Instant): string {
  return new Date(at).toISOString();
}
