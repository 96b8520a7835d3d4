import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';

/** How far a consumer is in the log of a tenant. Whoever delivers to it has this row locked. */
export interface ConsumerCursorRow {
  readonly consumer: string;
  /** Every event up to here, included, was handled, was set aside, or is of no interest to the consumer. */
  readonly position: number;
  /** Subjects with events set aside; while there are none, nobody has to look for them. */
  readonly blockedSubjects: number;
  readonly updatedAt: Instant;
  readonly version: number;
}

export const consumerCursorsTable = defineTable<ConsumerCursorRow>({
  name: 'consumer_cursors',
  key: ['consumer'],
  columns: {
    consumer: 'text',
    position: 'integer',
    blockedSubjects: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
