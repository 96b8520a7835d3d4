/**
 * The time and chance that the machinery goes by: how long something took here, how long to wait, how to keep out of each
 * other's step. No caller is ever told of it; instants that are stored or answered come from `Clock`. A simulation brings
 * its own, so that the same seed meets the same batches, pauses and races (docs/decisions/0036).
 */
export abstract class Pace {
  /** A monotonic clock, in milliseconds since some moment of its own. */
  abstract elapsedMs(): number;

  /** From 0 to 1, without 1; for jitter only. */
  abstract chance(): number;

  /** Lets everything that is ready have its turn of the event loop. */
  abstract nextTurn(): Promise<void>;

  abstract pause(ms: number): Promise<void>;

  /**
   * Calls back once, unless the process has ended by then: it does not keep it alive.
   * @returns what cancels it
   */
  abstract after(ms: number, run: () => void): () => void;
}

export class SystemPace extends Pace {
  elapsedMs(): number {
    return performance.now();
  }

  chance(): number {
    return Math.random();
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  }
}
