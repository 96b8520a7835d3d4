import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';
import type { OrderEventContent } from '../contract.ts';

/** An event that contradicts another one: the same id or the same version of the order, with other content. */
export interface OrderConflictRow {
  readonly orderId: string;
  readonly orderVersion: number;
  readonly eventId: string;
  readonly contentHash: string;
  readonly content: OrderEventContent;
  readonly receivedAt: Instant;
  readonly expiresAt: Instant;
}

export const orderConflictsTable = defineTable<OrderConflictRow>({
  name: 'order_conflicts',
  key: ['orderId', 'orderVersion', 'eventId', 'contentHash'],
  columns: {
    orderId: 'text',
    orderVersion: 'integer',
    eventId: 'text',
    contentHash: 'text',
    content: 'json',
    receivedAt: 'integer',
    expiresAt: 'integer',
  },
});
