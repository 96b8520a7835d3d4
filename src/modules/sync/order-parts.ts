import type { Table } from '../../shared/persistence/table.ts';
import { GetOrderHandler } from './handlers/get-order.ts';
import { OrderAlarms } from './handlers/order-alarms.ts';
import { OrderEffects } from './handlers/order-effects.ts';
import { OrderSequencer } from './handlers/order-sequencer.ts';
import { RecordOrderEventsHandler } from './handlers/record-order-events.ts';
import { OrderEventReplayer } from './handlers/replay-order-event.ts';
import { OrderGauges } from './order-gauges.ts';
import { OrderRows } from './row-views.ts';
import { orderConflictsTable } from './storage/order-conflict.table.ts';
import { orderEventsTable } from './storage/order-event.table.ts';
import { ordersTable } from './storage/order.table.ts';
import { Orders } from './storage/orders.repository.ts';

/*
 * What sync.module.ts wires for the orders of outside shops.
 */

/** In the order in which a batch writes them. The rows of all of them go when they have expired. */
export const ORDER_TABLES = [ordersTable, orderEventsTable, orderConflictsTable] as Table[];

export const ORDER_PROVIDERS = [
  Orders,
  OrderSequencer,
  OrderEffects,
  OrderAlarms,
  OrderEventReplayer,
  OrderGauges,
  OrderRows,
  RecordOrderEventsHandler,
  GetOrderHandler,
];
