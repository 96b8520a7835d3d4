import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';
import type { OrderEventContent } from '../contract.ts';

/**
 * What became of the event that used a version up, or will. DEAD: its letter is open. DISCARDED: it was given up. SKIPPED:
 * what came under this version was a repeat of, or contradicted, the event of another one.
 */
export type OrderEventStatus = 'APPLIED' | 'STALE' | 'PARKED' | 'DEAD' | 'DISCARDED' | 'SKIPPED';

/** The event of one version of an order. Who writes one writes its order as well, whose version guards both. */
export interface OrderEventRow {
  readonly orderId: string;
  readonly orderVersion: number;
  readonly eventId: string;
  readonly content: OrderEventContent;
  readonly contentHash: string;
  readonly status: OrderEventStatus;
  readonly deadLetterId: string | null;
  readonly receivedAt: Instant;
  /** From this instant on it may be forgotten; null while it waits. */
  readonly expiresAt: Instant | null;
}

export const orderEventsTable = defineTable<OrderEventRow>({
  name: 'order_events',
  key: ['orderId', 'orderVersion'],
  columns: {
    orderId: 'text',
    orderVersion: 'integer',
    eventId: 'text',
    content: 'json',
    contentHash: 'text',
    status: 'text',
    deadLetterId: 'text?',
    receivedAt: 'integer',
    expiresAt: 'integer?',
  },
  groups: {
    named: { by: ['eventId'], where: "status <> 'SKIPPED'" },
    waiting: { by: ['orderId'], where: "status IN ('PARKED', 'DEAD')" },
  },
});
