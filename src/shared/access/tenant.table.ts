import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';

export const TENANT_STATUSES = ['ACTIVE', 'SUSPENDED'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** One retail chain. Its row is the platform's and not its own, so it lies under NO_TENANT. */
export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly status: TenantStatus;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

export const tenantsTable = defineTable<TenantRow>({
  name: 'tenants',
  key: ['id'],
  columns: {
    id: 'text',
    name: 'text',
    status: 'text',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
