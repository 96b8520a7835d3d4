/** How a failing event is tried again. */
export interface RetryLimits {
  /** Attempts at one event, the first included; after the last one it is a dead letter. */
  readonly attemptsMax: number;
  /** Longest pause behind the first failure, in milliseconds; behind each further one it may be twice as long. */
  readonly firstMs: number;
  /** No pause is longer, in milliseconds. */
  readonly maxMs: number;
}

/** Exponential back-off with full jitter: what failed together does not come back together. */
export class RetryPolicy {
  /** @param random 0 to 1, without 1 */
  constructor(
    readonly limits: RetryLimits,
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * @param attempts failed ones, from 1
   * @returns the pause before the next one in milliseconds, or null when that was the last
   */
  pauseMs(attempts: number): number | null {
    const { attemptsMax, firstMs, maxMs } = this.limits;
    return attempts >= attemptsMax ? null : Math.floor(this.random() * longestMs(attempts, firstMs, maxMs));
  }
}

function longestMs(attempts: number, firstMs: number, maxMs: number): number {
  // The power is infinite long before it can be wrong.
  return Math.min(maxMs, firstMs * 2 ** (attempts - 1));
}
