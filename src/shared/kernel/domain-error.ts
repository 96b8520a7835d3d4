/**
 * What sort of "no" an error is. The HTTP status of each kind stands in one place, shared/http/problem.ts;
 * the domain knows no HTTP.
 */
export type ErrorKind =
  /** The request contradicts itself or the documented shape. */
  | 'invalid'
  /** The thing named in the path does not exist. */
  | 'missing'
  /** The rules say no in the present state. */
  | 'refused'
  /** The caller's version is not the present one. */
  | 'mismatch'
  /** What it refers to was there and is no longer kept. */
  | 'gone'
  /** Well formed, but it names or asks for something that cannot be. */
  | 'unprocessable'
  /** Too much of it, by this caller: try again after `retryAfterSeconds`. */
  | 'limited'
  /** Not now: try again after `retryAfterSeconds`. */
  | 'busy';

/**
 * A refusal: an outcome that the rules foresee, as opposed to a bug.
 *
 * `code` is stable and documented in docs/errors.md; `message` is a sentence that the caller can act on;
 * `details` become members of the problem document and must be JSON; `cause` is for the log only.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  abstract readonly kind: ErrorKind;

  constructor(
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = new.target.name;
  }
}
