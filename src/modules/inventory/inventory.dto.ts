import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import {
  BooleanField,
  EnumField,
  IdField,
  IdListQuery,
  PageQuery,
  QuantityField,
  TextField,
} from '../../shared/http/fields.ts';
import { PageResponse } from '../../shared/http/page-response.ts';
import type { CrossChecked } from '../../shared/http/validation.ts';
import type { FieldError } from '../../shared/http/http-error.ts';
import { type Instant, toIsoInstant } from '../../shared/kernel/clock.ts';
import {
  FRESHNESS_STATUSES,
  type FreshnessStatus,
  type FreshnessView,
  LOCATION_KINDS,
  type LocationKind,
  type LocationView,
  MOVEMENT_TYPES,
  type MovementType,
  type MovementView,
  type ProductView,
  QUANTITY_MAX,
  RECORDABLE_MOVEMENTS,
  type RecordableMovement,
  STOCK_STATES,
  type StockItemView,
  type StockState,
} from './contract.ts';

/** Most skus that one list request may name. */
const LISTED_SKUS_MAX = 200;
const PRIORITY_MAX = 1000;
const PRIORITY_DEFAULT = 100;

// ---------------------------------------------------------------- paths

export class LocationPath {
  @IdField({ description: 'The location, as the chain names it.', example: 'S1' })
  locationId!: string;
}

export class ProductPath {
  @IdField({ description: 'The product, as the chain names it.', example: 'MUG-RED' })
  sku!: string;
}

export class StockItemPath extends ProductPath {
  @IdField({ description: 'The location, as the chain names it.', example: 'S1' })
  locationId!: string;
}

// ---------------------------------------------------------------- locations and products

@ApiSchema({ description: 'A location as it shall be.' })
export class PutLocationRequest {
  @TextField({ description: 'What people call it.', example: 'Berlin, Alexanderplatz' })
  name!: string;

  @EnumField(LOCATION_KINDS, { description: 'What sort of place it is.', example: 'STORE' })
  kind!: LocationKind;

  @QuantityField({
    min: 0,
    max: PRIORITY_MAX,
    optional: true,
    description: 'Sourcing takes units from lower numbers first.',
    example: PRIORITY_DEFAULT,
  })
  priority: number = PRIORITY_DEFAULT;

  @BooleanField({ optional: true, description: 'False: sourcing passes the location by.', example: true })
  sellsOnline: boolean = true;
}

@ApiSchema({ description: 'A place that has stock.' })
export class LocationResponse extends PutLocationRequest {
  @ApiProperty({ example: 'S1' })
  locationId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Rises by one with every change; the ETag.', example: 1 })
  version!: number;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string;
}

@ApiSchema({ description: 'A product as it shall be.' })
export class PutProductRequest {
  @TextField({ description: 'What people call it.', example: 'Mug, red' })
  name!: string;

  @QuantityField({
    min: 0,
    max: QUANTITY_MAX,
    nullable: true,
    description: 'Available units at a location, at or below which its stock is low. Null: no alarm wanted.',
    example: 5,
  })
  lowStockThreshold: number | null = null;

  @BooleanField({ optional: true, description: 'False: no new holds, no web sales; all else goes on.', example: true })
  active: boolean = true;
}

@ApiSchema({ description: 'Something that is sold.' })
export class ProductResponse extends PutProductRequest {
  @ApiProperty({ example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Rises by one with every change; the ETag.', example: 1 })
  version!: number;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string;
}

// ---------------------------------------------------------------- stock

export class StockQuery extends PageQuery {
  @IdListQuery({
    min: 1,
    max: LISTED_SKUS_MAX,
    optional: true,
    description: `Only these skus, at most ${LISTED_SKUS_MAX}, separated by commas.`,
    example: 'MUG-RED,MUG-BLUE',
  })
  skus?: string[];

  @IdField({ optional: true, description: 'Only at this location.', example: 'S1' })
  locationId?: string;

  @EnumField(STOCK_STATES, {
    optional: true,
    description:
      '`low`: available at or below the threshold of the product; `out`: nothing available; `negative`: more promised than on hand. What is kept back at stale and silent locations is not available.',
  })
  state?: StockState;
}

@ApiSchema({ description: 'How a set of units divides.' })
export class StockTotals {
  @ApiProperty({
    type: 'integer',
    description: 'Sum of all movements; negative when facts took more than was known.',
    example: 12,
  })
  onHand!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Units of ACTIVE reservations.', example: 2 })
  held!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Units of CONFIRMED reservations, not yet fulfilled.',
    example: 1,
  })
  committed!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'On their way here by a transfer.', example: 0 })
  incoming!: number;

  @ApiProperty({
    type: 'integer',
    description:
      'onHand - held - committed - safetyStock, less what is kept back while a location is stale or silent: what may still be taken.',
    example: 9,
  })
  available!: number;
}

@ApiSchema({ description: 'How much the centre knows of the stock of a location at this instant.' })
export class FreshnessResponse {
  @ApiProperty({
    enum: FRESHNESS_STATUSES,
    description:
      'DIRECT: the location never pushed, its stock is kept at the centre. LIVE, STALE, SILENT: how long it has not been heard from, by its policy.',
    example: 'LIVE',
  })
  status!: FreshnessStatus;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'The last event of the store that is part of this stock; null: DIRECT.',
    example: 4711,
  })
  lastSequence!: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the centre received the newest event of the store, by its own clock; null: none so far.',
    example: '2026-11-22T09:00:00.000Z',
  })
  asOf!: string | null;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'Whole seconds since the store was last heard from; null: DIRECT. No part of the ETag.',
    example: 2,
  })
  lagSeconds!: number | null;
}

@ApiSchema({ description: 'One sku at one location.' })
export class StockItemResponse extends StockTotals {
  @ApiProperty({ example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ example: 'S1' })
  locationId!: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Units that commands leave alone.', example: 0 })
  safetyStock!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Rises by one with every change; 0 before the first.',
    example: 4,
  })
  version!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string | null;

  @ApiProperty({ type: FreshnessResponse, description: 'How fresh the location is.' })
  freshness!: FreshnessResponse;
}

@ApiSchema({ description: 'One sku everywhere.' })
export class SkuStockResponse {
  @ApiProperty({ example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: StockTotals, description: 'Sums over all locations.' })
  totals!: StockTotals;

  @ApiProperty({ type: [StockItemResponse], description: 'By location id.' })
  locations!: StockItemResponse[];
}

@ApiSchema({ description: 'Units that came or went.' })
export class RecordMovementRequest implements CrossChecked {
  @EnumField(RECORDABLE_MOVEMENTS, {
    description:
      'RECEIPT and RETURN bring units and are always recorded. SALE and WRITE_OFF take units and are refused beyond what is available. ADJUSTMENT does either, by its sign.',
    example: 'RECEIPT',
  })
  type!: RecordableMovement;

  @QuantityField({
    min: -QUANTITY_MAX,
    max: QUANTITY_MAX,
    description: 'Units, 1 to 1,000,000; for ADJUSTMENT also negative; never 0.',
    example: 10,
  })
  quantity!: number;

  @TextField({ nullable: true, description: 'Why, in words.', example: 'Delivery of Monday' })
  reason: string | null = null;

  @TextField({ nullable: true, description: 'What it belongs to elsewhere: a receipt, an order.', example: 'DN-4711' })
  reference: string | null = null;

  crossCheck(): FieldError[] {
    if (this.quantity === 0) {
      return [{ field: 'quantity', message: 'must not be 0' }];
    }
    return this.quantity < 0 && this.type !== 'ADJUSTMENT'
      ? [{ field: 'quantity', message: `must be a whole number from 1 to ${QUANTITY_MAX} for ${this.type}` }]
      : [];
  }
}

@ApiSchema({ description: 'What a shelf count found.' })
export class CountRequest {
  @QuantityField({ min: 0, max: QUANTITY_MAX, description: 'Units that were found on the shelf.', example: 12 })
  counted!: number;

  @TextField({ nullable: true, description: 'Why it was counted.', example: 'Yearly inventory' })
  reason: string | null = null;
}

@ApiSchema({ description: 'What commands leave alone.' })
export class StockPolicyRequest {
  @QuantityField({ min: 0, max: QUANTITY_MAX, description: 'Units that commands leave alone.', example: 2 })
  safetyStock!: number;
}

@ApiSchema({ description: 'What a movement or a count made of the stock.' })
export class MovementRecordedResponse {
  @ApiProperty({ example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  movementId!: string;

  @ApiProperty({ type: StockItemResponse })
  stock!: StockItemResponse;
}

@ApiSchema({ description: 'One line of the ledger.' })
export class MovementResponse {
  @ApiProperty({ example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  movementId!: string;

  @ApiProperty({ enum: MOVEMENT_TYPES, description: 'What made the units come or go.', example: 'RECEIPT' })
  type!: MovementType;

  @ApiProperty({ type: 'integer', description: 'Signed change of on-hand units.', example: 10 })
  delta!: number;

  @ApiProperty({ type: 'integer', description: 'On-hand units right after it.', example: 12 })
  onHandAfter!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Why, in words.', example: 'Delivery of Monday' })
  reason!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What it belongs to elsewhere.', example: 'DN-4711' })
  reference!: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  occurredAt!: string;

  @ApiProperty({ description: 'Finds the request in the logs and the event log.', example: 'delivery-4711' })
  correlationId!: string;

  @ApiProperty({ description: 'Who recorded it; `unknown` where that was not stored yet.', example: 'back-office' })
  clientId!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The id of the key that was sent; null: nobody was asked for one, or it follows from something else.',
    example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11',
  })
  keyId!: string | null;
}

// ---------------------------------------------------------------- pages

export class LocationPage extends PageResponse {
  @ApiProperty({ type: [LocationResponse] })
  items!: LocationResponse[];
}

export class ProductPage extends PageResponse {
  @ApiProperty({ type: [ProductResponse] })
  items!: ProductResponse[];
}

export class StockPage extends PageResponse {
  @ApiProperty({ type: [StockItemResponse] })
  items!: StockItemResponse[];
}

export class MovementPage extends PageResponse {
  @ApiProperty({ type: [MovementResponse] })
  items!: MovementResponse[];
}

// ---------------------------------------------------------------- shapes

export function toLocationResponse(view: LocationView): LocationResponse {
  const { locationId, name, kind, priority, sellsOnline, version } = view;
  return { locationId, name, kind, priority, sellsOnline, version, ...timesOf(view) };
}

export function toProductResponse(view: ProductView): ProductResponse {
  const { sku, name, lowStockThreshold, active, version } = view;
  return { sku, name, lowStockThreshold, active, version, ...timesOf(view) };
}

export function toStockItemResponse(view: StockItemView): StockItemResponse {
  return { ...view, updatedAt: toIsoOrNull(view.updatedAt), freshness: toFreshnessResponse(view.freshness) };
}

export function toFreshnessResponse({ status, lastSequence, asOf, lagSeconds }: FreshnessView): FreshnessResponse {
  return { status, lastSequence, asOf: toIsoOrNull(asOf), lagSeconds };
}

/** Balances as they are stored, which say nothing of how fresh they are. */
export function toStoredStockResponse(stored: Omit<StockItemView, 'freshness'>): Omit<StockItemResponse, 'freshness'> {
  return { ...stored, updatedAt: toIsoOrNull(stored.updatedAt) };
}

export function toMovementResponse(view: MovementView): MovementResponse {
  const { movementId, type, delta, onHandAfter, reason, reference, occurredAt, correlationId, clientId, keyId } = view;
  return {
    movementId,
    type,
    delta,
    onHandAfter,
    reason,
    reference,
    occurredAt: toIsoInstant(occurredAt),
    correlationId,
    clientId,
    keyId,
  };
}

function toIsoOrNull(at: Instant | null): string | null {
  return at === null ? null : toIsoInstant(at);
}

function timesOf({ createdAt, updatedAt }: { createdAt: number; updatedAt: number }): {
  createdAt: string;
  updatedAt: string;
} {
  return { createdAt: toIsoInstant(createdAt), updatedAt: toIsoInstant(updatedAt) };
}
