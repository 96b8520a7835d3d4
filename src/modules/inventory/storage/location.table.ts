import { defineTable } from '../../../shared/persistence/table.ts';
import type { LocationState } from '../domain/location.ts';

export const locationsTable = defineTable<LocationState>({
  name: 'locations',
  key: ['locationId'],
  columns: {
    locationId: 'text',
    name: 'text',
    kind: 'text',
    priority: 'integer',
    sellsOnline: 'boolean',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
