import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Pace } from '../kernel/pace.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { LogReader } from './log-reader.ts';

/** Positions that one query looks through for their tenants: it has to stay short on SQLite. */
const STRETCH_POSITIONS = 5_000;

/**
 * Tells whoever follows the event log that a tenant has new events: at once for commits of this process, at the next look
 * for those of other servers, and at the start for whatever is there.
 */
@Injectable()
export class LogWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(LogWatch.name);
  private readonly listeners = new Set<(tenantId: string) => void>();
  private readonly stopListening: () => void;
  private stopTimer: () => void = () => undefined;
  private looking: Promise<void> = Promise.resolve();
  private seen: number | undefined;
  private blind = false;
  private stopped = false;

  constructor(
    unitOfWork: UnitOfWork,
    private readonly log: LogReader,
    private readonly settings: Settings,
    private readonly pace: Pace,
  ) {
    this.stopListening = unitOfWork.onEventsStored((tenantId) => {
      this.tell(tenantId);
    });
  }

  onApplicationBootstrap(): void {
    this.lookAndRepeat();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.stopListening();
    this.stopTimer();
    await this.looking;
  }

  /**
   * Calls back with the tenant whenever it has new events, sometimes without any; never before they can be read.
   * @param listener must not throw and must not take long
   * @returns what ends it
   */
  subscribe(listener: (tenantId: string) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Looks for what other servers have stored. Never throws. */
  async look(): Promise<void> {
    try {
      await this.lookOnce();
      this.blind = false;
    } catch (error) {
      // Readiness tells that the database is away; a line for every look would only drown the others.
      if (!this.blind) this.logger.warn({ err: error }, 'Could not look for new events; trying again');
      this.blind = true;
    }
  }

  private async lookOnce(): Promise<void> {
    const head = await this.log.head();
    if (this.seen === undefined) {
      (await this.log.tenants()).forEach((tenantId) => {
        this.tell(tenantId);
      });
      this.seen = head;
      return;
    }
    while (this.seen < head && !this.stopped) {
      const upTo: number = Math.min(head, this.seen + STRETCH_POSITIONS);
      (await this.log.tenantsBetween(this.seen, upTo)).forEach((tenantId) => {
        this.tell(tenantId);
      });
      this.seen = upTo;
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

  private tell(tenantId: string): void {
    this.listeners.forEach((listener) => {
      listener(tenantId);
    });
  }
}
