import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorFunction,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { Reader } from '../persistence/reader.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { Lifecycle } from './lifecycle.ts';

/** A check that takes longer has failed, so that a probe is answered even when the database hangs. */
const CHECK_MAX_MS = 2000;
/** Probes within this time share one look at the database and the disk. */
const FRESH_MS = 1000;

export interface ReadinessReport {
  /** By name: `status` up or down, and what was measured. Nothing of an error's text, which may name users or hosts. */
  readonly checks: HealthIndicatorResult;
  /** Names of the checks that are down. */
  readonly failing: readonly string[];
}

/** Can this process serve requests now? */
@Injectable()
export class Readiness {
  private readonly logger = new Logger(Readiness.name);
  private readonly folders: readonly string[];

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly eventLoopDelay: EventLoopDelay,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
  ) {
    const { sqlitePath } = settings;
    const database = sqlitePath === null ? [] : [path.dirname(path.resolve(sqlitePath))];
    this.folders = [...new Set([...database, process.cwd()])];
  }

  /** Never rejects, and answers within `CHECK_MAX_MS` or little more. */
  async check(): Promise<ReadinessReport> {
    const { details, error } = await this.health
      .check([
        this.attempt('writer', () => this.unitOfWork.ping()),
        this.attempt('reader', () => this.reader.ping()),
        this.attempt('disk', () => this.freeDisk()),
        () => this.eventLoop(),
        () => this.queue(),
        ...(this.lifecycle.draining ? [() => this.draining()] : []),
      ])
      .catch(resultOf);
    return { checks: details, failing: Object.keys(error ?? {}) };
  }

  private attempt(name: string, look: () => Promise<Record<string, unknown> | void>): HealthIndicatorFunction {
    return () =>
      this.indicators
        .check(name)
        .attempt(async () => {
          try {
            return await look();
          } catch (error) {
            this.logger.warn({ err: error }, `The check ${name} failed`);
            throw error instanceof TooLittleSpace ? error : new Error('does not answer');
          }
        })
        .withTimeout(CHECK_MAX_MS)
        .cacheFor(FRESH_MS);
  }

  private async freeDisk(): Promise<{ freeBytes: number }> {
    const spaces = await Promise.all(this.folders.map((folder) => statfs(folder)));
    const freeBytes = Math.min(...spaces.map(({ bavail, bsize }) => bavail * bsize));
    const { diskFreeBytesMin } = this.settings;
    if (freeBytes < diskFreeBytesMin) {
      throw new TooLittleSpace(`${freeBytes} bytes are free, ${diskFreeBytesMin} are needed`);
    }
    return { freeBytes };
  }

  private eventLoop(): HealthIndicatorResult {
    const { maxMs } = this.eventLoopDelay;
    const check = this.indicators.check('eventLoop');
    return maxMs > this.settings.eventLoopDelayMaxMs ? check.down({ maxMs }) : check.up({ maxMs });
  }

  private queue(): HealthIndicatorResult {
    const works = this.unitOfWork.queuedWorks;
    const check = this.indicators.check('queue');
    return works > this.settings.readyQueueWorksMax ? check.down({ works }) : check.up({ works });
  }

  private draining(): HealthIndicatorResult {
    return this.indicators.check('draining').down('the process is stopping');
  }
}

/** Its message holds numbers only, so it may be shown. */
class TooLittleSpace extends Error {}

/** Terminus throws its result when a check is down. */
function resultOf(error: unknown): HealthCheckResult {
  if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
  throw error;
}
