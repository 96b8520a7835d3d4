/**
 * Every code that an error answer can carry, with its one HTTP status and its title (DESIGN section 4).
 * docs/errors.md tells the caller what to do about each.
 */
export const ERROR_CODES = {
  VALIDATION_FAILED: { status: 400, title: 'The request does not have the documented shape' },
  IDEMPOTENCY_KEY_MISSING: { status: 400, title: 'This request needs an Idempotency-Key' },
  UNAUTHENTICATED: { status: 401, title: 'Nobody knows who is asking' },
  FORBIDDEN: { status: 403, title: 'The caller may not do this' },
  NOT_FOUND: { status: 404, title: 'There is nothing under this path' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The resource does not take this method' },
  NOT_ACCEPTABLE: { status: 406, title: 'The answer is JSON, which the Accept header does not admit' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  INSUFFICIENT_STOCK: { status: 409, title: 'Fewer units are available than asked for' },
  RESERVATION_EXPIRED: { status: 409, title: 'The time of the reservation is over' },
  RESERVATION_NOT_ACTIVE: { status: 409, title: 'The reservation is no longer active' },
  RESERVATION_NOT_CONFIRMED: { status: 409, title: 'The reservation is not confirmed' },
  ALREADY_CONFIRMED: { status: 409, title: 'The reservation is confirmed for another order' },
  ALREADY_FULFILLED: { status: 409, title: 'The reservation is fulfilled already' },
  CART_ALREADY_RESERVED: { status: 409, title: 'The cart has an active reservation already' },
  TENANT_EXISTS: { status: 409, title: 'The id belongs to another tenant' },
  TRANSFER_NOT_IN_TRANSIT: { status: 409, title: 'The transfer is no longer in transit' },
  IDEMPOTENCY_KEY_IN_FLIGHT: { status: 409, title: 'The first request with this key is still running' },
  STALE_EPOCH: { status: 409, title: 'A newer session of this store has taken over' },
  SEQUENCE_AHEAD: { status: 409, title: 'Earlier messages of this store are missing' },
  CURSOR_GONE: { status: 410, title: 'What the cursor points to is no longer kept' },
  VERSION_MISMATCH: { status: 412, title: 'The resource has changed' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The URL is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body is of a type that is not taken here' },
  UNKNOWN_TENANT: { status: 422, title: 'The request names a tenant that there is not' },
  UNKNOWN_PRODUCT: { status: 422, title: 'The request names a product that is not in the catalogue' },
  UNKNOWN_LOCATION: { status: 422, title: 'The request names a location that cannot serve it' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key belongs to another request' },
  HOLD_LIFETIME_EXCEEDED: { status: 422, title: 'The reservation has reached its longest life' },
  QUANTITY_LIMIT: { status: 422, title: 'A balance would pass its limit' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large' },
  INTERNAL: { status: 500, title: 'The server made a mistake' },
  BUSY: { status: 503, title: 'The server has too much to do' },
  UNAVAILABLE: { status: 503, title: 'The server cannot reach what it needs' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
