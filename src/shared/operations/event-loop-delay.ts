import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** How long a stall is remembered at least, and at most twice as long. */
const WINDOW_MS = 5000;
/** How often the loop is probed; stalls shorter than this stay unseen, and none that matters is. */
const RESOLUTION_MS = 20;

/** The longest stall of the event loop within the last seconds: nothing was answered while it lasted. */
@Injectable()
export class EventLoopDelay implements OnModuleDestroy {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({
    resolution: RESOLUTION_MS,
  });
  private readonly timer = setInterval(() => this.turnWindow(), WINDOW_MS).unref();
  private lastWindowMaxMs = 0;

  constructor() {
    this.histogram.enable();
  }

  get maxMs(): number {
    return Math.round(Math.max(this.lastWindowMaxMs, this.histogram.max / 1e6));
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  private turnWindow(): void {
    this.lastWindowMaxMs = this.histogram.max / 1e6;
    this.histogram.reset();
  }
}
