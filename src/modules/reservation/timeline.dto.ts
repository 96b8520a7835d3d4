import { ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { PageResponse, toPageResponse } from '../../shared/http/page-response.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import type { Page } from '../../shared/kernel/page.ts';
import type { TimelineItem } from './contract.ts';
import { ReservationLineResponse } from './reservation.dto.ts';

@ApiSchema({ description: 'What every item of a timeline tells.' })
class TimelineItemResponse {
  @ApiProperty({ format: 'date-time', description: 'When it happened.', example: '2026-11-22T09:00:00.000Z' })
  at!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version of the reservation after it.', example: 1 })
  version!: number;
}

@ApiSchema({ description: 'An item that somebody asked for.' })
class RequestedItemResponse extends TimelineItemResponse {
  @ApiProperty({ description: 'Who asked for it; `unknown` where that was not stored yet.', example: 'default' })
  clientId!: string;

  @ApiProperty({ description: 'Finds the request in the logs and the event log.', example: 'checkout-4711' })
  correlationId!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The id of the key that was sent; null: nobody was asked for one.',
    example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11',
  })
  keyId!: string | null;
}

@ApiSchema({ description: 'It was made.' })
class ReservationCreatedItem extends RequestedItemResponse {
  @ApiProperty({ enum: ['reservation.created'], description: 'What happened.' })
  type!: string;

  @ApiProperty({ type: String, nullable: true, example: 'cart-17' })
  cartId!: string | null;

  @ApiProperty({ type: [ReservationLineResponse], description: 'As they were then.' })
  lines!: ReservationLineResponse[];

  @ApiProperty({
    format: 'date-time',
    description: 'When it would end from then on.',
    example: '2026-11-22T09:15:00.000Z',
  })
  expiresAt!: string;
}

@ApiSchema({ description: 'Its lines were changed, or confirmed as they were.' })
class ReservationUpdatedItem extends RequestedItemResponse {
  @ApiProperty({ enum: ['reservation.updated'], description: 'What happened.' })
  type!: string;

  @ApiProperty({ type: [ReservationLineResponse], description: 'As they had been.' })
  linesBefore!: ReservationLineResponse[];

  @ApiProperty({ type: [ReservationLineResponse], description: 'As they are since.' })
  lines!: ReservationLineResponse[];

  @ApiProperty({
    format: 'date-time',
    description: 'When it would end from then on.',
    example: '2026-11-22T09:20:00.000Z',
  })
  expiresAt!: string;
}

@ApiSchema({ description: 'Its expiry was moved, to later or to earlier.' })
class ReservationRefreshedItem extends RequestedItemResponse {
  @ApiProperty({ enum: ['reservation.refreshed'], description: 'What happened.' })
  type!: string;

  @ApiProperty({ format: 'date-time', description: 'When it would have ended.', example: '2026-11-22T09:15:00.000Z' })
  expiresAtBefore!: string;

  @ApiProperty({
    format: 'date-time',
    description: 'When it would end from then on.',
    example: '2026-11-22T09:20:00.000Z',
  })
  expiresAt!: string;
}

@ApiSchema({ description: 'Its order was paid.' })
class ReservationConfirmedItem extends RequestedItemResponse {
  @ApiProperty({ enum: ['reservation.confirmed'], description: 'What happened.' })
  type!: string;

  @ApiProperty({ example: 'order-4711' })
  orderId!: string;

  @ApiProperty({ type: [ReservationLineResponse], description: 'As they were then.' })
  lines!: ReservationLineResponse[];
}

@ApiSchema({ description: 'Units of it left the shelf.' })
class ReservationFulfilledItem extends RequestedItemResponse {
  @ApiProperty({ enum: ['reservation.fulfilled'], description: 'What happened.' })
  type!: string;

  @ApiProperty({ example: 'order-4711' })
  orderId!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null: all locations that had some left.', example: 'S1' })
  locationId!: string | null;

  @ApiProperty({ description: 'True: none is left, it is FULFILLED.', example: true })
  complete!: boolean;

  @ApiProperty({ type: [ReservationLineResponse], description: 'As they are since.' })
  lines!: ReservationLineResponse[];
}

@ApiSchema({ description: 'It was given up.' })
class ReservationCancelledItem extends RequestedItemResponse {
  @ApiProperty({ enum: ['reservation.cancelled'], description: 'What happened.' })
  type!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null: it was not confirmed.', example: null })
  orderId!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why, in words.',
    example: 'The shopper emptied the cart',
  })
  reason!: string | null;

  @ApiProperty({ type: [ReservationLineResponse], description: 'What was given back.' })
  lines!: ReservationLineResponse[];
}

@ApiSchema({ description: 'Its time was over.' })
class ReservationExpiredItem extends TimelineItemResponse {
  @ApiProperty({ enum: ['reservation.expired'], description: 'What happened.' })
  type!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Who stored it: `sweeper`, or whose reservation took its place in the cart. Null: nobody yet.',
    example: 'sweeper',
  })
  clientId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Of the run or request that stored it.', example: null })
  correlationId!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The id of the key whose reservation took its place in the cart; null: no key did.',
    example: null,
  })
  keyId!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'cart-17' })
  cartId!: string | null;

  @ApiProperty({ format: 'date-time', description: 'The same instant as `at`.', example: '2026-11-22T09:15:00.000Z' })
  expiresAt!: string;

  @ApiProperty({ type: [ReservationLineResponse], description: 'What is free again.' })
  lines!: ReservationLineResponse[];
}

const ITEMS = {
  'reservation.created': ReservationCreatedItem,
  'reservation.updated': ReservationUpdatedItem,
  'reservation.refreshed': ReservationRefreshedItem,
  'reservation.confirmed': ReservationConfirmedItem,
  'reservation.fulfilled': ReservationFulfilledItem,
  'reservation.cancelled': ReservationCancelledItem,
  'reservation.expired': ReservationExpiredItem,
};

const references = Object.entries(ITEMS).map(([type, item]) => [type, getSchemaPath(item)] as const);

@ApiExtraModels(...Object.values(ITEMS))
export class TimelinePage extends PageResponse {
  @ApiProperty({
    type: 'array',
    items: {
      oneOf: references.map(([, $ref]) => ({ $ref })),
      discriminator: { propertyName: 'type', mapping: Object.fromEntries(references) },
    },
    description: 'Oldest first. `type` tells which members an item has; later versions may bring more types.',
  })
  items!: object[];
}

/** The members of its event stand beside those that every item has. */
export function toTimelinePage(page: Page<TimelineItem>): TimelinePage {
  return toPageResponse(page, ({ type, at, version, clientId, keyId, correlationId, data }) => ({
    type,
    at: toIsoInstant(at),
    version,
    clientId,
    keyId,
    correlationId,
    ...data,
  }));
}
