import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IdField, QuantityField, TextField } from '../../shared/http/fields.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { type PickedUp, type ShelfReservation, UNITS_MAX } from './contract.ts';

export class SkuPath {
  @IdField({ description: 'The product, as the chain names it.', example: 'MUG-RED' })
  sku!: string;
}

/** What every fact about a sku has. */
class SkuFact {
  @IdField({ description: 'The product; also one that the store does not know.', example: 'MUG-RED' })
  sku!: string;

  @TextField({
    nullable: true,
    description: 'What the till wants to find it by: a receipt, a delivery.',
    example: 'T1-4711',
  })
  reference?: string | null;
}

@ApiSchema({ description: 'Units that came or went.' })
export class UnitsRequest extends SkuFact {
  @QuantityField({ min: 1, max: UNITS_MAX, description: 'Whole units.', example: 2 })
  quantity!: number;
}

@ApiSchema({ description: 'What somebody counted on the shelf.' })
export class ShelfCountRequest extends SkuFact {
  @QuantityField({ min: 0, max: UNITS_MAX, description: 'Units that are there.', example: 12 })
  counted!: number;
}

@ApiSchema({ description: 'A confirmed reservation whose customer is here.' })
export class PickupRequest {
  @IdField({
    description: 'The reservation; also one that the store has not heard of yet.',
    example: '01990000-0000-7000-8000-000000000001',
  })
  reservationId!: string;
}

@ApiSchema({ description: 'One sku on the shelf.' })
export class ShelfStockResponse {
  @ApiProperty({ description: 'The product.', example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Units on hand; below zero: more were sold than anybody knew of.',
    example: 10,
  })
  onHand!: number;

  @ApiProperty({ type: 'integer', description: 'Units of reservations that are not paid for yet.', example: 2 })
  held!: number;

  @ApiProperty({ type: 'integer', description: 'Units of reservations that wait for their customer.', example: 1 })
  committed!: number;

  @ApiProperty({
    type: 'integer',
    description: 'On hand, less what is held, committed and kept as safety stock.',
    example: 7,
  })
  available!: number;
}

@ApiSchema({ description: 'One sku on the shelf, and how much of it the centre does not know yet.' })
export class ShelfStatusResponse extends ShelfStockResponse {
  @ApiProperty({
    type: 'integer',
    description: 'Recorded facts about it that the centre has not acknowledged.',
    example: 0,
  })
  pending!: number;
}

@ApiSchema({ description: "Recorded: it is on the store's disk." })
export class RecordedResponse {
  @ApiProperty({
    description: 'Names the event, here and at the centre.',
    example: '01990000-0000-7000-8000-000000000002',
  })
  eventId!: string;

  @ApiProperty({ description: 'The shelf after it.', type: ShelfStockResponse })
  stock!: ShelfStockResponse;
}

@ApiSchema({ description: 'Units that left the shelf with the customer.' })
export class PickedUpLine {
  @ApiProperty({ description: 'The product.', example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: 'integer', description: 'Whole units.', example: 1 })
  units!: number;
}

@ApiSchema({ description: "Recorded: it is on the store's disk." })
export class PickedUpResponse {
  @ApiProperty({
    description: 'Names the event, here and at the centre.',
    example: '01990000-0000-7000-8000-000000000003',
  })
  eventId!: string;

  @ApiProperty({ description: 'The reservation.', example: '01990000-0000-7000-8000-000000000001' })
  reservationId!: string;

  @ApiProperty({
    type: [PickedUpLine],
    description:
      'What was known to wait for it here. Empty when its confirmation is still on its way, and when it was picked up before.',
  })
  lines!: PickedUpLine[];
}

@ApiSchema({ description: 'Units of one sku that a reservation has here.' })
export class ShelfReservationLine {
  @ApiProperty({ description: 'The product.', example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: 'integer', description: 'Not paid for yet.', example: 0 })
  held!: number;

  @ApiProperty({ type: 'integer', description: 'Paid for: they wait for their customer.', example: 1 })
  committed!: number;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Until when they are held, as last told; a renewal is not told. Null once they are paid for.',
    example: '2026-11-22T22:43:00.000Z',
  })
  expiresAt!: string | null;
}

@ApiSchema({ description: "A reservation that has units on this store's shelf." })
export class ShelfReservationResponse {
  @ApiProperty({ description: 'The reservation.', example: '01990000-0000-7000-8000-000000000001' })
  reservationId!: string;

  @ApiProperty({ type: [ShelfReservationLine], description: 'By sku.' })
  lines!: ShelfReservationLine[];
}

@ApiSchema({ description: 'What on this shelf is promised to somebody.' })
export class ShelfReservationsResponse {
  @ApiProperty({ type: [ShelfReservationResponse], description: 'Oldest first; at most 1,000.' })
  items!: ShelfReservationResponse[];
}

export function toPickedUpResponse({ eventId, reservationId, lines }: PickedUp): PickedUpResponse {
  return { eventId, reservationId, lines: [...lines] };
}

export function toReservationResponse({ reservationId, lines }: ShelfReservation): ShelfReservationResponse {
  return {
    reservationId,
    lines: lines.map((line) => ({
      ...line,
      expiresAt: line.expiresAt === null ? null : toIsoInstant(line.expiresAt),
    })),
  };
}
