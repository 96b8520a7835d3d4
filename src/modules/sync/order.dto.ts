import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ID_PATTERN, IdField, isId, OpenListField } from '../../shared/http/fields.ts';
import type { FieldError } from '../../shared/http/http-error.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { hashOfJson } from '../../shared/kernel/json-content.ts';
import { faultOfEvent, scalarOf, shallow, withDataWithin } from './as-it-came.ts';
import {
  CONFLICTS_SHOWN_MAX,
  ORDER_ALARMS,
  ORDER_EVENT_DATA_MAX,
  ORDER_EVENT_OUTCOMES,
  ORDER_EVENTS_MAX,
  ORDER_STATUSES,
  ORDER_VERSION_MAX,
  type OrderAlarm,
  type OrderEvent,
  type OrderEventOutcome,
  type OrderStatus,
  type OrderView,
} from './contract.ts';

const ID_SCHEMA = { type: 'string', pattern: ID_PATTERN, minLength: 1, maxLength: 64 } as const;

/** Any JSON value: an event that is not as documented is kept as it came. */
const ANYTHING = {
  anyOf: [
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
  ],
};

export class OrderPath {
  @IdField({ description: 'As the shop calls the order.', example: 'order-4711' })
  orderId!: string;
}

/** Said by hand, because anything may be wrong with all but the first three. */
const ORDER_EVENT_SCHEMA = {
  type: 'object',
  description: 'Something that happened to an order in an outside shop.',
  required: ['id', 'orderId', 'version'],
  properties: {
    id: { ...ID_SCHEMA, description: 'The same whenever the event is sent again.', example: 'shop-1-981' },
    orderId: { ...ID_SCHEMA, description: 'The order that it happened to.', example: 'order-4711' },
    version: {
      type: 'integer',
      minimum: 1,
      maximum: ORDER_VERSION_MAX,
      description: 'Counts the events of the order from 1, without holes.',
      example: 1,
    },
    type: {
      ...ANYTHING,
      description: '`order.created`, `order.paid`, `order.shipped` or `order.cancelled`; anything else is dead.',
      example: 'order.created',
    },
    occurredAt: {
      ...ANYTHING,
      description: 'When it happened, for people: it orders nothing.',
      example: '2026-11-22T09:00:00.000Z',
    },
    data: {
      ...ANYTHING,
      description:
        'Of `order.created`: `lines` (`{sku, quantity, locationId?}`) or `reservationId`; of `order.shipped`: `locationId?`; of `order.cancelled`: `reason?`. Other members are kept and not looked at.',
      example: { lines: [{ sku: 'MUG-RED', quantity: 2, locationId: null }] },
    },
  },
  additionalProperties: true,
} as const;

@ApiSchema({ description: 'Events of orders, in any order.' })
export class OrderEventsRequest {
  @OpenListField(refusalsOf, ORDER_EVENT_SCHEMA, {
    min: 1,
    max: ORDER_EVENTS_MAX,
    description:
      'Each by itself. An invalid `id`, `orderId` or `version` refuses the request; what else is wrong with an event makes it `dead`.',
    example: [
      {
        id: 'shop-1-981',
        orderId: 'order-4711',
        version: 1,
        type: 'order.created',
        occurredAt: '2026-11-22T09:00:00.000Z',
        data: { lines: [{ sku: 'MUG-RED', quantity: 2, locationId: null }] },
      },
    ],
  })
  events!: object[];
}

@ApiSchema({ description: 'What became of an event.' })
export class OrderEventResultResponse {
  @ApiProperty({ description: 'Of the event.', example: 'shop-1-981' })
  id!: string;

  @ApiProperty({ description: 'The order of the event.', example: 'order-4711' })
  orderId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Of the event.', example: 1 })
  version!: number;

  @ApiProperty({
    enum: ORDER_EVENT_OUTCOMES,
    description:
      '`applied`; `duplicate`: it was known; `stale`: the order has gone on without it; `parked`: kept until its turn; `refused`: not kept, because too many wait; `conflict`: its id or version belongs to another event; `dead`: it waits for an operator.',
    example: 'applied',
  })
  outcome!: OrderEventOutcome;

  @ApiProperty({
    type: String,
    required: false,
    description: 'Why it is `dead`: a code of problem documents, `PAID_WITHOUT_STOCK` or `ORDER_ALREADY_CREATED`.',
    example: 'INSUFFICIENT_STOCK',
  })
  code?: string;

  @ApiProperty({
    enum: ORDER_ALARMS,
    isArray: true,
    required: false,
    description: 'What somebody should look at although the event is done with.',
    example: ['PAID_AFTER_CANCELLED'],
  })
  flags?: readonly OrderAlarm[];
}

@ApiSchema({ description: 'What became of each event.' })
export class OrderEventsResponse {
  @ApiProperty({ type: [OrderEventResultResponse], description: 'In the order of the events.' })
  results!: readonly OrderEventResultResponse[];
}

@ApiSchema({ description: 'Units of one sku, at one location or anywhere.' })
export class OrderLineResponse {
  @ApiProperty({ description: 'What is wanted.', example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'How many units of it.', example: 2 })
  quantity!: number;

  @ApiProperty({ type: String, nullable: true, description: 'As it was asked for; null: anywhere.', example: null })
  locationId!: string | null;
}

@ApiSchema({ description: 'A dead letter of an order.' })
export class OrderLetterResponse {
  @ApiProperty({ description: 'Of the letter.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Of the event that died.', example: 2 })
  version!: number;
}

@ApiSchema({ description: 'An event that contradicts another one, and was not applied.' })
export class OrderConflictResponse {
  @ApiProperty({ description: 'Of the event.', example: 'shop-1-982' })
  id!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Of the event.', example: 2 })
  version!: number;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: 'order.paid' })
  type!: unknown;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: '2026-11-22T09:00:00.000Z' })
  occurredAt!: unknown;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: {} })
  data!: unknown;

  @ApiProperty({ format: 'date-time', description: 'When it came first.', example: '2026-11-22T09:00:00.000Z' })
  receivedAt!: string;
}

@ApiSchema({ description: 'What is known of an order.' })
export class OrderResponse {
  @ApiProperty({ description: 'As the shop calls it.', example: 'order-4711' })
  orderId!: string;

  @ApiProperty({
    enum: ORDER_STATUSES,
    description:
      'NEW: nothing of it was applied; HELD: its units are held; PAID: committed; SHIPPED: gone; CANCELLED: given up.',
    example: 'HELD',
  })
  status!: OrderStatus;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'All versions below are used up.', example: 2 })
  nextVersion!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'The version whose dead letter the later ones wait for.',
    example: null,
  })
  blockedBy!: number | null;

  @ApiProperty({
    type: 'array',
    items: { type: 'integer' },
    description: 'Versions that wait for their turn, in order.',
    example: [],
  })
  parked!: readonly number[];

  @ApiProperty({ type: [OrderLetterResponse], description: 'That are open, by version.', example: [] })
  deadLetters!: readonly OrderLetterResponse[];

  @ApiProperty({
    type: [OrderConflictResponse],
    description: `The newest first, at most ${CONFLICTS_SHOWN_MAX}.`,
    example: [],
  })
  conflicts!: readonly OrderConflictResponse[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The reservation that holds or has its units.',
    example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11',
  })
  reservationId!: string | null;

  @ApiProperty({ type: [OrderLineResponse], description: 'As they were when it was created.' })
  lines!: readonly OrderLineResponse[];

  @ApiProperty({ format: 'date-time', description: 'When its first event came.', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', description: 'When it last changed.', example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string;
}

/** What is so wrong with an event that nobody could say what became of it. */
function refusalsOf(item: unknown): FieldError[] {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return [{ field: '', message: 'must be an object' }];
  }
  const { id, orderId, version } = item as Readonly<Record<string, unknown>>;
  const errors: FieldError[] = [];
  if (!isId(id)) errors.push({ field: 'id', message: 'must be an id' });
  if (!isId(orderId)) errors.push({ field: 'orderId', message: 'must be an id' });
  if (!Number.isInteger(version) || (version as number) < 1 || (version as number) > ORDER_VERSION_MAX) {
    errors.push({ field: 'version', message: `must be a whole number from 1 to ${ORDER_VERSION_MAX}` });
  }
  return errors;
}

const MEMBERS: ReadonlySet<string> = new Set(['id', 'orderId', 'version', 'type', 'occurredAt', 'data']);

/** An event as it came, whatever it holds. @param item one that is not refused by `refusalsOf` */
export function toOrderEvent(item: unknown): OrderEvent {
  const event = item as Readonly<Record<string, unknown>> & Pick<OrderEvent, 'id' | 'orderId' | 'version'>;
  const { id, orderId, version, type, occurredAt, data } = event;
  const content = {
    type: scalarOf(type) ?? null,
    occurredAt: scalarOf(occurredAt) ?? null,
    data: shallow(data) ?? null,
    fault: faultOfEvent(event, MEMBERS),
  };
  const contentHash = hashOfJson([orderId, type, occurredAt, data]);
  return { id, orderId, version, contentHash, content: withDataWithin(content, ORDER_EVENT_DATA_MAX) };
}

export function toOrderResponse(view: OrderView): OrderResponse {
  const { rowVersion: _, conflicts, createdAt, updatedAt, ...rest } = view;
  return {
    ...rest,
    conflicts: conflicts.map((conflict) => ({ ...conflict, receivedAt: toIsoInstant(conflict.receivedAt) })),
    createdAt: toIsoInstant(createdAt),
    updatedAt: toIsoInstant(updatedAt),
  };
}
