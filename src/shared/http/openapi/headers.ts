/*
 * Headers of the API, each described once. The names are those of the components; `name` is the header.
 */

const CORRELATION_ID_SCHEMA = {
  type: 'string',
  pattern: '^[A-Za-z0-9._:-]{1,128}$',
  examples: ['019ab0c2-7b20-7d11-8e4f-2c5a9f3b7d60'],
};
const ENTITY_TAG_EXAMPLE = '"4.Xq3mDk0PZ1s"';

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$', examples: ['cart-17-1'] },
};

export const REQUEST_HEADERS = {
  'Idempotency-Key': {
    ...IDEMPOTENCY_KEY,
    required: true,
    description:
      'Names this request, so that repeating it gives the first answer again instead of doing it again. Any text of your own, best a UUID.',
  },
  'Idempotency-Key-Optional': {
    ...IDEMPOTENCY_KEY,
    required: false,
    description:
      'Names this request, so that repeating it gives the first answer again. The call is idempotent by its own rules, so it does without.',
  },
  'If-Match': {
    name: 'If-Match',
    in: 'header',
    required: false,
    description:
      'The change is made only if the resource still has one of these versions, else it is refused with 412. `*`: only if it exists.',
    schema: { type: 'string', examples: [ENTITY_TAG_EXAMPLE] },
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'The `ETag` of what you have: if it is still the same, the answer is 304 without a body.',
    schema: { type: 'string', examples: [ENTITY_TAG_EXAMPLE] },
  },
  'If-None-Match-Makes-Only': {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: '`*`: only if there is none yet, else it is refused with 412.',
    schema: { type: 'string', const: '*' },
  },
  'X-Correlation-Id': {
    name: 'X-Correlation-Id',
    in: 'header',
    required: false,
    description:
      'Your name for what this request is part of; logs, events and the answer carry it. One that does not fit the pattern is replaced, not refused.',
    schema: CORRELATION_ID_SCHEMA,
  },
} as const;

export const RESPONSE_HEADERS = {
  'X-Correlation-Id': {
    description: 'The correlation id of the request, or a new one.',
    required: true,
    schema: CORRELATION_ID_SCHEMA,
  },
  ETag: {
    description: 'The version of the resource and, where time changes it too, a hash of the body.',
    required: true,
    schema: { type: 'string', pattern: '^"[A-Za-z0-9._-]+"$', examples: [ENTITY_TAG_EXAMPLE] },
  },
  'Idempotency-Replayed': {
    description: 'There when the request was carried out before: this is the answer of that time.',
    required: false,
    schema: { type: 'string', const: 'true' },
  },
  Allow: {
    description: 'The methods that the path takes, separated by commas.',
    required: true,
    schema: { type: 'string', examples: ['GET, HEAD, PUT'] },
  },
  'WWW-Authenticate': {
    description: 'How to say who one is; a key goes into `X-Api-Key` instead.',
    required: true,
    schema: { type: 'string', examples: ['Bearer realm="holdfast"'] },
  },
  'RateLimit-Policy': {
    description: 'So many requests of this class (`q`) in so many seconds (`w`). There where the caller has a limit.',
    required: false,
    schema: { type: 'string', pattern: '^"[a-z-]+";q=\\d+;w=\\d+$', examples: ['"writes";q=1000;w=10'] },
  },
  RateLimit: {
    description: 'Requests that are left (`r`) and the seconds until the limit is whole again (`t`).',
    required: false,
    schema: { type: 'string', pattern: '^"[a-z-]+";r=\\d+;t=\\d+$', examples: ['"writes";r=998;t=9'] },
  },
  'Retry-After': {
    description: 'Seconds to wait before the next attempt.',
    required: true,
    schema: { type: 'integer', minimum: 1, examples: [1] },
  },
} as const;

export function referencesToHeaders(
  names: readonly (keyof typeof RESPONSE_HEADERS)[],
): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
