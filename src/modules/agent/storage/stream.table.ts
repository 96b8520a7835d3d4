import { defineTable } from '../../../shared/persistence/table.ts';
import type { StreamState } from '../domain/stream.ts';

export const streamTable = defineTable<StreamState>({
  name: 'till_stream',
  key: ['locationId'],
  columns: {
    locationId: 'text',
    epoch: 'integer?',
    base: 'integer',
    head: 'integer',
    acknowledged: 'integer',
    purgedThrough: 'integer',
    cursor: 'text?',
    settled: 'boolean',
    snapshotWanted: 'boolean',
    round: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
