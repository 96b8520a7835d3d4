import { defineTable } from '../../../shared/persistence/table.ts';
import type { StorePolicyState } from '../domain/store-policy.ts';

export const storePoliciesTable = defineTable<StorePolicyState>({
  name: 'store_policies',
  key: ['locationId'],
  columns: {
    locationId: 'text',
    staleAfterSeconds: 'integer',
    silentAfterSeconds: 'integer',
    staleCautionPercent: 'integer',
    silentCautionPercent: 'integer',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
