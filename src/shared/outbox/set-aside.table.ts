import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';
import type { LoggedEvent } from './stored-event.ts';

/** A subject whose events a consumer gets no more until the first one that was set aside is handled or given up. */
export interface BlockedSubjectRow {
  readonly consumer: string;
  readonly subject: string;
  /** Set aside: the one that failed and those behind it. */
  readonly events: number;
  /** Failed attempts at the first of them. */
  readonly attempts: number;
  /** Null: it is a dead letter, and an operator decides. */
  readonly nextAttemptAt: Instant | null;
  readonly deadLetterId: string | null;
  readonly version: number;
}

/** An event that waits for its turn, whole, because the log may be purged before. */
export interface SetAsideEventRow {
  readonly consumer: string;
  readonly eventId: string;
  readonly subject: string;
  readonly position: number;
  readonly event: LoggedEvent;
}

export const blockedSubjectsTable = defineTable<BlockedSubjectRow>({
  name: 'blocked_subjects',
  key: ['consumer', 'subject'],
  columns: {
    consumer: 'text',
    subject: 'text',
    events: 'integer',
    attempts: 'integer',
    nextAttemptAt: 'integer?',
    deadLetterId: 'text?',
    version: 'integer',
  },
});

export const setAsideEventsTable = defineTable<SetAsideEventRow>({
  name: 'set_aside_events',
  key: ['consumer', 'eventId'],
  columns: { consumer: 'text', eventId: 'text', subject: 'text', position: 'integer', event: 'json' },
});
