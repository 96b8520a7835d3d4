import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IdField, IdListQuery, PatternQuery, WholeNumberQuery } from '../../shared/http/fields.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import type { StockWithHolds } from '../inventory/contract.ts';
import { FEED_CURSOR_PATTERN } from './feed-cursor.ts';
import { toStoreFreshnessResponse } from './store-freshness.dto.ts';

/** Longest wait of a poll, in seconds: what most proxies let an answer take (issue of the sync, item 5). */
const WAIT_SECONDS_MAX = 30;
const CHANGES_MAX = 1000;
const CHANGES_DEFAULT = 200;
/** Most skus that one stream may name. */
const STREAMED_SKUS_MAX = 200;

/** What every feed can be asked: from where on. */
class FeedQuery {
  @PatternQuery(FEED_CURSOR_PATTERN, 'must be a cursor of a feed', {
    optional: true,
    description: 'A cursor: what comes behind it is answered.',
    example: '1042',
  })
  after?: string;
}

export class ChangesQuery extends FeedQuery {
  @WholeNumberQuery({
    min: 0,
    max: WAIT_SECONDS_MAX,
    otherwise: 0,
    description: 'How long to wait for a change when there is none.',
    example: 30,
  })
  waitSeconds = 0;

  @WholeNumberQuery({ min: 1, max: CHANGES_MAX, otherwise: CHANGES_DEFAULT, description: 'Changes of one answer.' })
  limit: number = CHANGES_DEFAULT;
}

export class ChangesStreamQuery extends FeedQuery {}

export class StockStreamQuery extends FeedQuery {
  @IdListQuery({ min: 1, max: STREAMED_SKUS_MAX, optional: true, example: 'MUG-RED,MUG-BLUE' })
  skus?: string[];

  @IdField({ optional: true, description: 'Only changes at this location.', example: 'S1' })
  locationId?: string;
}

@ApiSchema({
  description: 'An event as a CloudEvent 1.0 in its JSON format. Attributes that it does not have are left out.',
})
export class CloudEventResponse {
  @ApiProperty({ enum: ['1.0'], description: 'The version of CloudEvents.', example: '1.0' })
  specversion!: string;

  @ApiProperty({
    description: 'Names the event for ever: a second one with it is a repeat.',
    example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11',
  })
  id!: string;

  @ApiProperty({ description: 'The module that published it.', example: 'urn:holdfast:inventory' })
  source!: string;

  @ApiProperty({ description: 'What happened; docs/events.md has each.', example: 'inventory.stock.held' })
  type!: string;

  @ApiProperty({ description: 'What it happened to.', example: 'stock/MUG-RED/S1' })
  subject!: string;

  @ApiProperty({ format: 'date-time', description: 'When it was decided.', example: '2026-11-22T09:00:00.000Z' })
  time!: string;

  @ApiProperty({ enum: ['application/json'], description: 'What `data` is.', example: 'application/json' })
  datacontenttype!: string;

  @ApiProperty({
    description: 'The `$id` of the schema of `data`.',
    example: 'urn:holdfast:event:inventory.stock.held:v1',
  })
  dataschema!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The payload, in the newest version of its type. That of a stock item has its balances after it.',
    example: {
      sku: 'MUG-RED',
      locationId: 'S1',
      holdId: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b12',
      units: 2,
      expiresAt: '2026-11-22T09:15:00.000Z',
      stock: { onHand: 10, held: 2, committed: 0, incoming: 0, safetyStock: 0, available: 8 },
    },
  })
  data!: object;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version of `data`.', example: 1 })
  dataversion!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version of the subject after it.', example: 4 })
  subjectversion!: number;

  @ApiProperty({ required: false, description: 'The location that it is about.', example: 'S1' })
  locationid?: string;

  @ApiProperty({
    required: false,
    description: 'The location whose store reported it; absent: the centre.',
    example: 'S2',
  })
  origin?: string;

  @ApiProperty({ description: 'Finds the request in the logs.', example: 'cart-4711' })
  correlationid!: string;

  @ApiProperty({
    required: false,
    description: 'The event that it follows from.',
    example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b10',
  })
  causationid?: string;

  @ApiProperty({
    required: false,
    description: 'W3C trace context of the request.',
    example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  })
  traceparent?: string;
}

@ApiSchema({ description: 'What has changed, in order.' })
export class ChangesResponse {
  @ApiProperty({ type: [CloudEventResponse], description: 'Empty when there was nothing within the time to wait.' })
  changes!: CloudEventResponse[];

  @ApiProperty({
    pattern: FEED_CURSOR_PATTERN.source,
    description: 'Asks for what comes next (`after`). Moves on also when there was nothing for this store.',
    example: '1043',
  })
  cursor!: string;
}

/** A line of a snapshot. Holds are told as their events name them. */
export function toSnapshotLine({ updatedAt, freshness, holds, ...item }: StockWithHolds): string {
  const line = {
    ...item,
    updatedAt: updatedAt === null ? null : toIsoInstant(updatedAt),
    freshness: toStoreFreshnessResponse(freshness),
    holds: holds.map((hold) => ({
      ...hold,
      expiresAt: hold.expiresAt === null ? null : toIsoInstant(hold.expiresAt),
    })),
  };
  return `${JSON.stringify(line)}\n`;
}
