import { Clock } from '../../../shared/kernel/clock.ts';
import type { DeadLetterRow } from '../../../shared/outbox/dead-letter.table.ts';
import { type Replayer, ReplaysLettersOf } from '../../../shared/outbox/replays.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { OrderEventRow } from '../storage/order-event.table.ts';
import { Orders } from '../storage/orders.repository.ts';
import { ORDER_EVENTS_CONSUMER, OrderSequencer } from './order-sequencer.ts';

/** Dead events of orders, processed again by an operator, and what waits behind them. */
@ReplaysLettersOf(ORDER_EVENTS_CONSUMER)
export class OrderEventReplayer implements Replayer {
  constructor(
    private readonly clock: Clock,
    private readonly orders: Orders,
    private readonly sequencer: OrderSequencer,
  ) {}

  async replay(letter: DeadLetterRow, tx: Transaction): Promise<void> {
    const row = await this.eventOf(letter, tx);
    if (row.status === 'DEAD') await this.sequencer.replay(tx, row, this.clock.now());
  }

  async release(letter: DeadLetterRow, tx: Transaction): Promise<void> {
    await this.sequencer.release(tx, await this.eventOf(letter, tx), this.clock.now());
  }

  /** It is kept as long as its letter is open. */
  private async eventOf(letter: DeadLetterRow, tx: Transaction): Promise<OrderEventRow> {
    const { orderId, sequence } = letter;
    const row = orderId === null || sequence === null ? undefined : await this.orders.eventAt(tx, orderId, sequence);
    if (row?.deadLetterId !== letter.id) throw new Error(`The event of the dead letter ${letter.id} is not kept`);
    return row;
  }
}
