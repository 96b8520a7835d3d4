import type { Instant } from '../../../shared/kernel/clock.ts';

const INSTANT = /^\d{4}-\d{2}-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

/**
 * When an event happened, by the clock of whoever sent it: ISO-8601 in UTC, to the second or finer.
 * @returns null when it is no instant that there is
 */
export function readOccurredAt(value: unknown): Instant | null {
  const [, day] = (typeof value === 'string' && value.length <= 30 ? INSTANT.exec(value) : null) ?? [];
  if (day === undefined) return null;
  const at = Date.parse(value as string);
  // Of the 30th of February JavaScript makes a day in March, and of 24:00 the next day.
  return new Date(at).getUTCDate() === Number(day) ? at : null;
}
