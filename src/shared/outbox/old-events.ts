import type { Instant } from '../kernel/clock.ts';

export interface DatedEvent {
  readonly position: number;
  readonly occurredAt: Instant;
}

export interface OldEvents {
  /** All events through this position are old; null: none of these proves it. */
  readonly through: number | null;
  /** False: one of them is young, so nothing behind it may go. */
  readonly goOn: boolean;
}

/**
 * Which events at the front of the log are old. Positions are in commit order, so what stands before an old event is at
 * least as old, whatever a wrong clock wrote on it.
 * - One that is not old yet ends the search, although older dates may follow: those were written by a clock that was behind.
 * - One that is dated later than now was written by a clock that was ahead. It proves nothing and takes the age of what follows.
 * @param events in the order of the log, without a gap
 * @param old events of this instant and before are old
 */
export function lookForOld(events: readonly DatedEvent[], old: Instant, now: Instant): OldEvents {
  let through: number | null = null;
  for (const { position, occurredAt } of events) {
    if (occurredAt <= old) through = position;
    else if (occurredAt <= now) return { through, goOn: false };
  }
  return { through, goOn: true };
}
