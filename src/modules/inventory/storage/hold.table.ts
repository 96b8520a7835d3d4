import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';

/** Units of one stock item that one hold has. The rows of a hold go when it is released or fulfilled. */
export interface HoldRow {
  readonly holdId: string;
  readonly sku: string;
  readonly locationId: string;
  /** At least 1. */
  readonly units: number;
  readonly state: 'HELD' | 'COMMITTED';
  /** Of no meaning once the state is COMMITTED. */
  readonly expiresAt: Instant;
  readonly version: number;
}

export const holdsTable = defineTable<HoldRow>({
  name: 'holds',
  key: ['holdId', 'sku', 'locationId'],
  columns: {
    holdId: 'text',
    sku: 'text',
    locationId: 'text',
    units: 'integer',
    state: 'text',
    expiresAt: 'integer',
    version: 'integer',
  },
  groups: { holdId: { by: ['holdId'] } },
});
