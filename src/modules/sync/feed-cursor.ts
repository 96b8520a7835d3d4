import { DomainError } from '../../shared/kernel/domain-error.ts';

/*
 * The cursor of a feed: the position in the event log of the last change that was seen, as a decimal number in a text.
 * Every feed of a tenant counts alike, so a cursor that one call gave out is good for all of them.
 */

/** Before everything that is kept or was purged: the cursor of somebody who has seen nothing. */
export const FEED_START = '0';

/** What a cursor looks like; 16 digits are more than the log will ever count to. */
export const FEED_CURSOR_PATTERN = /^(0|[1-9][0-9]{0,15})$/;

export function isFeedCursor(value: unknown): value is string {
  return typeof value === 'string' && FEED_CURSOR_PATTERN.test(value);
}

/**
 * @returns the position that the cursor names, or null when the text is no cursor. Nothing is known yet of whether the
 *   log still has what follows it (FeedLog.assertKept), or whether it was ever given out.
 */
export function parseFeedCursor(text: string): number | null {
  return isFeedCursor(text) ? Number(text) : null;
}

/** @param position of an event of the log, or 0 */
export function formatFeedCursor(position: number): string {
  if (!Number.isSafeInteger(position) || position < 0) throw new Error(`Bug: ${position} is no position of the log`);
  return String(position);
}

/** What follows the cursor is no longer kept, or the log does not reach it: only a snapshot leads on from here. */
export class CursorGone extends DomainError {
  readonly code = 'CURSOR_GONE';
  readonly kind = 'gone';

  /** @param why to be read after the cursor */
  constructor(cursor: string, why: string) {
    super(`The cursor ${cursor} ${why}; take a snapshot and follow the changes from its cursor`);
  }
}
