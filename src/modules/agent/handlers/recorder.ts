import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { AgentMetrics } from '../agent-metrics.ts';
import type { ShelfView } from '../contract.ts';
import type { ShelfItem } from '../domain/shelf-item.ts';
import type { Stream } from '../domain/stream.ts';
import { WakeUp } from '../link/wake-up.ts';
import { Streams } from '../storage/stream.repository.ts';
import { TillEvents } from '../storage/till-event.repository.ts';
import type { TillEventRow } from '../storage/till-event.table.ts';

export type Fact = Pick<TillEventRow, 'type' | 'sku' | 'data' | 'reference' | 'delta' | 'awaitsCursor'>;

/** Gives a fact its place in the stream, in the commit of what it changes here. */
@Injectable()
export class Recorder {
  constructor(
    private readonly streams: Streams,
    private readonly events: TillEvents,
    private readonly ids: Ids,
    private readonly wakeUp: WakeUp,
    private readonly metrics: AgentMetrics,
  ) {}

  /** @returns the id of the event, and its position */
  async record(tx: Transaction, fact: Fact, at: Instant): Promise<{ id: string; position: number }> {
    const stream = await this.streams.get(tx);
    const position = stream.append(at);
    this.streams.save(tx, stream);
    const id = this.ids.next();
    this.events.add(tx, { ...fact, id, position, occurredAt: at, outcome: null, code: null, version: 1 });
    tx.onSettled((status) => {
      if (status !== 'success') return;
      this.metrics.countRecorded(fact.type);
      this.wakeUp.wake();
    });
    return { id, position };
  }

  /** The stream as this batch has it. */
  stream(tx: Transaction): Promise<Stream> {
    return this.streams.get(tx);
  }
}

export function toShelfView(item: ShelfItem): ShelfView {
  const { sku, onHand, held, committed } = item.state;
  return { sku, onHand, held, committed, available: item.available };
}
