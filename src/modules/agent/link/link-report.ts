import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ONLY_CALLER } from '../../../shared/http/caller.ts';
import { Clock, toIsoInstant } from '../../../shared/kernel/clock.ts';
import { runInContext } from '../../../shared/kernel/context.ts';
import { Metrics } from '../../../shared/operations/metrics.ts';
import { AgentSettings } from '../agent-settings.ts';
import type { AgentHealthResponse } from '../agent-health.dto.ts';
import { Streams } from '../storage/stream.repository.ts';
import { TillEvents } from '../storage/till-event.repository.ts';
import { Circuit } from './circuit.ts';
import { LinkState } from './link-state.ts';

const MS_PER_SECOND = 1000;
const BREAKER_VALUES = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

/** The state of the link in figures, for health and metrics. */
@Injectable()
export class LinkReport implements OnApplicationBootstrap {
  private readonly startedAt: number;

  constructor(
    private readonly settings: AgentSettings,
    private readonly clock: Clock,
    private readonly link: LinkState,
    private readonly circuit: Circuit,
    private readonly streams: Streams,
    private readonly events: TillEvents,
    private readonly metrics: Metrics,
  ) {
    this.startedAt = clock.now();
  }

  onApplicationBootstrap(): void {
    const gauge = (name: string, help: string, read: () => Promise<number> | number): void => {
      const context = { ...ONLY_CALLER, clientId: 'metrics', correlationId: 'metrics', traceparent: null };
      this.metrics.registerGauge(name, help, () => runInContext(context, async () => read()));
    };
    gauge('store_pending_events', 'Recorded events that the centre has not acknowledged.', async () => {
      const { head, acknowledged } = await this.streams.read();
      return head - acknowledged;
    });
    gauge('store_oldest_pending_seconds', 'Age of the oldest of them, in seconds; 0: there is none.', () =>
      this.oldestPendingSeconds(),
    );
    gauge(
      'store_last_contact_seconds',
      'Time since the centre answered last, in seconds; since the start, if it never has.',
      () => this.secondsSince(this.link.lastContactAt ?? this.startedAt),
    );
    gauge('store_link_up', '1 while the centre answers and takes what this store sends, else 0.', () =>
      Number(this.link.current === 'CONNECTED'),
    );
    gauge(
      'store_breaker_state',
      'The circuit breaker: 0 closed, 1 half open, 2 open.',
      () => BREAKER_VALUES[this.circuit.state],
    );
    gauge('store_feed_settled', '1 while the shelf follows the feed, 0 while it needs a snapshot.', async () => {
      const { settled, snapshotWanted } = await this.streams.read();
      return Number(settled && !snapshotWanted);
    });
    gauge(
      'store_dead_events',
      'Recorded events that the centre could not apply, and still keeps.',
      async () => (await this.events.notTaken()).get('dead') ?? 0,
    );
    gauge(
      'store_conflicting_events',
      'Recorded events that contradict what the centre has.',
      async () => (await this.events.notTaken()).get('conflict') ?? 0,
    );
  }

  async read(): Promise<AgentHealthResponse> {
    const { epoch, cursor, settled, snapshotWanted, head, acknowledged } = await this.streams.read();
    const notTaken = await this.events.notTaken();
    const { lastContactAt, problem, current } = this.link;
    return {
      status: 'ok',
      locationId: this.settings.locationId,
      link: {
        state: current,
        problem,
        breaker: this.circuit.state,
        lastContactAt: lastContactAt === null ? null : toIsoInstant(lastContactAt),
        epoch,
        cursor,
        settled: settled && !snapshotWanted,
        pendingEvents: head - acknowledged,
        oldestPendingSeconds: await this.oldestPendingSeconds(),
        deadEvents: notTaken.get('dead') ?? 0,
        conflicts: notTaken.get('conflict') ?? 0,
      },
    };
  }

  private async oldestPendingSeconds(): Promise<number> {
    const { acknowledged } = await this.streams.read();
    const oldestAt = await this.events.oldestBehind(acknowledged);
    return oldestAt === null ? 0 : this.secondsSince(oldestAt);
  }

  private secondsSince(at: number): number {
    return Math.max(0, this.clock.now() - at) / MS_PER_SECOND;
  }
}
