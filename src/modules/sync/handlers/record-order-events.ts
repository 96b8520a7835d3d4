import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import { Metrics } from '../../../shared/operations/metrics.ts';
import { isBusy } from '../../../shared/outbox/failure.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { CreateReservation } from '../../reservation/contract.ts';
import { type OrderEvent, type OrderEventResult, RecordOrderEvents } from '../contract.ts';
import { readOrderEvent } from '../order-event.ts';
import { Orders } from '../storage/orders.repository.ts';
import { OrderSequencer } from './order-sequencer.ts';

/** Carries out what an outside shop says of its orders, in whatever order it says it. */
@CommandHandler(RecordOrderEvents)
export class RecordOrderEventsHandler implements ICommandHandler<RecordOrderEvents> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly orders: Orders,
    private readonly sequencer: OrderSequencer,
  ) {}

  async execute({ events }: RecordOrderEvents): Promise<readonly OrderEventResult[]> {
    try {
      return await this.record(events);
    } catch (error) {
      if (isBusy(error)) throw error;
      // One of them spoils the commit of all. Those that were alone already are found out at once.
      return this.recordOneByOne(events, error);
    }
  }

  private record(events: readonly OrderEvent[], poison?: Error): Promise<OrderEventResult[]> {
    const keys = events.flatMap((event) => this.keysOf(event));
    return this.unitOfWork.run({ keys, workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      const results: OrderEventResult[] = [];
      for (const event of events) {
        const { id, orderId, version } = event;
        results.push({ id, orderId, version, ...(await this.sequencer.receive(tx, event, at, poison)) });
      }
      tx.onSettled((status) => {
        if (status !== 'success') return;
        for (const { outcome } of results) this.metrics.countOrderEvent(outcome);
      });
      return results;
    });
  }

  private async recordOneByOne(events: readonly OrderEvent[], error: unknown): Promise<OrderEventResult[]> {
    const results: OrderEventResult[] = [];
    for (const event of events) {
      try {
        if (events.length === 1) throw toError(error);
        results.push(...(await this.record([event])));
      } catch (failure) {
        if (isBusy(failure)) throw failure;
        results.push(...(await this.record([event], toError(failure))));
      }
    }
    return results;
  }

  private keysOf(event: OrderEvent): EntityKey[] {
    const read = readOrderEvent(event.content);
    const holds = 'lines' in read ? new CreateReservation(read.lines, null, null).keys : [];
    return [...this.orders.keysOf(event), ...holds];
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('What failed threw no error', { cause: thrown });
}
