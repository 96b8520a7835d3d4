import { DomainError } from '../kernel/domain-error.ts';

/** Why an event could not be processed, as an operator may see it. */
export interface Failure {
  /** The code of the refusal; INTERNAL for a mistake of the program. */
  readonly code: string;
  readonly detail: string;
  /** What has to happen before it can be processed, where that is known, e.g. `product/SKU-1`; null: nothing is. */
  readonly waitsFor?: string | null;
}

/** An event cannot be processed, for a reason that is known already. */
export class CannotProcess extends DomainError {
  readonly code: string;
  readonly kind = 'refused';

  constructor(readonly failure: Failure) {
    super(failure.detail);
    this.code = failure.code;
  }
}

/** What is no refusal may hold SQL or a driver's words: that is for the log alone. */
const INTERNAL: Failure = {
  code: 'INTERNAL',
  detail: 'The program made a mistake while it processed the event; its log tells more',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof CannotProcess) return error.failure;
  return error instanceof DomainError ? { code: error.code, detail: error.message } : INTERNAL;
}

/** Not the event's fault: the same would happen to every other one now. */
export function isBusy(error: unknown): error is DomainError {
  return error instanceof DomainError && error.kind === 'busy';
}
