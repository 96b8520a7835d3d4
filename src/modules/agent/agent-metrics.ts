import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { Metrics } from '../../shared/operations/metrics.ts';
import { TILL_EVENT_TYPES, type TillEventType } from './contract.ts';

export const PUSH_OUTCOMES = ['applied', 'duplicate', 'parked', 'refused', 'conflict', 'dead'] as const;
export type PushOutcome = (typeof PUSH_OUTCOMES)[number];

/** What an agent counts besides what every process does (docs/operations.md). Its gauges are registered by agent-gauges.ts. */
@Injectable()
export class AgentMetrics {
  private readonly recorded: Counter<'type'>;
  private readonly pushed: Counter<'outcome'>;
  private readonly failedCalls: Counter;
  private readonly changes: Counter;
  private readonly snapshots: Counter;
  private readonly epochs: Counter;

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.recorded = new Counter({
      name: 'store_recorded_events_total',
      help: 'Facts that the tills recorded, by type.',
      labelNames: ['type'],
      registers,
    });
    this.pushed = new Counter({
      name: 'store_pushed_events_total',
      help: 'What the centre answered to events that were sent, by outcome; an event may be sent more than once.',
      labelNames: ['outcome'],
      registers,
    });
    this.failedCalls = counter('store_failed_calls_total', 'Calls of the centre that failed or got no answer.');
    this.changes = counter('store_applied_changes_total', 'Changes of the centre that were applied to the shelf.');
    this.snapshots = counter('store_snapshots_total', 'Snapshots of the centre that were taken over whole.');
    this.epochs = counter('store_opened_epochs_total', 'Epochs that the centre gave to this process.');
    // A counter that starts at zero lets an alert see its first step.
    for (const type of TILL_EVENT_TYPES) this.recorded.inc({ type }, 0);
    for (const outcome of PUSH_OUTCOMES) this.pushed.inc({ outcome }, 0);
  }

  countRecorded(type: TillEventType): void {
    this.recorded.inc({ type });
  }

  countPushed(outcome: PushOutcome): void {
    this.pushed.inc({ outcome });
  }

  countFailedCall(): void {
    this.failedCalls.inc();
  }

  countChanges(changes: number): void {
    this.changes.inc(changes);
  }

  countSnapshot(): void {
    this.snapshots.inc();
  }

  countEpoch(): void {
    this.epochs.inc();
  }
}
