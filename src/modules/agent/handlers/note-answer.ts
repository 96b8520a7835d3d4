import { Injectable, Logger } from '@nestjs/common';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { AgentMetrics } from '../agent-metrics.ts';
import type { Acknowledgement } from '../domain/stream.ts';
import type { EventResult } from '../link/centre.ts';
import { Pickups } from '../storage/pickup.repository.ts';
import { Streams } from '../storage/stream.repository.ts';
import { TillEvents } from '../storage/till-event.repository.ts';

/** Notes what the centre has taken, and what it could not apply. The store's own figures stay as they are: it happened. */
@Injectable()
export class NoteAnswer {
  private readonly logger = new Logger(NoteAnswer.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly streams: Streams,
    private readonly events: TillEvents,
    private readonly pickups: Pickups,
    private readonly metrics: AgentMetrics,
  ) {}

  /** @param epoch in which the events were sent */
  execute(epoch: number, results: readonly EventResult[], nextSequence: number): Promise<Acknowledgement> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const at = this.clock.now();
      const stream = await this.streams.get(tx);
      const before = stream.version;
      const acknowledgement = stream.acknowledge(epoch, nextSequence, at);
      if (acknowledgement === 'outdated') return acknowledgement;
      for (const result of results) {
        if (result.outcome === 'dead' || result.outcome === 'conflict') {
          await this.noteNotTaken(tx, result.id, result.outcome, result.code ?? null, at);
        }
      }
      if (stream.version !== before) this.streams.save(tx, stream);
      tx.onSettled((status) => {
        if (status === 'success') for (const { outcome } of results) this.metrics.countPushed(outcome);
      });
      return acknowledgement;
    });
  }

  private async noteNotTaken(
    tx: Transaction,
    id: string,
    outcome: 'dead' | 'conflict',
    code: string | null,
    at: Instant,
  ): Promise<void> {
    const row = await this.events.get(tx, id);
    if (row === undefined || (row.outcome === outcome && row.code === code)) return;
    this.events.replace(tx, { ...row, outcome, code });
    if (row.type === 'pickup') {
      const reservationId = row.data['reservationId'] as string;
      const pickup = await this.pickups.get(tx, reservationId);
      if (pickup?.eventId === id) {
        await this.pickups.put(tx, { ...pickup, isDead: true, updatedAt: at, version: pickup.version + 1 });
      }
    }
    tx.onSettled((status) => {
      if (status === 'success') this.tell(row.type, row.sku, id, outcome, code);
    });
  }

  private tell(type: string, sku: string | null, id: string, outcome: string, code: string | null): void {
    const fields = { type, sku, eventId: id, outcome, code };
    // The centre has it among its dead letters or conflicts, where somebody has to look at it.
    this.logger.warn(fields, 'The centre could not apply what happened here; it is kept there for review');
  }
}
