import { Module } from '@nestjs/common';
import { StockMoved } from '../src/modules/inventory/contract.ts';
import { ReactsTo, type Reaction } from '../src/shared/outbox/reaction.ts';
import type { StoredEvent } from '../src/shared/outbox/stored-event.ts';
import type { Transaction } from '../src/shared/persistence/transaction.ts';

/** What the server of the bench tells when the log is drained. */
export interface DrainReport {
  readonly drained: { readonly events: number; readonly perSecond: number };
}

const EVENTS = Number(process.env['BENCH_DRAIN'] ?? 0);

/** Gets every movement there ever was and does nothing: what is left is what delivering costs, its commits included. */
@ReactsTo({ consumer: 'bench.hear-of-movements', events: [StockMoved] })
class HearOfMovement implements Reaction {
  private settled = 0;
  private startedAt = 0;

  handle(_event: StoredEvent, tx: Transaction): void {
    if (this.startedAt === 0) this.startedAt = performance.now();
    tx.onSettled((status) => {
      if (status !== 'success') return;
      this.settled += 1;
      if (this.settled === EVENTS) this.report();
    });
  }

  private report(): void {
    const perSecond = (EVENTS * 1000) / (performance.now() - this.startedAt);
    process.send?.({ drained: { events: EVENTS, perSecond } } satisfies DrainReport);
  }
}

@Module({ providers: [HearOfMovement] })
export class DrainModule {}
