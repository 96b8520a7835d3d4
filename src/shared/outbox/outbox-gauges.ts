import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../kernel/clock.ts';
import { runInContext } from '../kernel/context.ts';
import { Metrics } from '../operations/metrics.ts';
import { Reader } from '../persistence/reader.ts';
import { type Consumer, Dispatch } from './dispatch.ts';
import { type Backlog, LogReader } from './log-reader.ts';
import { Replays } from './replays.ts';

/** Two gauges of one scrape share what was read, in milliseconds. */
const BACKLOG_FRESH_MS = 1_000;
/** Rows of a tenant's log that are looked through for what a consumer has before it; past it the count is too low. */
const BACKLOG_ROWS_MAX = 200_000;

const CURSORS = `SELECT tenant_id AS "tenantId", consumer AS "consumer", position AS "position" FROM consumer_cursors`;

const SET_ASIDE = `SELECT consumer AS "consumer", SUM(events) AS "count" FROM blocked_subjects GROUP BY consumer`;

const DEAD = `SELECT consumer AS "consumer", COUNT(*) AS "count" FROM dead_letters WHERE status = 'DEAD'
  GROUP BY consumer`;

/** Whoever goes through the log, and for which types. */
type Wanting = Pick<Consumer, 'consumer' | 'types'>;

/** What an operator watches of the delivery of events: read at a scrape, over all tenants. */
@Injectable()
export class OutboxGauges implements OnModuleInit {
  private backlogs: Promise<ReadonlyMap<string, Backlog>> | undefined;
  private readAtMs = -Infinity;
  private readonly others: Wanting[] = [];

  constructor(
    private readonly metrics: Metrics,
    private readonly reader: Reader,
    private readonly log: LogReader,
    private readonly dispatch: Dispatch,
    private readonly replays: Replays,
    private readonly clock: Clock,
  ) {}

  /** What is before somebody who is no reaction is watched in the same way. */
  follow(other: Wanting): void {
    this.others.push(other);
  }

  onModuleInit(): void {
    const by = 'consumer';
    const { metrics } = this;
    metrics.registerGaugeBy('outbox_pending_events', 'Events in the log before a consumer.', by, async () =>
      mapped(await this.allBacklogs(), ({ events }) => events),
    );
    metrics.registerGaugeBy('outbox_lag_seconds', 'Age of the oldest event before a consumer.', by, async () =>
      mapped(await this.allBacklogs(), ({ oldestAt }) =>
        oldestAt === null ? 0 : Math.max(0, this.clock.now() - oldestAt) / 1000,
      ),
    );
    metrics.registerGaugeBy(
      'outbox_set_aside_events',
      'Events that wait for one that failed, itself included.',
      by,
      () =>
        this.counted(
          SET_ASIDE,
          this.dispatch.consumers.map(({ consumer }) => consumer),
        ),
    );
    metrics.registerGaugeBy('dead_letters', 'Events that a consumer could not process, not yet closed.', by, () =>
      this.counted(DEAD, this.replays.consumers),
    );
  }

  private async counted(sql: string, consumers: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.reader.selectAcrossTenants<{ consumer: string; count: number | string }>(sql);
    const counts = new Map(consumers.map((consumer) => [consumer, 0]));
    rows.forEach(({ consumer, count }) => counts.set(consumer, Number(count)));
    return counts;
  }

  private allBacklogs(): Promise<ReadonlyMap<string, Backlog>> {
    if (this.backlogs === undefined || performance.now() - this.readAtMs > BACKLOG_FRESH_MS) {
      this.readAtMs = performance.now();
      this.backlogs = this.readBacklogs();
    }
    return this.backlogs;
  }

  private async readBacklogs(): Promise<ReadonlyMap<string, Backlog>> {
    const consumers: readonly Wanting[] = [...this.dispatch.consumers, ...this.others];
    const all = new Map<string, Backlog>(consumers.map(({ consumer }) => [consumer, { events: 0, oldestAt: null }]));
    if (consumers.length === 0) return all;
    const cursors = await this.cursors();
    for (const tenantId of await this.log.tenants()) {
      for (const consumer of consumers) {
        const after = cursors.get(`${tenantId} ${consumer.consumer}`) ?? 0;
        const own = await this.backlogOf(tenantId, consumer, after);
        const sum = all.get(consumer.consumer);
        all.set(consumer.consumer, sum === undefined ? own : added(sum, own));
      }
    }
    return all;
  }

  private async backlogOf(tenantId: string, { types }: Wanting, after: number): Promise<Backlog> {
    let sum: Backlog = { events: 0, oldestAt: null };
    let from: number | null = after;
    for (let rows = 0; from !== null && rows < BACKLOG_ROWS_MAX;) {
      const position: number = from;
      const part = await runInContext({ ...CONTEXT, tenantId }, () => this.log.backlog(position, types));
      sum = added(sum, part);
      rows += part.rows;
      from = part.upTo;
      // On SQLite a read stops everything else; requests get their turn in between.
      await nextTurn();
    }
    return sum;
  }

  private async cursors(): Promise<Map<string, number>> {
    const rows = await this.reader.selectAcrossTenants<{ tenantId: string; consumer: string; position: number }>(
      CURSORS,
    );
    return new Map(rows.map(({ tenantId, consumer, position }) => [`${tenantId} ${consumer}`, position]));
  }
}

const CONTEXT = { clientId: 'metrics', correlationId: 'metrics', traceparent: null };

function added(one: Backlog, other: Backlog): Backlog {
  const ages = [one.oldestAt, other.oldestAt].filter((at) => at !== null);
  return { events: one.events + other.events, oldestAt: ages.length === 0 ? null : Math.min(...ages) };
}

function mapped(backlogs: ReadonlyMap<string, Backlog>, value: (of: Backlog) => number): ReadonlyMap<string, number> {
  return new Map([...backlogs].map(([consumer, backlog]) => [consumer, value(backlog)]));
}
