import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../kernel/clock.ts';
import { Metrics } from '../operations/metrics.ts';

const MS_PER_SECOND = 1000;

/** Shows that the system's clock was set back, and for how long the server will go on slowly. */
@Injectable()
export class ClockGauge implements OnApplicationBootstrap {
  constructor(
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.metrics.registerGauge(
      'clock_ahead_seconds',
      "How far the server's time is ahead of the system's clock, which was set back, in seconds.",
      () => Promise.resolve(Math.max(0, this.clock.now() - Date.now()) / MS_PER_SECOND),
    );
  }
}
