import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IdField, isId, OpenListField, QuantityField } from '../../shared/http/fields.ts';
import { PageResponse } from '../../shared/http/page-response.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import type { FieldError } from '../../shared/http/http-error.ts';
import {
  EVENT_FLAGS,
  type EventFlag,
  CONTRADICTED,
  type Contradicted,
  SEQUENCE_MAX,
  type StoreConflictView,
  type StoreView,
  STORE_EVENT_OUTCOMES,
  STORE_EVENTS_MAX,
  type StoreEventOutcome,
} from './contract.ts';
import { ANYTHING } from './dead-letter.dto.ts';
import { StoreFreshnessResponse, toStoreFreshnessResponse } from './store-freshness.dto.ts';
import { STORE_EVENT_EXAMPLE, STORE_EVENT_SCHEMA } from './store-event.openapi.ts';

export class StorePath {
  @IdField({ description: 'The location whose store it is.', example: 'S1' })
  locationId!: string;
}

@ApiSchema({ description: 'A stream that was opened.' })
export class OpenedStreamResponse {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'Goes with every call of the events of this life of the agent.',
    example: 3,
  })
  epoch!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The number of the first event: 1.', example: 1 })
  nextSequence!: number;
}

/** What is so wrong with an event that nobody could say which one it is. */
function refusalsOfEvent(event: unknown): readonly FieldError[] {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    return [{ field: '', message: 'must be an object' }];
  }
  const { id, sequence } = event as { id?: unknown; sequence?: unknown };
  const errors: FieldError[] = [];
  if (!isId(id)) {
    errors.push({ field: 'id', message: 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ : - and not . or ..' });
  }
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) {
    errors.push({ field: 'sequence', message: `must be a whole number from 1 to ${SEQUENCE_MAX}` });
  }
  return errors;
}

@ApiSchema({ description: 'What happened in a store, in the order in which it happened there.' })
export class StoreEventsRequest {
  @QuantityField({ min: 1, max: SEQUENCE_MAX, description: 'As the stream was opened with.', example: 1 })
  epoch!: number;

  @OpenListField(refusalsOfEvent, STORE_EVENT_SCHEMA, {
    min: 1,
    max: STORE_EVENTS_MAX,
    example: [STORE_EVENT_EXAMPLE],
    description: 'Each stands for itself: one that is wrong is answered `dead`, and the others are taken.',
  })
  events!: unknown[];
}

@ApiSchema({ description: 'What became of an event.' })
export class StoreEventResultResponse {
  @ApiProperty({ description: 'As it was sent.', example: 'S1-42' })
  id!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'As it was sent.', example: 42 })
  sequence!: number;

  @ApiProperty({
    enum: STORE_EVENT_OUTCOMES,
    description:
      'All but `refused` are done for the store. `applied`: recorded. `duplicate`: known already. `parked`: kept, and recorded when the numbers before it have come. `refused`: there is no room to park it, send it again later. `conflict`: its id or its number had another content before; kept for somebody to look at. `dead`: it cannot be recorded; kept as a dead letter, its number is used up.',
    example: 'applied',
  })
  outcome!: StoreEventOutcome;

  @ApiProperty({ required: false, description: 'Why it is dead.', example: 'UNKNOWN_PRODUCT' })
  code?: string;

  @ApiProperty({
    required: false,
    isArray: true,
    enum: EVENT_FLAGS,
    description:
      '`CLOCK`: its `occurredAt` is further from the time of the centre than is good; it was taken all the same.',
    example: ['CLOCK'],
  })
  flags?: EventFlag[];
}

@ApiSchema({ description: 'What became of each event, and what the centre waits for.' })
export class StoreEventsResponse {
  @ApiProperty({ type: [StoreEventResultResponse], description: 'In the order of the events.' })
  results!: StoreEventResultResponse[];

  @ApiProperty({ type: 'integer', minimum: 1, description: 'All numbers below are used up.', example: 43 })
  nextSequence!: number;

  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 2, maxItems: 2 },
    description: 'Numbers that have not come although later ones have, from and to included, lowest first: send them.',
    example: [[43, 45]],
  })
  missing!: [from: number, to: number][];
}

@ApiSchema({ description: 'Numbers that have not come although later ones have.' })
export class MissingNumbersResponse {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The first of them.', example: 43 })
  from!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The last of them.', example: 45 })
  to!: number;

  @ApiProperty({
    format: 'date-time',
    description: 'When they were first missed.',
    example: '2026-11-22T09:00:00.000Z',
  })
  since!: string;
}

@ApiSchema({ description: 'Where a store stands.' })
export class StoreResponse {
  @ApiProperty({ description: 'The location whose store it is.', example: 'S1' })
  locationId!: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: '0: its agent never opened a stream.', example: 3 })
  epoch!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'All numbers below are used up.', example: 43 })
  nextSequence!: number;

  @ApiProperty({ type: [MissingNumbersResponse], description: 'Lowest first.' })
  missing!: MissingNumbersResponse[];

  @ApiProperty({
    type: 'number',
    minimum: 0,
    nullable: true,
    description: 'Seconds since the store was last heard from, whether or not it pushed; null: it never was.',
    example: 1.25,
  })
  lagSeconds!: number | null;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Events that wait for what is missing.', example: 2 })
  parked!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Events that are open dead letters.', example: 0 })
  dead!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Events that contradicted what came before, ever.',
    example: 0,
  })
  conflicts!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description:
      'Units by which the last reconciliation found store and centre apart, over all skus, and that were not corrected.',
    example: 0,
  })
  drift!: number;

  @ApiProperty({ type: StoreFreshnessResponse, description: 'As every answer about its stock says it.' })
  freshness!: StoreFreshnessResponse;
}

export class StorePage extends PageResponse {
  @ApiProperty({ type: [StoreResponse] })
  items!: StoreResponse[];
}

@ApiSchema({ description: 'An event whose id or number had another content before, as it came.' })
export class StoreConflictResponse {
  @ApiProperty({ description: 'As it was sent.', example: 'S1-42' })
  eventId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Under which it came.', example: 3 })
  epoch!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'As it was sent.', example: 42 })
  sequence!: number;

  @ApiProperty({ enum: CONTRADICTED, description: 'What was known with another content.', example: 'ID' })
  contradicts!: Contradicted;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: 'sale' })
  type!: unknown;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: 1 })
  version!: unknown;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: '2026-11-22T09:00:00.000Z' })
  occurredAt!: unknown;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: { sku: 'MUG-RED', quantity: 3 } })
  data!: unknown;

  @ApiProperty({ format: 'date-time', description: 'When it came.', example: '2026-11-22T09:00:00.000Z' })
  receivedAt!: string;
}

export class StoreConflictPage extends PageResponse {
  @ApiProperty({ type: [StoreConflictResponse] })
  items!: StoreConflictResponse[];
}

export function toStoreResponse({ missing, freshness, ...view }: StoreView): StoreResponse {
  return {
    ...view,
    missing: missing.map(({ from, to, since }) => ({ from, to, since: toIsoInstant(since) })),
    freshness: toStoreFreshnessResponse(freshness),
  };
}

export function toStoreConflictResponse(view: StoreConflictView): StoreConflictResponse {
  const { type = null, version = null, occurredAt = null, data = null, receivedAt } = view;
  return { ...view, type, version, occurredAt, data, receivedAt: toIsoInstant(receivedAt) };
}
