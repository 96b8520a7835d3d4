import { Global, Module } from '@nestjs/common';
import { Clock, SystemClock } from './kernel/clock.ts';
import { Ids, UuidV7Ids } from './kernel/ids.ts';

/** Time and chance, for everybody; a test replaces them. */
@Global()
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    { provide: Ids, useClass: UuidV7Ids },
  ],
  exports: [Clock, Ids],
})
export class KernelModule {}
