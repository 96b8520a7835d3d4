import { ForbiddenException, HttpException } from '@nestjs/common';
import { DomainError, type ErrorKind } from '../kernel/domain-error.ts';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { HttpError, ValidationFailed } from './http-error.ts';

export const PROBLEM_TYPE = 'application/problem+json';
export const PROBLEM_CONTENT_TYPE = `${PROBLEM_TYPE}; charset=utf-8`;

/** The one place where a kind of refusal gets its HTTP status. */
const STATUS_BY_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  missing: 404,
  refused: 409,
  gone: 410,
  mismatch: 412,
  unprocessable: 422,
  limited: 429,
  busy: 503,
};

/** When to come back if the error itself does not say, in seconds. */
const RETRY_AFTER_SECONDS_DEFAULT = 1;

/** An error as it goes over the wire: a problem document of RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/** @returns the status that an error of the rules or of the edge is answered with */
export function statusOf(error: DomainError): number {
  return error instanceof HttpError ? error.status : STATUS_BY_KIND[error.kind];
}

/**
 * @param error whatever was thrown; what is not a foreseen error becomes INTERNAL and says nothing about itself
 * @param instance the path that was asked for
 */
export function toProblem(error: unknown, instance: string, correlationId: string): Problem {
  const foreseen = toForeseen(error);
  const status = statusOf(foreseen);
  const document: Record<string, unknown> = {
    type: `/docs/errors#${foreseen.code}`,
    title: titleOf(foreseen.code),
    status,
    detail: foreseen.message,
    instance,
    code: foreseen.code,
    correlationId,
  };
  for (const [name, value] of Object.entries(foreseen.details)) {
    if (!Object.hasOwn(document, name)) {
      document[name] = value;
    }
  }
  const headers: Record<string, string> = foreseen instanceof HttpError ? { ...foreseen.headers } : {};
  if (status === 503 || status === 429) {
    headers['retry-after'] ??= String(retryAfterSecondsOf(error));
  }
  return { status, headers, body: JSON.stringify(document) };
}

/** Turns what Nest, Fastify and Node throw into an error of ours; anything unknown is INTERNAL. */
export function toForeseen(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const status = frameworkStatusOf(error);
  return status === undefined ? internal() : fromStatus(status);
}

function internal(): HttpError {
  return new HttpError('INTERNAL', 'Something went wrong on our side; the correlationId helps us to find it');
}

/**
 * Fastify and Nest put the status on their errors. Of a plain error, only 4xx is believed: a driver's error that
 * happens to have a `status` must not pass as an answer of ours.
 */
function frameworkStatusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    // The file server's word for a path that leads out of its folder. Nobody lacks a permission: there is nothing there.
    return status === 403 && !(error instanceof ForbiddenException) ? 404 : status;
  }
  if (!(error instanceof Error)) return undefined;
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

const MESSAGES: Readonly<Partial<Record<number, readonly [ErrorCode, string]>>> = {
  401: ['UNAUTHENTICATED', 'Say who you are'],
  403: ['FORBIDDEN', 'The caller may not do this'],
  404: ['NOT_FOUND', 'There is no such path; /docs lists those that there are'],
  405: ['METHOD_NOT_ALLOWED', 'The resource does not take this method'],
  406: ['NOT_ACCEPTABLE', 'The answer is JSON; accept application/json and application/problem+json'],
  408: ['REQUEST_TIMEOUT', 'The request did not arrive within the time allowed'],
  413: ['BODY_TOO_LARGE', 'The body is larger than the server takes'],
  414: ['URI_TOO_LONG', 'The URL is longer than the server takes'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json in UTF-8'],
  429: ['RATE_LIMITED', 'Too many requests; come back later'],
  431: ['HEADERS_TOO_LARGE', 'The request headers are larger than the server takes'],
  503: ['UNAVAILABLE', 'The server cannot do this at the moment; try again later'],
};

/** An error that has a status and nothing else to say. */
export function fromStatus(status: number): DomainError {
  const known = MESSAGES[status];
  if (known !== undefined) {
    return new HttpError(...known);
  }
  return status >= 400 && status < 500
    ? new ValidationFailed([{ field: 'request', message: 'is not a well-formed HTTP request for this path' }])
    : internal();
}

function titleOf(code: string): string {
  return Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode].title : code;
}

function retryAfterSecondsOf(error: unknown): number {
  const { retryAfterSeconds } = error as { retryAfterSeconds?: unknown };
  return typeof retryAfterSeconds === 'number'
    ? Math.max(1, Math.ceil(retryAfterSeconds))
    : RETRY_AFTER_SECONDS_DEFAULT;
}
