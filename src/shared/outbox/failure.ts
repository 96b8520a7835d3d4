import { DomainError } from '../kernel/domain-error.ts';

/** Why an event could not be processed, as an operator may see it. */
export interface Failure {
  /** The code of the refusal; INTERNAL for a mistake of the program. */
  readonly code: string;
  readonly detail: string;
}

/** What is no refusal may hold SQL or a driver's words: that is for the log alone. */
const INTERNAL: Failure = {
  code: 'INTERNAL',
  detail: 'The program made a mistake while it processed the event; its log tells more',
};

export function failureOf(error: unknown): Failure {
  return error instanceof DomainError ? { code: error.code, detail: error.message } : INTERNAL;
}

/** Not the event's fault: the same would happen to every other one now. */
export function isBusy(error: unknown): error is DomainError {
  return error instanceof DomainError && error.kind === 'busy';
}
