import { defineTable } from '../../../shared/persistence/table.ts';
import type { LocationFreshnessState } from '../domain/location-freshness.ts';

export const locationFreshnessTable = defineTable<LocationFreshnessState>({
  name: 'location_freshness',
  key: ['locationId'],
  columns: {
    locationId: 'text',
    lastSequence: 'integer?',
    asOf: 'integer?',
    lastContactAt: 'integer?',
    staleAfterSeconds: 'integer',
    silentAfterSeconds: 'integer',
    staleCautionPercent: 'integer',
    silentCautionPercent: 'integer',
    version: 'integer',
  },
});
