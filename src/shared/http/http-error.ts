import { DomainError } from '../kernel/domain-error.ts';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/** An error of the HTTP edge itself: its status comes from its code and not from a kind. */
export class HttpError extends DomainError {
  readonly kind = 'invalid';
  readonly status: number;

  /** @param headers sent with the answer, e.g. `Allow` with a 405 */
  constructor(
    readonly code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message, details);
    this.status = ERROR_CODES[code].status;
  }
}

/** One thing that is wrong with a request. */
export interface FieldError {
  /** Where: `lines[0].quantity`, a query parameter, a header's name, or `body` for the whole. */
  readonly field: string;
  /** What is wrong, to be read after the field's name: `must be a whole number`. */
  readonly message: string;
}

/** Most errors listed in one answer; 100 lines with four wrong fields each still fit. */
export const FIELD_ERRORS_MAX = 500;

/** The request does not have the documented shape; lists everything that is wrong with it. */
export class ValidationFailed extends DomainError {
  readonly code = 'VALIDATION_FAILED';
  readonly kind = 'invalid';

  constructor(readonly errors: readonly FieldError[]) {
    super(summary(errors), { errors: errors.slice(0, FIELD_ERRORS_MAX) });
  }
}

function summary(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (errors.length >= FIELD_ERRORS_MAX) {
    return `${FIELD_ERRORS_MAX} or more things are wrong with the request; errors lists the first`;
  }
  if (first === undefined || errors.length > 1) {
    return `${errors.length} things are wrong with the request; errors lists them`;
  }
  return `${first.field} ${first.message}`;
}
