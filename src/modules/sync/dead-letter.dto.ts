import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { EnumField, FlagQuery, IdField, PageQuery, TextField } from '../../shared/http/fields.ts';
import { PageResponse } from '../../shared/http/page-response.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { DEAD_LETTER_STATUSES, type DeadLetterStatus } from '../../shared/kernel/dead-letter-status.ts';
import type { DeadLetterView, ReplayRehearsal } from './contract.ts';

export class DeadLetterPath {
  @IdField({ description: 'As the list names it.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;
}

export class DeadLetterQuery extends PageQuery {
  @EnumField(DEAD_LETTER_STATUSES, {
    optional: true,
    description: 'Those that wait (DEAD, if it is left out), that were replayed, or that were discarded.',
    example: 'DEAD',
  })
  status: DeadLetterStatus = 'DEAD';
}

export class ReplayQuery {
  @FlagQuery({
    optional: true,
    description: 'Only tells what the replay would change; nothing is changed.',
    example: true,
  })
  dryRun = false;
}

@ApiSchema({ description: 'Why an event is given up.' })
export class DiscardRequest {
  @TextField({ description: 'Why the event is given up, in words.', example: 'The till was in training mode' })
  reason!: string;
}

/** Any JSON value: an event that is wrong may hold anything. */
export const ANYTHING = {
  anyOf: [
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
  ],
};

@ApiSchema({ description: 'An event that could not be processed, and what became of it.' })
export class DeadLetterResponse {
  @ApiProperty({ description: 'Later ones sort behind earlier ones.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;

  @ApiProperty({ description: 'As its producer named it.', example: 'S1-42' })
  eventId!: string;

  @ApiProperty({ description: 'Who could not process it.', example: 'sync.store-events' })
  consumer!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The location that it is about.', example: 'S1' })
  locationId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The order that it is about.', example: null })
  orderId!: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Its number in the stream that it came from, where there is one.',
    example: 42,
  })
  sequence!: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Null: it had none that is a text.', example: 'sale' })
  type!: string | null;

  @ApiProperty({ ...ANYTHING, description: 'As it came.', example: { sku: 'MUG-RED', quantity: 2 } })
  data!: unknown;

  @ApiProperty({ description: 'What the last attempt failed with.', example: 'UNKNOWN_PRODUCT' })
  code!: string;

  @ApiProperty({ description: 'The same, for a person.', example: 'There is no product MUG-RED' })
  detail!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Failed ones, replays included.', example: 1 })
  attempts!: number;

  @ApiProperty({
    enum: DEAD_LETTER_STATUSES,
    description: 'DEAD: it waits for somebody. The others are closed and stay so.',
    example: 'DEAD',
  })
  status!: DeadLetterStatus;

  @ApiProperty({ type: String, nullable: true, description: 'Why it was discarded.', example: null })
  reason!: string | null;

  @ApiProperty({ format: 'date-time', description: 'When it died.', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it was replayed or discarded.',
    example: null,
  })
  closedAt!: string | null;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Rises by one with every change.', example: 1 })
  version!: number;
}

export class DeadLetterPage extends PageResponse {
  @ApiProperty({ type: [DeadLetterResponse] })
  items!: DeadLetterResponse[];
}

/** Rows by what they are called (`stock`, `movements`, `reservations`, `transfers` …), each as its own call shows it. */
const ROWS = {
  type: 'object',
  additionalProperties: { type: 'array', items: { type: 'object', additionalProperties: true } },
} as const;

@ApiSchema({ description: 'Why an event could not be processed.' })
export class FailureResponse {
  @ApiProperty({ description: 'For programs.', example: 'UNKNOWN_PRODUCT' })
  code!: string;

  @ApiProperty({ description: 'The same, for a person.', example: 'There is no product MUG-RED' })
  detail!: string;
}

@ApiSchema({ description: 'What a replay would change; what it would not touch is not shown.' })
export class RehearsalResponse {
  @ApiProperty({
    ...ROWS,
    description: 'As it is: `stock`, `movements`, `reservations`, `transfers` … whatever would be touched.',
    example: { stock: [{ sku: 'MUG-RED', locationId: 'S1', onHand: 10 }] },
  })
  before!: Readonly<Record<string, readonly object[]>>;

  @ApiProperty({
    ...ROWS,
    description: 'As it would be.',
    example: { stock: [{ sku: 'MUG-RED', locationId: 'S1', onHand: 8 }] },
  })
  after!: Readonly<Record<string, readonly object[]>>;

  @ApiProperty({
    type: FailureResponse,
    nullable: true,
    description: 'What it would fail with; null: it would succeed.',
    example: null,
  })
  failure!: FailureResponse | null;
}

export function toDeadLetterResponse(view: DeadLetterView): DeadLetterResponse {
  const { createdAt, closedAt } = view;
  return { ...view, createdAt: toIsoInstant(createdAt), closedAt: closedAt === null ? null : toIsoInstant(closedAt) };
}

export function toRehearsalResponse({ before, after, failure }: ReplayRehearsal): RehearsalResponse {
  return { before, after, failure: failure === null ? null : { code: failure.code, detail: failure.detail } };
}
