import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { Settings } from '../settings.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { HealthController } from './health.controller.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog, loggerParams, ProcessLog } from './logging.ts';
import { MetricsController } from './metrics.controller.ts';
import { Metrics } from './metrics.ts';
import { Readiness } from './readiness.ts';

/** What is seen of the running process: health, metrics, logs. Needs UnitOfWork and Reader from a global module. */
@Global()
@Module({})
export class OperationsModule {
  /** @param log where the lines go; nestjs-pino keeps the first one of a process for Nest's own lines */
  static forRoot(settings: Settings, log: Logger = createLog(settings)): DynamicModule {
    return {
      module: OperationsModule,
      imports: [
        // Our own lines say what is down; Terminus would write an error at every probe.
        TerminusModule.forRoot({ logger: false }),
        LoggerModule.forRoot(loggerParams(log)),
        // The registry is ours, one for each app: the module's own is one for the whole process.
        PrometheusModule.register({
          controller: MetricsController,
          defaultMetrics: { enabled: false },
        }),
      ],
      controllers: [HealthController],
      providers: [
        { provide: Settings, useValue: settings },
        { provide: ProcessLog, useValue: new ProcessLog(log) },
        Metrics,
        Lifecycle,
        EventLoopDelay,
        Readiness,
      ],
      exports: [Settings, ProcessLog, Metrics, Lifecycle],
    };
  }
}
