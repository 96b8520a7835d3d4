import { Injectable } from '@nestjs/common';
import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleType,
  type IPolicy,
  retry,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';
import { AgentMetrics } from '../agent-metrics.ts';
import { AgentSettings } from '../agent-settings.ts';
import { CentreAway } from './centre-answer.ts';
import { assertNotEnded, pauseUnless } from './interrupted.ts';
import { LinkState } from './link-state.ts';

/** One call of the centre; it ends when its signal says so. */
export type Call<T> = (signal: AbortSignal) => Promise<T>;

/** Of what cockatiel does, the breaker alone asks the wall clock: one that was set back would keep it open for as long. */
const OPEN_TOO_LONG_FACTOR = 5;

/**
 * How calls of the centre fail: each has a time-out; failed ones are repeated with pauses that grow and vary, so that a
 * chain's stores do not come back in step; and after some failures in a row the centre is left alone for a while. What
 * pushes and what follows share one breaker: there is one centre.
 */
@Injectable()
export class Circuit {
  private readonly retry: IPolicy;
  private breaker: CircuitBreakerPolicy;
  private openedAtMs = 0;
  private readonly calls = new Set<Promise<unknown>>();

  constructor(
    private readonly settings: AgentSettings,
    private readonly metrics: AgentMetrics,
    private readonly link: LinkState,
  ) {
    const failures = handleType(CentreAway).orType(TaskCancelledError).orType(BrokenCircuitError);
    this.retry = retry(failures, {
      maxAttempts: Infinity,
      backoff: new ExponentialBackoff({ initialDelay: settings.retryFirstMs, maxDelay: settings.retryMaxMs }),
    }).dangerouslyUnref();
    this.breaker = this.newBreaker();
  }

  get state(): 'CLOSED' | 'OPEN' | 'HALF_OPEN' {
    if (this.breaker.state === CircuitState.Closed) return 'CLOSED';
    return this.breaker.state === CircuitState.HalfOpen ? 'HALF_OPEN' : 'OPEN';
  }

  /** Resolves when no call is running. */
  async quiet(): Promise<void> {
    while (this.calls.size > 0) await Promise.allSettled(this.calls);
  }

  /**
   * Calls until there is an answer, however long that takes.
   * @param end ends it before the next attempt, and the one that is running
   * @param maxMs of one attempt
   * @throws Interrupted when `end` was given
   * @throws CentreRefused when the centre says no
   */
  async untilAnswered<T>(end: AbortSignal, call: Call<T>, maxMs = this.settings.callMaxMs): Promise<T> {
    return this.retry.execute(async () => {
      assertNotEnded(end);
      try {
        const answer = await this.attempt(end, call, maxMs);
        this.link.reached();
        return answer;
      } catch (error) {
        assertNotEnded(end);
        this.noteFailure(error);
        // The pause that the centre asks for comes before the one that grows and varies.
        if (error instanceof CentreAway && error.retryAfterMs > 0) await pauseUnless(end, error.retryAfterMs);
        throw error;
      }
    });
  }

  private attempt<T>(end: AbortSignal, call: Call<T>, maxMs: number): Promise<T> {
    this.mendAfterClockJump();
    const limit = timeout(maxMs, TimeoutStrategy.Aggressive).dangerouslyUnref();
    return this.breaker.execute(() =>
      limit.execute(({ signal }) => {
        const either = new AbortController();
        const abort = (): void => {
          either.abort();
        };
        signal.addEventListener('abort', abort);
        end.addEventListener('abort', abort);
        const running = call(either.signal);
        this.calls.add(running);
        return running.finally(() => {
          this.calls.delete(running);
          signal.removeEventListener('abort', abort);
          end.removeEventListener('abort', abort);
        });
      }),
    );
  }

  private noteFailure(error: unknown): void {
    if (error instanceof BrokenCircuitError) return;
    if (error instanceof CentreAway || error instanceof TaskCancelledError) {
      this.metrics.countFailedCall();
      this.link.away(error);
    } else {
      // It answered, if only to say no.
      this.link.reached();
    }
  }

  private newBreaker(): CircuitBreakerPolicy {
    const breaker = circuitBreaker(handleType(CentreAway).orType(TaskCancelledError), {
      halfOpenAfter: this.settings.breakerPauseMs,
      breaker: new ConsecutiveBreaker(this.settings.breakerFailures),
    });
    breaker.onBreak(() => {
      this.openedAtMs = performance.now();
    });
    return breaker;
  }

  private mendAfterClockJump(): void {
    const openMs = performance.now() - this.openedAtMs;
    if (this.state === 'OPEN' && openMs > OPEN_TOO_LONG_FACTOR * this.settings.breakerPauseMs) {
      this.breaker = this.newBreaker();
    }
  }
}
