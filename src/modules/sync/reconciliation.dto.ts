import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { FlagQuery, IdField } from '../../shared/http/fields.ts';
import { PageResponse } from '../../shared/http/page-response.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { MOVEMENT_TYPES, type MovementType } from '../inventory/contract.ts';
import type { Difference, ReconciliationView } from './contract.ts';

export class ReconciliationPath {
  @IdField({ description: 'The location whose store it is.', example: 'S1' })
  locationId!: string;

  @IdField({ description: 'As the answer named it.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;
}

export class ReconcileQuery {
  @FlagQuery({ optional: true, description: "The centre takes the store's word.", example: false })
  apply = false;
}

@ApiSchema({ description: 'An entry of the ledger of an item, as its own list shows it.' })
export class ExplainingMovementResponse {
  @ApiProperty({ description: 'Names it.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  movementId!: string;

  @ApiProperty({ enum: MOVEMENT_TYPES, description: 'What happened.', example: 'SALE' })
  type!: MovementType;

  @ApiProperty({ type: 'integer', description: 'Signed change of on-hand units.', example: -2 })
  delta!: number;

  @ApiProperty({ type: 'integer', description: 'On-hand units after it.', example: 10 })
  onHandAfter!: number;

  @ApiProperty({ type: String, nullable: true, description: 'As it was given.', example: null })
  reason!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'As it was given.', example: 'receipt-17' })
  reference!: string | null;

  @ApiProperty({
    format: 'date-time',
    description: 'When the centre recorded it.',
    example: '2026-11-22T09:00:00.000Z',
  })
  occurredAt!: string;

  @ApiProperty({ description: 'Of the request that recorded it.', example: 'till-4711' })
  correlationId!: string;
}

@ApiSchema({ description: 'An item of which store and centre have different units.' })
export class DifferenceResponse {
  @ApiProperty({ description: 'The item.', example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ type: 'integer', description: 'What the store has; 0 when it did not name the sku.', example: 12 })
  store!: number;

  @ApiProperty({ type: 'integer', description: 'What the centre believed that it had then.', example: 10 })
  central!: number;

  @ApiProperty({ type: 'integer', description: '`store - central`: what a correction adds.', example: 2 })
  difference!: number;

  @ApiProperty({
    type: [ExplainingMovementResponse],
    description: 'The newest entries of its ledger here; the first 1,000 differences have them.',
  })
  movements!: ExplainingMovementResponse[];

  @ApiProperty({ required: false, description: 'Why it cannot be corrected.', example: 'UNKNOWN_PRODUCT' })
  code?: string;
}

@ApiSchema({ description: 'What comparing the balances has found, without the differences themselves.' })
export class ReconciliationSummaryResponse {
  @ApiProperty({ description: 'Later ones sort behind earlier ones.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;

  @ApiProperty({ description: 'The location whose store it is.', example: 'S1' })
  locationId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'As it was sent.', example: 1 })
  epoch!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'As it was sent.', example: 42 })
  sequence!: number;

  @ApiProperty({ description: 'As it was sent.', example: '1042' })
  cursor!: string;

  @ApiProperty({ description: "Whether the centre took the store's word.", example: false })
  applied!: boolean;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'How many items differed.', example: 1 })
  differencesTotal!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Units that were left apart: of all differences, or of those that could not be corrected.',
    example: 2,
  })
  drift!: number;

  @ApiProperty({ format: 'date-time', description: 'When it was done.', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;
}

@ApiSchema({ description: 'What comparing the balances has found.' })
export class ReconciliationResponse extends ReconciliationSummaryResponse {
  @ApiProperty({ type: [DifferenceResponse], description: 'By sku; of those that are kept, the first 10,000.' })
  differences!: DifferenceResponse[];
}

export class ReconciliationPage extends PageResponse {
  @ApiProperty({ type: [ReconciliationSummaryResponse] })
  items!: ReconciliationSummaryResponse[];
}

export function toSummaryResponse(view: ReconciliationView): ReconciliationSummaryResponse {
  const { id, locationId, epoch, sequence, cursor, applied, differencesTotal, drift, createdAt } = view;
  const place = { epoch, sequence, cursor };
  return { id, locationId, ...place, applied, differencesTotal, drift, createdAt: toIsoInstant(createdAt) };
}

export function toReconciliationResponse(view: ReconciliationView): ReconciliationResponse {
  return Object.assign(toSummaryResponse(view), { differences: view.differences.map(toDifferenceResponse) });
}

function toDifferenceResponse({ movements, ...difference }: Difference): DifferenceResponse {
  return {
    ...difference,
    movements: movements.map((movement) => ({ ...movement, occurredAt: toIsoInstant(movement.occurredAt) })),
  };
}
