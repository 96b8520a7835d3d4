import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { runInContext } from '../kernel/context.ts';
import { Ids } from '../kernel/ids.ts';
import { Pace } from '../kernel/pace.ts';
import { Metrics } from '../operations/metrics.ts';
import { ConsumerCursors } from '../outbox/consumer-cursors.ts';
import { LogReader } from '../outbox/log-reader.ts';
import { LogWatch } from '../outbox/log-watch.ts';
import { OutboxGauges } from '../outbox/outbox-gauges.ts';
import type { LoggedEvent } from '../outbox/stored-event.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { AuditChains, type NewEntry } from './audit-chains.ts';
import { AuditLane } from './audit-lane.ts';

/** Types of events that the audit keeps. */
export const AUDITED_TYPES = Symbol('types of events that the audit keeps');

/** Its place in the log is a cursor like that of every consumer, and the lock of its row is the lease of the chain. */
export const AUDIT_CONSUMER = { consumer: 'access.audit', startAt: 'oldest' } as const;

/**
 * How long it waits for more events before it writes, in milliseconds: what comes within it shares a commit, so an idle
 * server does not make a second commit, and on SQLite a second fsync, for each request. Under load there is more whenever it has
 * written; then it goes on with every batch, a little each time, instead of holding one up with all of it.
 */
const GATHER_MS = 200;
/** Between two looks at whether the chain has come far enough. */
const LOOK_AGAIN_MS = 10;

/** How one turn ended. */
type Turn = { readonly kind: 'done'; readonly position: number } | { readonly kind: 'elsewhere' };

/**
 * Writes the audit: follows the log of each tenant and appends what it finds to the tenant's chain, in the order of the
 * log, in small works of the bulk class (docs/decisions/0033). Entries, head of the chain and place in the log are one
 * commit, under the lock of the cursor's row; two servers that wrote the same number all the same would meet at the
 * primary key.
 */
@Injectable()
export class AuditWriter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(AuditWriter.name);
  /** Whoever wakes it may be inside a work, which its own must not join. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private readonly lanes = new Map<string, AuditLane>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopWatching: () => void = () => undefined;
  private stopped = false;

  constructor(
    @Inject(AUDITED_TYPES) private readonly types: readonly string[],
    private readonly chains: AuditChains,
    private readonly unitOfWork: UnitOfWork,
    private readonly cursors: ConsumerCursors,
    private readonly log: LogReader,
    private readonly watch: LogWatch,
    gauges: OutboxGauges,
    private readonly metrics: Metrics,
    private readonly ids: Ids,
    private readonly pace: Pace,
    private readonly settings: Settings,
  ) {
    if (!this.isOn) return;
    cursors.follow(AUDIT_CONSUMER);
    gauges.follow({ ...AUDIT_CONSUMER, types });
  }

  onApplicationBootstrap(): void {
    if (!this.isOn) return;
    this.stopWatching = this.watch.subscribe((tenantId) => {
      this.wake(tenantId);
    });
  }

  /** Finishes the turn that has begun. What is left is written after the next start. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.stopWatching();
    clearTimeout(this.timer);
    await this.running;
  }

  get isOn(): boolean {
    return this.settings.audit === 'on';
  }

  /** The tenant may have new events. */
  wake(tenantId: string): void {
    this.laneOf(tenantId).wanted = true;
    this.schedule(GATHER_MS);
  }

  /**
   * Waits until everything is written that the log of the tenant holds now, whichever server writes it.
   * @returns false when that took longer than `maxMs`
   */
  async caughtUp(tenantId: string, maxMs: number): Promise<boolean> {
    if (!this.isOn) return true;
    const deadline = performance.now() + maxMs;
    const context = { tenantId, clientId: 'audit', correlationId: this.ids.next(), traceparent: null };
    const head = await runInContext(context, () => this.log.headOfTenant());
    const lane = this.laneOf(tenantId);
    while ((lane.place.position ?? 0) < head && !this.stopped) {
      if (performance.now() >= deadline) return false;
      lane.wanted = true;
      this.schedule(0);
      await pause(LOOK_AGAIN_MS);
    }
    return true;
  }

  private laneOf(tenantId: string): AuditLane {
    let lane = this.lanes.get(tenantId);
    if (lane === undefined) {
      lane = new AuditLane(tenantId, this.pace);
      this.lanes.set(tenantId, lane);
    }
    return lane;
  }

  private schedule(ms: number): void {
    if (this.stopped || this.running !== undefined) return;
    if (this.timer !== undefined && ms > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.running = this.outside(() => this.work()).finally(() => {
        this.running = undefined;
        this.goOn();
      });
    }, ms);
    this.timer.unref();
  }

  /** What was woken meanwhile, or has to rest, has its turn later. */
  private goOn(): void {
    const waiting = [...this.lanes.values()].filter(({ wanted }) => wanted);
    if (waiting.length === 0) return;
    const earliest = Math.min(...waiting.map(({ restsUntil }) => restsUntil));
    this.schedule(Math.max(GATHER_MS / 2, earliest - performance.now()));
  }

  /** Gives each chain a turn, again and again until none is ready. */
  private async work(): Promise<void> {
    for (let ready = this.ready(); ready.length > 0; ready = this.ready()) {
      for (const lane of ready) {
        if (this.stopped) return;
        await this.step(lane);
      }
    }
  }

  private ready(): AuditLane[] {
    return [...this.lanes.values()].filter(({ isReady }) => isReady);
  }

  /** One turn of a chain. Never throws: a chain that cannot be written holds up no other. */
  private async step(lane: AuditLane): Promise<void> {
    const { tenantId } = lane;
    lane.wanted = false;
    const context = { tenantId, clientId: 'audit', correlationId: this.ids.next(), traceparent: null };
    try {
      await runInContext(context, () => this.readOn(lane));
    } catch (error) {
      const isGrave = lane.failed(error);
      if (isGrave) this.metrics.countAuditFailure();
      if (lane.failures === 1) {
        if (isGrave)
          this.logger.error(
            { err: error, auditOf: tenantId },
            'The audit of a tenant cannot be written; nothing is lost, and it is tried again',
          );
        else this.logger.warn({ err: error, auditOf: tenantId }, 'The audit waits for the database; trying again');
      }
    }
  }

  private async readOn(lane: AuditLane): Promise<void> {
    const { place } = lane;
    // A tenant of which nothing is left gets no cursor.
    if (place.position === undefined && (await this.log.headOfTenant()) === 0) return;
    const after = place.position ?? place.begin(await this.cursors.positionOf(AUDIT_CONSUMER));
    const { events, upTo, more, fromMemory } = await this.log.next(after, { types: this.types }, lane.turnEvents);
    if (more || fromMemory) lane.wanted = true;
    if (events.length === 0 && !place.isToBeStored(upTo)) {
      lane.passed(upTo);
      return;
    }
    let costMs = 0;
    const turn = await this.unitOfWork.run<Turn>({ keys: [], workClass: 'bulk' }, (tx) => {
      tx.onSettled(() => {
        costMs = tx.costMs;
      });
      return this.append(tx, events, upTo);
    });
    if (turn.kind === 'elsewhere') {
      lane.elsewhere();
      return;
    }
    lane.stored(turn.position, events.length, costMs, this.settings);
  }

  private async append(tx: Transaction, events: readonly LoggedEvent[], upTo: number): Promise<Turn> {
    const turn = await this.cursors.take(tx, AUDIT_CONSUMER.consumer, false);
    if (turn === undefined) return { kind: 'elsewhere' };
    const fresh = events.filter(({ position }) => position > turn.position);
    if (fresh.length > 0) {
      const chain = await this.chains.open(tx);
      if (chain === null) return { kind: 'elsewhere' };
      for (const event of fresh) chain.append(toEntry(event));
      chain.close();
      tx.onSettled((status) => {
        if (status === 'success') this.metrics.countAuditEntries(fresh.length);
      });
    }
    turn.moveTo(upTo);
    return { kind: 'done', position: turn.position };
  }
}

function toEntry(event: LoggedEvent): NewEntry {
  return {
    position: event.position,
    eventId: event.eventId,
    occurredAt: event.occurredAt,
    keyId: event.keyId,
    clientId: event.clientId,
    address: event.address,
    correlationId: event.correlationId,
    causationId: event.causationId,
    origin: event.origin,
    action: event.type,
    version: event.version,
    subject: event.subject,
    subjectVersion: event.subjectVersion,
    data: event.payload,
  };
}
