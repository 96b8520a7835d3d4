import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';
import type { OrderState } from '../domain/order-stream.ts';

export interface OrderRow extends OrderState {
  /** From this instant on it may be forgotten; null while anything of it waits. */
  readonly expiresAt: Instant | null;
}

export const ordersTable = defineTable<OrderRow>({
  name: 'shop_orders',
  key: ['orderId'],
  columns: {
    orderId: 'text',
    status: 'text',
    nextVersion: 'integer',
    blockedBy: 'integer?',
    cancelledBy: 'integer?',
    parked: 'integer',
    dead: 'integer',
    conflicts: 'integer',
    reservationId: 'text?',
    lines: 'json',
    createdAt: 'integer',
    updatedAt: 'integer',
    expiresAt: 'integer?',
    version: 'integer',
  },
});
