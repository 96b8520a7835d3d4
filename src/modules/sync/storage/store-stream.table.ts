import { defineTable } from '../../../shared/persistence/table.ts';
import type { StoreStreamState } from '../domain/store-stream.ts';

export const storeStreamsTable = defineTable<StoreStreamState>({
  name: 'store_streams',
  key: ['locationId'],
  columns: {
    locationId: 'text',
    epoch: 'integer',
    nextSequence: 'integer',
    highest: 'integer',
    holes: 'json',
    parked: 'integer',
    toEnd: 'integer',
    conflicts: 'integer',
    drift: 'integer',
    openedAt: 'integer',
    lastContactAt: 'integer',
    version: 'integer',
  },
});
