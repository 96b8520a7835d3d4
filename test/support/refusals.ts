import type { OutgoingHttpHeaders } from 'node:http';
import type { ErrorCode } from '../../src/shared/http/error-codes.ts';
import { type Answer, type Api, freshKey, RawBody } from './http.ts';

/*
 * Requests that are wrong in two ways at once, to see which way is told. A right request is spoiled once for every
 * error of its call, and then with every two of them that can apply together.
 */

/** A request that can still be changed. */
export interface Draft {
  method: string;
  path: string;
  readonly params: Record<string, string>;
  readonly query: string[];
  readonly headers: Record<string, string>;
  key: string | null;
  body: object | undefined;
  contentType: string;
  /** Spaces behind the body, which say nothing. */
  padding: number;
}

/** One way of making a request wrong. */
export interface Spoiling {
  readonly code: ErrorCode;
  /** Tells ways with the same code apart; they have places of their own in the order. */
  readonly by?: 'host' | 'route';
  /** The parts of the request that it changes: two that change the same part cannot be combined. */
  readonly parts: readonly string[];
  readonly spoil: (draft: Draft) => void;
}

/** What a call is, and what only this call can be refused for. */
export interface RefusedCall {
  readonly right: Pick<Draft, 'params' | 'body'> & Partial<Pick<Draft, 'contentType'>>;
  readonly spoilings: readonly Spoiling[];
}

/** The order of docs/errors.md. */
export const ORDER = [
  'RATE_LIMITED guesses',
  'UNAUTHENTICATED',
  'RATE_LIMITED rate',
  'FORBIDDEN',
  'URI_TOO_LONG',
  'HEADERS_TOO_LARGE',
  'VALIDATION_FAILED host',
  'NOT_FOUND route',
  'METHOD_NOT_ALLOWED',
  'UNSUPPORTED_MEDIA_TYPE',
  'NOT_ACCEPTABLE',
  'BODY_TOO_LARGE',
  'IDEMPOTENCY_KEY_MISSING',
  'VALIDATION_FAILED',
  'IDEMPOTENCY_KEY_REUSED',
  'NOT_FOUND',
  'UNKNOWN_TENANT',
  'UNKNOWN_PRODUCT',
  'UNKNOWN_LOCATION',
  'CURSOR_GONE',
  'VERSION_MISMATCH',
  'RESERVATION_EXPIRED',
  'RESERVATION_NOT_ACTIVE',
  'RESERVATION_NOT_CONFIRMED',
  'ALREADY_CONFIRMED',
  'ALREADY_FULFILLED',
  'HOLD_LIFETIME_EXCEEDED',
  'TENANT_EXISTS',
  'TRANSFER_NOT_IN_TRANSIT',
  'STALE_EPOCH',
  'SEQUENCE_AHEAD',
  'CART_ALREADY_RESERVED',
  'RATE_LIMITED cap',
  'INSUFFICIENT_STOCK',
  'QUANTITY_LIMIT',
] as const;

/** Come of who asks, of the server's state, of time or of a mistake, and not of what is asked; each has suites of its own. */
export const NOT_OF_THE_REQUEST: readonly string[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'REQUEST_TIMEOUT',
  'IDEMPOTENCY_KEY_IN_FLIGHT',
  'INTERNAL',
  'BUSY',
  'UNAVAILABLE',
];

export function nameOf({ code, by }: Spoiling): string {
  return by === undefined ? code : `${code} ${by}`;
}

export function placeOf(spoiling: Spoiling): number {
  const place = (ORDER as readonly string[]).indexOf(nameOf(spoiling));
  if (place === -1) throw new Error(`${nameOf(spoiling)} has no place in the order`);
  return place;
}

/** What any call can be refused for, of which only some are documented for each. */
const OF_ANY_CALL: readonly Spoiling[] = [
  {
    code: 'URI_TOO_LONG',
    parts: ['length of the URL'],
    spoil: ({ query }) => query.push(`long=${'x'.repeat(9_000)}`),
  },
  {
    code: 'HEADERS_TOO_LARGE',
    parts: ['length of the headers'],
    spoil: ({ headers }) => (headers['x-filler'] = 'x'.repeat(20_000)),
  },
  { code: 'VALIDATION_FAILED', by: 'host', parts: ['host'], spoil: ({ headers }) => (headers.host = 'no host') },
  { code: 'NOT_FOUND', by: 'route', parts: ['route'], spoil: (draft) => (draft.path += '/no/such/path/at/all') },
  { code: 'METHOD_NOT_ALLOWED', parts: ['route'], spoil: (draft) => (draft.method = 'PATCH') },
  { code: 'UNSUPPORTED_MEDIA_TYPE', parts: ['type'], spoil: (draft) => (draft.contentType = 'text/xml') },
  { code: 'NOT_ACCEPTABLE', parts: ['accept'], spoil: ({ headers }) => (headers.accept = 'text/html') },
  { code: 'BODY_TOO_LARGE', parts: ['length of the body'], spoil: (draft) => (draft.padding = 2_000_000) },
  { code: 'IDEMPOTENCY_KEY_MISSING', parts: ['key'], spoil: (draft) => (draft.key = null) },
  { code: 'VALIDATION_FAILED', parts: ['query'], spoil: ({ query }) => query.push('nonsense=1') },
];

/**
 * @param operation health and metrics take any query
 * @param usedKey of an earlier request, which was another one
 */
export function spoilingsOf(
  operation: string,
  call: RefusedCall,
  documented: ReadonlySet<string>,
  usedKey: string,
): Spoiling[] {
  const reused: Spoiling = { code: 'IDEMPOTENCY_KEY_REUSED', parts: ['key'], spoil: (draft) => (draft.key = usedKey) };
  const general = [...OF_ANY_CALL, reused]
    .filter(({ code, by }) => by !== undefined || documented.has(code))
    .filter(({ parts }) => !parts.includes('query') || operation.includes(' /v1/'));
  return [...general, ...call.spoilings].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Every two that can apply together, the one that has to be told first. */
export function pairsOf(spoilings: readonly Spoiling[]): (readonly [Spoiling, Spoiling])[] {
  return spoilings.flatMap((first, index) =>
    spoilings
      .slice(index + 1)
      .filter((second) => !second.parts.some((part) => first.parts.includes(part)) && placeOf(second) > placeOf(first))
      .map((second) => [first, second] as const),
  );
}

/** @param operation as in the OpenAPI document, `PUT /v1/locations/{locationId}` */
export function sendSpoiled(
  api: Api,
  operation: string,
  { right }: RefusedCall,
  spoilings: readonly Spoiling[],
): Promise<Answer> {
  const [method = '', path = ''] = operation.split(' ');
  const draft: Draft = {
    method,
    path,
    params: { ...right.params },
    query: [],
    headers: {},
    key: method === 'GET' ? null : freshKey(),
    body: structuredClone(right.body),
    contentType: right.contentType ?? 'application/json',
    padding: 0,
  };
  for (const { spoil } of spoilings) spoil(draft);
  const filled = filledPath(draft.path, draft.params);
  const target = draft.query.length === 0 ? filled : `${filled}?${draft.query.join('&')}`;
  const headers: OutgoingHttpHeaders = draft.headers;
  return api.send(draft.method, target, bodyOf(draft), { headers, key: draft.key });
}

/** @param template as in the OpenAPI document, `/v1/locations/{locationId}` */
export function filledPath(template: string, params: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_all, name: string) => params[name] ?? '');
}

function bodyOf({ body, padding, contentType }: Draft): RawBody | undefined {
  return body === undefined ? undefined : new RawBody(JSON.stringify(body) + ' '.repeat(padding), contentType);
}
