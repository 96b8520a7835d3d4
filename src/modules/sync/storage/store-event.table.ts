import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';
import type { KnownEvent } from '../domain/store-stream.ts';
import type { EventContent } from '../contract.ts';

/** What has a number of a store's stream. Changed only together with its stream or its dead letter, which are versioned. */
export interface StoreEventRow extends KnownEvent {
  readonly locationId: string;
  readonly sequence: number;
  /** Kept while the event waits for its turn. */
  readonly content: EventContent | null;
  readonly receivedAt: Instant;
  /** Null while the event waits, or has a dead letter that is open. */
  readonly expiresAt: Instant | null;
}

export const storeEventsTable = defineTable<StoreEventRow>({
  name: 'store_events',
  key: ['locationId', 'epoch', 'sequence'],
  columns: {
    locationId: 'text',
    epoch: 'integer',
    sequence: 'integer',
    eventId: 'text',
    contentHash: 'text',
    status: 'text',
    content: 'json?',
    receivedAt: 'integer',
    expiresAt: 'integer?',
  },
  groups: { event: { by: ['locationId', 'eventId'], where: "status <> 'SPENT'" } },
});
