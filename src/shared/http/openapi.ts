import { ApiExtension } from '@nestjs/swagger';
import type { ErrorCode } from './error-codes.ts';

/*
 * What a route tells the OpenAPI document beyond Nest's own decorators. Each says one thing about the route as an
 * extension, from which openapi/completion.ts writes parameters, headers and answers; none stays in the document.
 */

/** Extensions of an operation until the document is complete. */
export const MARKS = {
  errorCodes: 'x-error-codes',
  entityTag: 'x-entity-tag',
  makesOnly: 'x-makes-only',
  idempotencyKey: 'x-idempotency-key',
  access: 'x-access',
  credential: 'x-credential',
  cost: 'x-cost-class',
} as const;

/** Of a field that a request may leave out; in an answer it is always there. */
export const OPTIONAL_IN_REQUESTS = 'x-optional-in-requests';

/**
 * The codes that a call can be refused with, besides those of all calls and of all calls with a body. They say which
 * headers it takes, too: `VERSION_MISMATCH` stands for `If-Match`, `IDEMPOTENCY_KEY_REUSED` for `Idempotency-Key`.
 */
export function ApiProblems(...codes: readonly ErrorCode[]): MethodDecorator {
  return ApiExtension(MARKS.errorCodes, [...codes]);
}

/** The successful answers carry an `ETag`; a read may be asked with `If-None-Match` and then answer 304. */
export function ApiEntityTag(): MethodDecorator {
  return ApiExtension(MARKS.entityTag, true);
}

/** The call makes or replaces; with `If-None-Match: *` it only makes (see `parseConditions`). */
export function ApiMakesOnly(): MethodDecorator {
  return ApiExtension(MARKS.makesOnly, true);
}

/** For `@ApiCreatedResponse({ headers })` of a call that makes something with a path of its own. */
export const LOCATION_HEADER = {
  Location: {
    description: 'The path of what was made.',
    required: true,
    schema: { type: 'string' as const, format: 'uri-reference' },
  },
};
