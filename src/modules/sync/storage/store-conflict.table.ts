import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';
import type { Contradicted, EventContent } from '../contract.ts';

/** An event whose id or number another content had before; it is never applied. Written once. */
export interface StoreConflictRow {
  readonly locationId: string;
  /** Follows from what it is, so that it is kept once however often it comes. */
  readonly id: string;
  readonly eventId: string;
  readonly epoch: number;
  readonly sequence: number;
  /** Which of the two was known with another content. */
  readonly contradicts: Contradicted;
  readonly content: EventContent;
  readonly receivedAt: Instant;
  readonly expiresAt: Instant;
}

export const storeConflictsTable = defineTable<StoreConflictRow>({
  name: 'store_conflicts',
  key: ['locationId', 'id'],
  columns: {
    locationId: 'text',
    id: 'text',
    eventId: 'text',
    epoch: 'integer',
    sequence: 'integer',
    contradicts: 'text',
    content: 'json',
    receivedAt: 'integer',
    expiresAt: 'integer',
  },
});
