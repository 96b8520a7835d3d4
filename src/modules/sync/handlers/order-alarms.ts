import { Injectable, Logger } from '@nestjs/common';
import { Metrics, type OrderAlarmKind } from '../../../shared/operations/metrics.ts';
import type { Failure } from '../../../shared/outbox/failure.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { OrderAlarm } from '../contract.ts';
import type { OrderEventRow } from '../storage/order-event.table.ts';

/** Tells, once it is certain, of what a person has to look at (docs/operations.md, "Orders that need a person"). */
@Injectable()
export class OrderAlarms {
  private readonly logger = new Logger(OrderAlarms.name);

  constructor(private readonly metrics: Metrics) {}

  /** @param alarm null: there is nothing alarming about the event */
  raise(tx: Transaction, row: OrderEventRow, alarm: OrderAlarm | null): void {
    if (alarm !== null) this.tell(tx, row, alarm, undefined);
  }

  /** An event has died. Most of them are alarmed enough by being a dead letter. */
  died(tx: Transaction, row: OrderEventRow, { code }: Failure, error: unknown): void {
    if (code === 'PAID_WITHOUT_STOCK') this.tell(tx, row, code, undefined);
    // What was no refusal is known to the log alone.
    else if (code === 'INTERNAL') this.tell(tx, row, null, error);
  }

  private tell(tx: Transaction, row: OrderEventRow, alarm: OrderAlarmKind | null, err: unknown): void {
    const { orderId, orderVersion, eventId } = row;
    tx.onSettled((status) => {
      if (status !== 'success') return;
      if (alarm !== null) this.metrics.countOrderAlarm(alarm);
      const what = alarm ?? 'INTERNAL';
      this.logger.warn({ err, alarm: what, orderId, version: orderVersion, eventId }, 'An order needs a person');
    });
  }
}
