import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';
import type { Difference } from '../contract.ts';

/** What one reconciliation has found. Written once. */
export interface StoreReconciliationRow {
  readonly id: string;
  readonly locationId: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly cursor: string;
  readonly applied: boolean;
  /** The first of them. */
  readonly differences: readonly Difference[];
  readonly differencesTotal: number;
  readonly drift: number;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
}

export const storeReconciliationsTable = defineTable<StoreReconciliationRow>({
  name: 'store_reconciliations',
  key: ['id'],
  columns: {
    id: 'text',
    locationId: 'text',
    epoch: 'integer',
    sequence: 'integer',
    cursor: 'text',
    applied: 'boolean',
    differences: 'json',
    differencesTotal: 'integer',
    drift: 'integer',
    createdAt: 'integer',
    expiresAt: 'integer',
  },
});
