import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { Counters, MemoryCounters } from '../access/limits/counters.ts';
import { RateLimits } from '../access/limits/rate-limits.ts';
import { DocsController } from './docs.controller.ts';
import { DuplicateHandlerCheck } from './duplicate-handlers.ts';
import { ProblemFilter } from './problem.filter.ts';
import { RequestValidation } from './validation.ts';
import { RowStreams } from '../rows/row-streams.ts';
import { WriteDoor } from './write-door.ts';

/** The HTTP edge. Needs Settings, Metrics, Clock, Pace, UnitOfWork and CommandBus from global modules. */
@Global()
@Module({
  imports: [DiscoveryModule],
  controllers: [DocsController],
  providers: [
    WriteDoor,
    RowStreams,
    DuplicateHandlerCheck,
    RateLimits,
    { provide: Counters, useClass: MemoryCounters },
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_GUARD, useClass: RequestValidation },
  ],
  exports: [WriteDoor, RowStreams, RateLimits],
})
export class HttpModule {}
