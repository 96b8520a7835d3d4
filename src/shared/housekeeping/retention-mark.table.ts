import { defineTable } from '../persistence/table.ts';

/** `clock`: how far retention has come, an instant. `events`: the position through which the event log was purged. */
export type RetentionMarkName = 'clock' | 'events';

/** One of the few numbers that say how far the purge has come. They belong to the database, not to a tenant. */
export interface RetentionMarkRow {
  readonly name: RetentionMarkName;
  readonly value: number;
  readonly version: number;
}

export const retentionMarksTable = defineTable<RetentionMarkRow>({
  name: 'retention_marks',
  key: ['name'],
  columns: { name: 'text', value: 'integer', version: 'integer' },
});
