import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { type RowView, ViewsRowsOf } from '../../shared/outbox/views.ts';
import { type OrderRow, ordersTable } from './storage/order.table.ts';

/** Orders, for an operator who asks what replaying an event would change. */
@ViewsRowsOf(ordersTable.name, 'orders')
export class OrderRows implements RowView<OrderRow> {
  toView({ orderId, status, nextVersion, blockedBy, parked, dead, reservationId, updatedAt }: OrderRow): object {
    return { orderId, status, nextVersion, blockedBy, parked, dead, reservationId, updatedAt: toIsoInstant(updatedAt) };
  }
}
