import type { ErrorCode } from './error-codes.ts';

/** A JSON Schema, as far as problem documents need it. */
export type DataSchema = Readonly<Record<string, unknown>>;

/** What the OpenAPI document says of a code besides status and title. */
export interface ProblemData {
  /** As `detail` could read. */
  readonly detail: string;
  /** The path of a call that can be answered so. */
  readonly instance: string;
  /** The code's own members, each with an example. */
  readonly members?: Readonly<Record<string, DataSchema>>;
  /** Which of them are not always there; examples leave these out. */
  readonly sometimes?: readonly string[];
}

const SKU = { type: 'string', examples: ['MUG-RED'] };
const LOCATION_ID = { type: 'string', examples: ['S1'] };
const UNITS = { type: 'integer', minimum: 0 };
const INSTANT = { type: 'string', format: 'date-time' };
const RESERVATION_ID = { type: 'string', examples: ['019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11'] };
const DEAD_LETTER_ID = { type: 'string', examples: ['019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11'] };
const TENANT_ID = { type: 'string', examples: ['acme'] };
const KEY_ID = { type: 'string', examples: ['019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11'] };
const ORDER_ID = { type: 'string', examples: ['order-4711'] };
const RECONCILIATION_ID = { type: 'string', examples: ['019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11'] };
const TRANSFER_ID = { type: 'string', examples: ['019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11'] };
const RESERVATION = `/v1/reservations/${RESERVATION_ID.examples[0] ?? ''}`;
const STOCK_ITEM = '/v1/stock/MUG-RED/S1';

/** Parts of problem documents that have a name in the OpenAPI document; `{ $ref: part('Shortage') }` stands for one. */
export const PROBLEM_PARTS: Readonly<Record<string, DataSchema>> = {
  FieldError: {
    type: 'object',
    description: 'One thing that is wrong with a request.',
    properties: {
      field: {
        type: 'string',
        description: 'Where: a member, a query parameter, a header, or `body` or `request` for the whole.',
        examples: ['lines[0].quantity'],
      },
      message: { type: 'string', description: 'What.', examples: ['must be a whole number from 1 to 1000000'] },
    },
    required: ['field', 'message'],
  },
  Shortage: {
    type: 'object',
    description: 'A line that cannot be had as it was asked for.',
    properties: {
      sku: SKU,
      locationId: {
        type: ['string', 'null'],
        description: 'As asked; null when the line left it open.',
        examples: ['S1'],
      },
      requested: { ...UNITS, description: 'The whole wanted quantity of the line.', examples: [12] },
      available: { ...UNITS, description: 'The most that the line could have, own units included.', examples: [9] },
    },
    required: ['sku', 'locationId', 'requested', 'available'],
  },
  HealthChecks: {
    type: 'object',
    description: 'By name: whether it is up or down, and what was measured.',
    additionalProperties: {
      type: 'object',
      properties: { status: { type: 'string', enum: ['up', 'down'] } },
      required: ['status'],
      additionalProperties: true,
    },
    examples: [{ writer: { status: 'up' }, disk: { status: 'up', freeBytes: 21474836480 } }],
  },
  Alternative: {
    type: 'object',
    description: 'Another location that has units which a short line could have instead.',
    properties: { sku: SKU, locationId: { ...LOCATION_ID, examples: ['W1'] }, available: { ...UNITS, examples: [40] } },
    required: ['sku', 'locationId', 'available'],
  },
};

function part(name: string): string {
  return `#/components/schemas/${name}`;
}

function listOf(name: string, description: string): DataSchema {
  return { type: 'array', items: { $ref: part(name) }, description };
}

const RESERVATION_STATUS = {
  type: 'string',
  enum: ['ACTIVE', 'CONFIRMED', 'FULFILLED', 'CANCELLED', 'EXPIRED'],
  description: 'What the reservation is now.',
};

/** Compared with the answers of the server: the suites check each one against the document that is made of this. */
export const PROBLEM_DATA: Readonly<Record<ErrorCode, ProblemData>> = {
  VALIDATION_FAILED: {
    detail: 'lines[0].quantity must be a whole number from 1 to 1000000',
    instance: '/v1/reservations',
    members: { errors: listOf('FieldError', 'Everything that is wrong, at most 500.') },
  },
  IDEMPOTENCY_KEY_MISSING: {
    detail: 'Send an Idempotency-Key header, so that a repeat is recognised',
    instance: '/v1/reservations',
  },
  UNAUTHENTICATED: {
    detail: 'Send a key as X-Api-Key, or a token as Authorization: Bearer',
    instance: '/v1/reservations',
  },
  FORBIDDEN: { detail: 'The caller may not do this', instance: '/v1/reservations' },
  // Its examples are made for each call, of the path.
  NOT_FOUND: {
    detail: 'There is no product MUG-RED',
    instance: '/v1/products/MUG-RED',
    members: {
      sku: { ...SKU, description: 'The product that is missing.' },
      locationId: { ...LOCATION_ID, description: 'The location that is missing.' },
      reservationId: { ...RESERVATION_ID, description: 'The reservation that is missing.' },
      transferId: { ...TRANSFER_ID, description: 'The transfer that is missing.' },
      orderId: { ...ORDER_ID, description: 'The order that is missing.' },
      deadLetterId: { ...DEAD_LETTER_ID, description: 'The dead letter that is missing.' },
      reconciliationId: { ...RECONCILIATION_ID, description: 'The reconciliation that is missing.' },
      tenantId: { ...TENANT_ID, description: 'The tenant that is missing.' },
      keyId: { ...KEY_ID, description: 'The key that is missing.' },
    },
    sometimes: [
      'sku',
      'locationId',
      'reservationId',
      'transferId',
      'orderId',
      'deadLetterId',
      'reconciliationId',
      'tenantId',
      'keyId',
    ],
  },
  METHOD_NOT_ALLOWED: {
    detail: 'DELETE is not for this path; GET, HEAD, PUT are',
    instance: '/v1/products/MUG-RED',
  },
  NOT_ACCEPTABLE: {
    detail: 'The answer is JSON; accept application/json and application/problem+json',
    instance: '/v1/products',
  },
  REQUEST_TIMEOUT: { detail: 'The request did not arrive within the time allowed', instance: '/v1/reservations' },
  INSUFFICIENT_STOCK: {
    detail: 'Not enough stock: MUG-RED at S1: 12 wanted, 9 available',
    instance: '/v1/reservations',
    members: {
      shortages: listOf('Shortage', 'Every short line.'),
      alternatives: listOf('Alternative', 'For lines that asked for a location: where else there are units.'),
    },
  },
  RESERVATION_EXPIRED: {
    detail: 'The reservation was over at 2026-11-22T09:15:00.000Z; make a new one',
    instance: `${RESERVATION}/confirm`,
    members: { expiresAt: { ...INSTANT, description: 'When it ended.', examples: ['2026-11-22T09:15:00.000Z'] } },
  },
  RESERVATION_NOT_ACTIVE: {
    detail: 'The reservation is CANCELLED, which only an ACTIVE one allows',
    instance: `${RESERVATION}/refresh`,
    members: { reservationStatus: { ...RESERVATION_STATUS, examples: ['CANCELLED'] } },
  },
  RESERVATION_NOT_CONFIRMED: {
    detail: 'The reservation is ACTIVE; only a CONFIRMED one can be fulfilled',
    instance: `${RESERVATION}/fulfil`,
    members: { reservationStatus: { ...RESERVATION_STATUS, examples: ['ACTIVE'] } },
  },
  ALREADY_CONFIRMED: {
    detail: 'The reservation was confirmed for another order',
    instance: `${RESERVATION}/confirm`,
    members: { reservationStatus: { ...RESERVATION_STATUS, examples: ['CONFIRMED'] } },
  },
  ALREADY_FULFILLED: {
    detail: 'The reservation was fulfilled, in part or whole, and cannot be cancelled; record a RETURN instead',
    instance: `${RESERVATION}/cancel`,
    members: { reservationStatus: { ...RESERVATION_STATUS, examples: ['FULFILLED'] } },
  },
  CART_ALREADY_RESERVED: {
    detail: `The cart has the ACTIVE reservation ${RESERVATION_ID.examples[0] ?? ''}; update that one`,
    instance: '/v1/reservations',
    members: { reservationId: { ...RESERVATION_ID, description: 'The one to update.' } },
  },
  TENANT_EXISTS: {
    detail: 'There is a tenant acme of another name; take another id',
    instance: '/v1/admin/tenants',
    members: { tenantId: { ...TENANT_ID, description: 'The id that is taken.' } },
  },
  TRANSFER_NOT_IN_TRANSIT: {
    detail: 'The transfer is RECEIVED with 3 units, which only one IN_TRANSIT allows',
    instance: `/v1/transfers/${TRANSFER_ID.examples[0] ?? ''}/receive`,
    members: {
      transferStatus: {
        type: 'string',
        enum: ['RECEIVED', 'CANCELLED'],
        description: 'What the transfer is now.',
        examples: ['RECEIVED'],
      },
      received: {
        type: ['integer', 'null'],
        minimum: 0,
        description: 'Units that arrived; null when it was cancelled.',
        examples: [3],
      },
    },
  },
  IDEMPOTENCY_KEY_IN_FLIGHT: {
    detail: 'A request with this Idempotency-Key is still in flight; ask again with the same key to get its answer',
    instance: '/v1/reservations',
  },
  STALE_EPOCH: {
    detail: 'Epoch 2 is over, the store is in epoch 3; open a stream of your own',
    instance: '/v1/sync/stores/S1/events',
    members: { currentEpoch: { type: 'integer', minimum: 1, description: 'That of the store now.', examples: [3] } },
  },
  SEQUENCE_AHEAD: {
    detail: 'The centre waits for number 43 of the store; send all up to 50 first',
    instance: '/v1/sync/stores/S1/reconciliations',
    members: {
      nextSequence: { type: 'integer', minimum: 1, description: 'What the centre waits for.', examples: [43] },
    },
  },
  CURSOR_GONE: {
    detail: 'The cursor 17 is older than what is kept; take a snapshot and follow the changes from its cursor',
    instance: '/v1/sync/stores/S1/changes',
  },
  VERSION_MISMATCH: {
    detail: 'The resource is at version 4, which If-Match does not name; read it again and decide anew',
    instance: `${STOCK_ITEM}/policy`,
    members: {
      presentVersion: { ...UNITS, description: 'Its version now; 0 when there is none.', examples: [4] },
    },
  },
  BODY_TOO_LARGE: { detail: 'The body is larger than the server takes', instance: '/v1/reservations' },
  URI_TOO_LONG: { detail: 'The URL is longer than the server takes', instance: '/v1/stock' },
  UNSUPPORTED_MEDIA_TYPE: { detail: 'Send the body as application/json in UTF-8', instance: '/v1/reservations' },
  UNKNOWN_TENANT: {
    detail: 'No such tenant: acme',
    instance: '/v1/admin/keys',
    members: { tenantId: { ...TENANT_ID, description: 'The tenant that there is not.' } },
  },
  UNKNOWN_PRODUCT: {
    detail: 'No such product: MUG-RED',
    instance: '/v1/reservations',
    members: { skus: { type: 'array', items: SKU, description: 'All that are unknown.' } },
  },
  UNKNOWN_LOCATION: {
    detail: 'No such location: S1',
    instance: '/v1/reservations',
    members: { locationIds: { type: 'array', items: LOCATION_ID, description: 'All that are unknown.' } },
  },
  IDEMPOTENCY_KEY_REUSED: {
    detail: 'This Idempotency-Key was used for another request; take a new key for a new request',
    instance: '/v1/reservations',
  },
  HOLD_LIFETIME_EXCEEDED: {
    detail: 'The reservation cannot be kept beyond 2026-11-23T09:00:00.000Z',
    instance: `${RESERVATION}/refresh`,
    members: {
      lifetimeEndsAt: {
        ...INSTANT,
        description: 'No renewal goes beyond it.',
        examples: ['2026-11-23T09:00:00.000Z'],
      },
    },
  },
  QUANTITY_LIMIT: {
    detail: 'A balance of MUG-RED at S1 would go beyond 1000000000 units',
    instance: `${STOCK_ITEM}/movements`,
    members: {
      sku: SKU,
      locationId: LOCATION_ID,
      limit: { type: 'integer', description: 'Most units of a balance, either way.', examples: [1_000_000_000] },
    },
  },
  RATE_LIMITED: {
    detail: 'No more than 1000 writes in 10 s; come back in 7 s',
    instance: '/v1/reservations',
    members: {
      limit: { type: 'string', description: 'Which limit it is.', examples: ['writes'] },
      max: { ...UNITS, description: 'What it allows.', examples: [1000] },
      remaining: { ...UNITS, description: 'What is left of it now.', examples: [0] },
      windowSeconds: {
        type: 'integer',
        minimum: 1,
        description: 'The time in which it counts; not there where it is about what is held at a time.',
        examples: [10],
      },
    },
    sometimes: ['windowSeconds'],
  },
  HEADERS_TOO_LARGE: { detail: 'The request headers are larger than the server takes', instance: '/v1/stock' },
  INTERNAL: {
    detail: 'Something went wrong on our side; the correlationId helps us to find it',
    instance: '/v1/reservations',
  },
  BUSY: { detail: 'Too many requests are waiting', instance: '/v1/reservations' },
  UNAVAILABLE: {
    detail: 'The server cannot do this at the moment; try again later',
    instance: '/v1/reservations',
    members: {
      checks: { $ref: part('HealthChecks'), description: 'From `/health/ready` only.' },
    },
    sometimes: ['checks'],
  },
};
