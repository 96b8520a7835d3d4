import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { EnumField, IdField, ListField, PageQuery, QuantityField, TextField } from '../../shared/http/fields.ts';
import { PageResponse } from '../../shared/http/page-response.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { QUANTITY_MAX } from '../inventory/contract.ts';
import {
  LINES_MAX,
  RESERVATION_STATUSES,
  type ReservationStatus,
  type ReservationView,
  TTL_SECONDS_MAX,
  type WantedLine,
} from './contract.ts';

export class ReservationPath {
  @IdField({ description: 'As the answer to its creation named it.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;
}

export class ReservationQuery extends PageQuery {
  @EnumField(RESERVATION_STATUSES, { optional: true, description: 'Only with this status.' })
  status?: ReservationStatus;

  @IdField({ optional: true, description: 'Only of this cart.', example: 'cart-17' })
  cartId?: string;

  @IdField({ optional: true, description: 'Only those that this order confirmed.', example: 'order-4711' })
  orderId?: string;

  @IdField({
    optional: true,
    description:
      'Only those with units at this location, now or before. With `status=CONFIRMED`: only those with units that wait there to be handed over, which is the pick list of a store.',
    example: 'S1',
  })
  locationId?: string;
}

@ApiSchema({ description: 'Units of one sku, at one location or anywhere.' })
export class WantedLineRequest implements WantedLine {
  @IdField({ description: 'What is wanted.', example: 'MUG-RED' })
  sku!: string;

  @QuantityField({ min: 1, max: QUANTITY_MAX, description: 'How many units of it.', example: 2 })
  quantity!: number;

  @IdField({
    nullable: true,
    description: 'Where to take them from; left out: wherever sourcing finds them.',
    example: 'S1',
  })
  locationId: string | null = null;
}

@ApiSchema({ description: 'The wanted lines and how long to hold them.' })
export class UpdateReservationRequest {
  @ListField(() => WantedLineRequest, {
    min: 1,
    max: LINES_MAX,
    description: 'Lines with the same sku and the same asked location count as one.',
  })
  lines!: WantedLineRequest[];

  @QuantityField({
    min: 1,
    max: TTL_SECONDS_MAX,
    nullable: true,
    description: 'Time-to-live in seconds, from now.',
    example: 900,
  })
  ttlSeconds: number | null = null;
}

@ApiSchema({ description: 'The wanted lines, how long to hold them, and for whom.' })
export class CreateReservationRequest extends UpdateReservationRequest {
  @IdField({
    nullable: true,
    description: 'The cart that it is for. A cart has at most one ACTIVE reservation.',
    example: 'cart-17',
  })
  cartId: string | null = null;
}

@ApiSchema({ description: 'How long to hold it from now.' })
export class RefreshRequest {
  @QuantityField({
    min: 1,
    max: TTL_SECONDS_MAX,
    nullable: true,
    description: 'Time-to-live in seconds, from now; left out: the one that it was made with.',
    example: 900,
  })
  ttlSeconds: number | null = null;
}

@ApiSchema({ description: 'What paid for it.' })
export class ConfirmRequest {
  @IdField({
    description: 'The order that was paid. One order may confirm several reservations.',
    example: 'order-4711',
  })
  orderId!: string;
}

@ApiSchema({ description: 'Why it is given up.' })
export class CancelRequest {
  @TextField({ nullable: true, description: 'Why, in words.', example: 'The shopper emptied the cart' })
  reason: string | null = null;
}

@ApiSchema({ description: 'What leaves the shelf.' })
export class FulfilRequest {
  @IdField({ nullable: true, description: 'Only the units of this location; left out: of all.', example: 'S1' })
  locationId: string | null = null;
}

@ApiSchema({ description: 'Units of a line at one location.' })
export class AllocationResponse {
  @ApiProperty({ example: 'S1' })
  locationId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, example: 2 })
  quantity!: number;

  @ApiProperty({ description: 'Whether these units have left the location.', example: false })
  fulfilled!: boolean;
}

@ApiSchema({ description: 'Units of one sku, and where they are.' })
export class ReservationLineResponse {
  @ApiProperty({ example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: 'integer', minimum: 1, example: 2 })
  quantity!: number;

  @ApiProperty({ type: String, nullable: true, description: 'As it was asked for; null: anywhere.', example: 'S1' })
  locationId!: string | null;

  @ApiProperty({ type: [AllocationResponse], description: 'Where the units are, by location id.' })
  allocations!: AllocationResponse[];
}

@ApiSchema({ description: 'Units set aside for one shopper, and what became of them.' })
export class ReservationResponse {
  @ApiProperty({
    description: 'Made by the server, in the order of time.',
    example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11',
  })
  id!: string;

  @ApiProperty({ enum: RESERVATION_STATUSES, description: 'True at this instant.', example: 'ACTIVE' })
  status!: ReservationStatus;

  @ApiProperty({ type: [ReservationLineResponse], description: 'In the order in which they were asked for.' })
  lines!: ReservationLineResponse[];

  @ApiProperty({ type: String, nullable: true, example: 'cart-17' })
  cartId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Set by confirm.', example: null })
  orderId!: string | null;

  @ApiProperty({
    format: 'date-time',
    description: 'From this very instant an ACTIVE reservation is over.',
    example: '2026-11-22T09:15:00.000Z',
  })
  expiresAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Rises by one with every change.', example: 1 })
  version!: number;
}

export class ReservationPage extends PageResponse {
  @ApiProperty({ type: [ReservationResponse] })
  items!: ReservationResponse[];
}

export function toReservationResponse(view: ReservationView): ReservationResponse {
  const { id, status, lines, cartId, orderId, version } = view;
  return {
    id,
    status,
    lines: lines as ReservationLineResponse[],
    cartId,
    orderId,
    expiresAt: toIsoInstant(view.expiresAt),
    createdAt: toIsoInstant(view.createdAt),
    updatedAt: toIsoInstant(view.updatedAt),
    version,
  };
}
