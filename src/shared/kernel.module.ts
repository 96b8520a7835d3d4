import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock, SystemClock } from './kernel/clock.ts';
import { Ids, UuidV7Ids } from './kernel/ids.ts';
import { Pace, SystemPace } from './kernel/pace.ts';

/** Where a process has its time and chance from. */
export interface TimeAndChance {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly pace: Pace;
}

/** Time and chance, for everybody; a simulation brings its own. */
@Global()
@Module({})
export class KernelModule {
  static forRoot({
    clock = new SystemClock(),
    ids = new UuidV7Ids(),
    pace = new SystemPace(),
  }: Partial<TimeAndChance> = {}): DynamicModule {
    return {
      module: KernelModule,
      providers: [
        { provide: Clock, useValue: clock },
        { provide: Ids, useValue: ids },
        { provide: Pace, useValue: pace },
      ],
      exports: [Clock, Ids, Pace],
    };
  }
}
