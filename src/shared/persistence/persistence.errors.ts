import { DomainError } from '../kernel/domain-error.ts';

/** Refused before anything was done: the queue is full, the work waited too long, or others were faster every time. */
export class Busy extends DomainError {
  readonly code = 'BUSY';
  readonly kind = 'busy';
  /** Long enough for a full queue to drain at the rates in docs/benchmarks.md. */
  readonly retryAfterSeconds = 1;
}

/**
 * The database could not be used. The outcome of the request may be unknown (a connection lost during COMMIT): a retry
 * with the same Idempotency-Key finds out.
 */
export class Unavailable extends DomainError {
  readonly code = 'UNAVAILABLE';
  readonly kind = 'busy';
  readonly retryAfterSeconds = 2;
}

/** Another request with the same Idempotency-Key was still being worked on when this one's time to wait was over. */
export class IdempotencyKeyInFlight extends DomainError {
  readonly code = 'IDEMPOTENCY_KEY_IN_FLIGHT';
  readonly kind = 'refused';

  constructor() {
    super('A request with this Idempotency-Key is still in flight; ask again with the same key to get its answer');
  }
}
