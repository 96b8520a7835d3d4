import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { runInContext } from '../kernel/context.ts';
import { Ids } from '../kernel/ids.ts';
import { Pace } from '../kernel/pace.ts';
import { Settings } from '../settings.ts';
import { ConsumerCursors } from './consumer-cursors.ts';
import { Delivery } from './delivery.ts';
import { type Consumer, Dispatch } from './dispatch.ts';
import { Lane } from './lane.ts';
import { LogReader } from './log-reader.ts';
import { LogWatch } from './log-watch.ts';

/** Lanes that read and deliver at the same time; more would only wait for each other's commits. */
const LANES_AT_A_TIME = 4;

/**
 * Delivers the event log to the reactions: for each consumer and tenant a lane that reads after its cursor, hands over,
 * and moves on, all in small works of the bulk class. Woken by commits and by a timer.
 */
@Injectable()
export class Relay implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Relay.name);
  /** Whoever wakes the relay may be inside a work, which its own must not join. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private readonly lanes = new Map<string, Lane>();
  /** Lanes that have something to do, in the order of their turns. */
  private readonly ready: Lane[] = [];
  private readonly workers = new Set<Promise<void>>();
  private readonly pauses = new Map<Lane, () => void>();
  private stopTimer: () => void = () => undefined;
  private looking: Promise<void> = Promise.resolve();
  private stopWatching: () => void = () => undefined;
  private started = false;
  private stopped = false;

  constructor(
    private readonly dispatch: Dispatch,
    private readonly delivery: Delivery,
    private readonly cursors: ConsumerCursors,
    private readonly log: LogReader,
    private readonly watch: LogWatch,
    private readonly ids: Ids,
    private readonly settings: Settings,
    private readonly pace: Pace,
  ) {}

  onApplicationBootstrap(): void {
    if (this.dispatch.consumers.length === 0) return;
    this.stopWatching = this.watch.subscribe((tenantId) => {
      this.wake(tenantId);
    });
    this.lookAndRepeat();
  }

  /**
   * Begins to deliver what it was woken for. Not before every module has started: a reaction may need anything of any of
   * them, and what it does not find would be a failed attempt at its event.
   */
  start(): void {
    this.started = true;
    if (this.ready.length > 0) this.startWorker();
  }

  /** Finishes the turns that have begun. What is left is delivered after the next start. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.stopWatching();
    this.stopTimer();
    this.pauses.forEach((end) => {
      end();
    });
    this.ready.length = 0;
    await this.looking;
    await Promise.all(this.workers);
  }

  /** No lane is at work now; some may rest. */
  get isIdle(): boolean {
    return this.workers.size === 0;
  }

  /** The tenant may have new events. */
  wake(tenantId: string): void {
    for (const consumer of this.dispatch.consumers) {
      this.queue(this.laneOf(tenantId, consumer));
    }
  }

  /** Something that was set aside for the consumer may be due. */
  wakeRetries(tenantId: string, consumerName: string): void {
    const consumer = this.dispatch.consumerNamed(consumerName);
    if (consumer === undefined) return;
    const lane = this.laneOf(tenantId, consumer);
    lane.retryWanted = true;
    this.queue(lane);
  }

  /** Looks for set-aside events that are due, and for cursors whose store is due. Never throws. */
  async look(): Promise<void> {
    for (const lane of this.lanes.values()) {
      if (lane.isOverdue) this.queue(lane);
    }
    try {
      for (const { tenantId, consumer } of await this.delivery.dueConsumers()) {
        this.wakeRetries(tenantId, consumer);
      }
    } catch (error) {
      this.logger.debug({ err: error }, 'Could not look for events to try again');
    }
  }

  private lookAndRepeat(): void {
    this.looking = this.look().finally(() => {
      if (this.stopped) return;
      this.stopTimer = this.pace.after(this.settings.relayIntervalMs, () => {
        this.lookAndRepeat();
      });
    });
  }

  private laneOf(tenantId: string, consumer: Consumer): Lane {
    const id = `${tenantId} ${consumer.consumer}`;
    let lane = this.lanes.get(id);
    if (lane === undefined) {
      const { delivery, cursors, log, dispatch, settings, pace } = this;
      lane = new Lane(tenantId, consumer, delivery, cursors, log, dispatch, settings, pace);
      this.lanes.set(id, lane);
    }
    return lane;
  }

  private queue(lane: Lane): void {
    lane.wanted = true;
    if (this.stopped || lane.state !== 'idle') return;
    lane.state = 'queued';
    this.ready.push(lane);
    this.startWorker();
  }

  private startWorker(): void {
    if (!this.started || this.workers.size >= LANES_AT_A_TIME) return;
    const worker = this.outside(() => this.work()).finally(() => {
      this.workers.delete(worker);
      // A lane that was queued while the last workers were leaving would otherwise wait for the next commit.
      if (this.ready.length > 0) this.startWorker();
    });
    this.workers.add(worker);
  }

  /** Gives the lanes a turn each until none has anything to do. */
  private async work(): Promise<void> {
    // Those whose commit woke the relay get their answers first.
    await this.pace.nextTurn();
    for (let lane = this.ready.shift(); lane !== undefined; lane = this.ready.shift()) {
      lane.begin();
      const pauseMs = await this.step(lane);
      if (this.stopped) return;
      if (pauseMs > 0) {
        this.pause(lane, pauseMs);
      } else {
        lane.state = lane.isWantedAgain ? 'queued' : 'idle';
        if (lane.state === 'queued') this.ready.push(lane);
      }
    }
  }

  /** One turn. @returns how long the lane has to rest, in milliseconds; 0: not at all */
  private async step(lane: Lane): Promise<number> {
    const context = { tenantId: lane.tenantId, clientId: 'relay', correlationId: this.ids.next(), traceparent: null };
    try {
      return await runInContext(context, () => lane.step());
    } catch (error) {
      const { pauseMs, isFirst } = lane.failed();
      const consumer = lane.consumer.consumer;
      if (isFirst) this.logger.warn({ err: error, consumer }, 'Delivery is held up; trying again until it works');
      return pauseMs;
    }
  }

  private pause(lane: Lane, ms: number): void {
    lane.state = 'resting';
    const end = this.pace.after(ms, () => {
      this.pauses.delete(lane);
      lane.state = 'idle';
      this.queue(lane);
    });
    this.pauses.set(lane, end);
  }
}
