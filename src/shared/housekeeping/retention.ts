import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock, type Instant, toIsoInstant } from '../kernel/clock.ts';
import { Metrics } from '../operations/metrics.ts';
import { Reader } from '../persistence/reader.ts';
import { Settings } from '../settings.ts';
import type { Kept } from './kept.ts';
import { Periodic } from './periodic.ts';
import { PurgePieces } from './purge-pieces.ts';
import { RetentionClock } from './retention-clock.ts';
import { NO_TENANT, RetentionMarks } from './retention-marks.ts';

/** How far the clock of retention may be ahead of what is stored of it; a crash forgets no more than that. */
const STORE_EVERY_MS = 600_000;

const NEWEST_EVENT = 'SELECT occurred_at AS "at" FROM outbox_events ORDER BY position DESC LIMIT 1';

/**
 * Purges what has been kept for its time (docs/decisions/0016). What is kept, and how long, say those who register it.
 * It is never in a hurry: every kind is correct without the purge, which only keeps tables short.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Retention.name);
  private readonly kinds: Kept[] = [];
  private readonly ownClock = new RetentionClock();
  private readonly periodic: Periodic;
  private reached: Instant | undefined;
  private lagging = false;

  constructor(
    private readonly pieces: PurgePieces,
    private readonly marks: RetentionMarks,
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    settings: Settings,
  ) {
    this.periodic = new Periodic(Retention.name, settings.purgeIntervalMs, () => this.purge());
  }

  /** From now on these rows are purged when they are due. */
  keep(kind: Kept): void {
    this.kinds.push(kind);
    this.metrics.countPurged(kind.kind, 0);
  }

  onApplicationBootstrap(): void {
    this.metrics.registerGaugeBy(
      'retention_overdue_seconds',
      'How long the oldest row that is kept should have been purged, in seconds, by kind; 0: nothing is overdue.',
      'kind',
      async () => new Map(await Promise.all(this.kinds.map((kind) => this.overdueSeconds(kind)))),
    );
    this.metrics.registerGauge(
      'retention_clock_lag_seconds',
      "How far the purge's clock is behind the server's, in seconds: it does not follow jumps.",
      async () => Math.max(0, this.clock.now() - (this.reached ?? (await this.stored()))) / 1000,
    );
    this.periodic.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.pieces.stop();
    await this.periodic.stop();
  }

  /**
   * Purges everything that is due now.
   * @throws AggregateError when it failed for some kinds; the others were purged
   */
  async purge(): Promise<void> {
    const at = await this.moveOn();
    const failures: unknown[] = [];
    for (const kind of this.kinds) {
      try {
        await kind.purgeDue(at, this.pieces);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, 'Not everything that is due could be purged');
    }
  }

  /** @returns the time by which things are old enough; never later than the server's clock says it is */
  private async moveOn(): Promise<Instant> {
    const now = this.clock.now();
    const stored = await this.marks.read('clock');
    const before = Math.max(stored ?? (await this.stored()), this.reached ?? 0);
    const reached = this.ownClock.advance(before, now);
    this.reached = reached;
    this.tellOfLag(reached, now);
    if (stored === null || reached - stored >= STORE_EVERY_MS) {
      await this.pieces.run(NO_TENANT, (tx) => this.marks.raise(tx, 'clock', reached));
    }
    return Math.min(reached, now);
  }

  /** Where the clock of retention stands; before its first move, at the newest event, because a new clock proves nothing. */
  private async stored(): Promise<Instant> {
    const stored = await this.marks.read('clock');
    if (stored !== null) return stored;
    const [newest] = await this.reader.selectAcrossTenants<{ at: number }>(NEWEST_EVENT);
    const now = this.clock.now();
    return newest === undefined ? now : Math.min(now, newest.at);
  }

  private tellOfLag(reached: Instant, now: Instant): void {
    const lags = reached < now;
    if (lags && !this.lagging) {
      this.logger.warn(
        `The clock is ahead of the last purge by more than was expected: it says ${toIsoInstant(now)}, and what is purged ` +
          `now is what is due at ${toIsoInstant(reached)}. Is the clock right?`,
      );
    }
    this.lagging = lags;
  }

  private async overdueSeconds(kind: Kept): Promise<[kind: string, seconds: number]> {
    const dueAt = await kind.oldestDueAt(this.reader);
    return [kind.kind, dueAt === null ? 0 : Math.max(0, this.clock.now() - dueAt) / 1000];
  }
}
