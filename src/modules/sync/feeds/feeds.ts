import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { currentContext, runInContext } from '../../../shared/kernel/context.ts';
import { Lifecycle } from '../../../shared/operations/lifecycle.ts';
import { type FeedKind, Metrics } from '../../../shared/operations/metrics.ts';
import { LogReader } from '../../../shared/outbox/log-reader.ts';
import { LogWatch } from '../../../shared/outbox/log-watch.ts';
import { Upcasting } from '../../../shared/outbox/upcasting.ts';
import { Busy } from '../../../shared/persistence/persistence.errors.ts';
import { Settings } from '../../../shared/settings.ts';
import type { FeedInterest } from './feed-interest.ts';
import { FeedLog } from './feed-log.ts';
import { FeedReader } from './feed-reader.ts';
import { FeedTail } from './feed-tail.ts';

/** A place among the feeds that may be open at a time. */
export interface FeedPlace {
  /** Giving it back a second time does nothing. */
  leave(): void;
}

interface OpenTail {
  readonly tail: FeedTail;
  readonly opened: Promise<void>;
  readers: number;
}

/**
 * Everybody who follows the log from outside: how many there may be, the tail that those of a tenant share, and that all
 * of them end when the server stops.
 */
@Injectable()
export class Feeds implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  /** Whoever wakes a tail may be inside a work, which the look must not join. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private readonly tails = new Map<string, OpenTail>();
  private readonly readers = new Set<FeedReader>();
  private readonly open = new Map<FeedKind, number>();
  private stopWatching: () => void = () => undefined;

  constructor(
    private readonly log: FeedLog,
    private readonly events: LogReader,
    private readonly upcasting: Upcasting,
    private readonly watch: LogWatch,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.metrics.registerGauge(
      'sync_feed_lag_seconds',
      'For how long the slowest open feed has had something to read that it has not taken.',
      () => Promise.resolve([...this.readers].reduce((most, { behindMs }) => Math.max(most, behindMs), 0) / 1000),
    );
  }

  onApplicationBootstrap(): void {
    this.stopWatching = this.watch.subscribe((tenantId) => {
      this.wake(tenantId);
    });
    this.lifecycle.onDraining(() => {
      this.stopReaders();
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.stopWatching();
    this.stopReaders();
    await Promise.all([...this.tails.values()].map(({ tail }) => tail.close()));
  }

  /** True once the process was told to stop: nobody waits any more. */
  get isStopping(): boolean {
    return this.lifecycle.draining;
  }

  /** @throws Busy when as many are open as may be */
  enter(kind: FeedKind): FeedPlace {
    const all = [...this.open.values()].reduce((sum, count) => sum + count, 0);
    if (all >= this.settings.feedsMax) {
      throw new Busy('As many feeds as may be open at a time are open; try again when one has ended');
    }
    this.count(kind, 1);
    let isIn = true;
    return {
      leave: () => {
        if (isIn) this.count(kind, -1);
        isIn = false;
      },
    };
  }

  /**
   * Follows the log of the context's tenant from a position on, until it is closed.
   * @param position behind which it begins
   */
  async follow(interest: FeedInterest, position: number): Promise<FeedReader> {
    const { tenantId } = currentContext();
    const open = this.tails.get(tenantId) ?? this.openTail(tenantId);
    open.readers += 1;
    const leave = () => {
      open.readers -= 1;
      if (open.readers === 0 && this.tails.get(tenantId) === open) {
        this.tails.delete(tenantId);
        void open.tail.close();
      }
    };
    try {
      await open.opened;
    } catch (error) {
      leave();
      throw error;
    }
    const reader = new FeedReader(open.tail, this.log, interest, position, () => {
      this.readers.delete(reader);
      leave();
    });
    this.readers.add(reader);
    if (this.isStopping) reader.stop();
    return reader;
  }

  private openTail(tenantId: string): OpenTail {
    const tail = new FeedTail(this.events, this.upcasting);
    const open = { tail, opened: this.asTenant(tenantId, () => tail.open()), readers: 0 };
    this.tails.set(tenantId, open);
    return open;
  }

  private wake(tenantId: string): void {
    const open = this.tails.get(tenantId);
    if (open === undefined) return;
    void open.opened.then(
      () => {
        this.asTenant(tenantId, () => {
          open.tail.wake();
        });
      },
      // Whoever opened it is told.
      () => undefined,
    );
  }

  private asTenant<T>(tenantId: string, work: () => T): T {
    const context = { tenantId, clientId: 'feeds', correlationId: 'feeds', traceparent: null };
    return this.outside(() => runInContext(context, work));
  }

  private stopReaders(): void {
    this.readers.forEach((reader) => {
      reader.stop();
    });
  }

  private count(kind: FeedKind, by: number): void {
    const feeds = (this.open.get(kind) ?? 0) + by;
    this.open.set(kind, feeds);
    this.metrics.setOpenFeeds(kind, feeds);
  }
}
