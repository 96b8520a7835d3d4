import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { EnumField, IdField, PageQuery, QuantityField, TextField } from '../../shared/http/fields.ts';
import type { FieldError } from '../../shared/http/http-error.ts';
import { PageResponse } from '../../shared/http/page-response.ts';
import type { CrossChecked } from '../../shared/http/validation.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { QUANTITY_MAX, TRANSFER_STATUSES, type TransferStatus, type TransferView } from './contract.ts';

export class TransferPath {
  @IdField({ description: 'As the answer to its dispatch named it.', example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11' })
  id!: string;
}

export class TransferQuery extends PageQuery {
  @EnumField(TRANSFER_STATUSES, { optional: true, description: 'Only with this status.', example: 'IN_TRANSIT' })
  status?: TransferStatus;

  @IdField({ optional: true, description: 'Only of this sku.', example: 'MUG-RED' })
  sku?: string;

  @IdField({ optional: true, description: 'Only from this location.', example: 'W1' })
  fromLocationId?: string;

  @IdField({ optional: true, description: 'Only to this location.', example: 'S1' })
  toLocationId?: string;
}

@ApiSchema({ description: 'Units to send on their way.' })
export class DispatchTransferRequest implements CrossChecked {
  @IdField({ description: 'What is sent; an inactive product may be sent, too.', example: 'MUG-RED' })
  sku!: string;

  @IdField({ description: 'Where the units leave.', example: 'W1' })
  fromLocationId!: string;

  @IdField({ description: 'Where they go; another location.', example: 'S1' })
  toLocationId!: string;

  @QuantityField({ min: 1, max: QUANTITY_MAX, description: 'How many units.', example: 4 })
  quantity!: number;

  crossCheck(): FieldError[] {
    return this.fromLocationId === this.toLocationId
      ? [{ field: 'toLocationId', message: 'must be another location than fromLocationId' }]
      : [];
  }
}

@ApiSchema({ description: 'What arrived.' })
export class ReceiveTransferRequest {
  @QuantityField({
    min: 0,
    max: QUANTITY_MAX,
    nullable: true,
    description: 'Units that arrived whole, at most those that were dispatched; left out: all of them.',
    example: 3,
  })
  quantity: number | null = null;

  @TextField({
    nullable: true,
    description: 'Why, in words; the ledger shows it at the movements.',
    example: 'One broken on the way',
  })
  reason: string | null = null;
}

@ApiSchema({ description: 'Why it does not go on.' })
export class CancelTransferRequest {
  @TextField({ nullable: true, description: 'Why, in words.', example: 'The van came back' })
  reason: string | null = null;
}

@ApiSchema({ description: 'Units of one sku on their way from one location to another, or what became of them.' })
export class TransferResponse {
  @ApiProperty({ example: '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11', description: 'The reference of its movements.' })
  id!: string;

  @ApiProperty({ example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({ example: 'W1' })
  fromLocationId!: string;

  @ApiProperty({ example: 'S1' })
  toLocationId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Units that were dispatched.', example: 4 })
  quantity!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'Units that arrived whole; null unless it is RECEIVED.',
    example: null,
  })
  received!: number | null;

  @ApiProperty({ enum: TRANSFER_STATUSES, description: 'Where the units are.', example: 'IN_TRANSIT' })
  status!: TransferStatus;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it was received as it was, or cancelled.',
    example: null,
  })
  reason!: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Rises by one with every change; the ETag.', example: 1 })
  version!: number;
}

export class TransferPage extends PageResponse {
  @ApiProperty({ type: [TransferResponse] })
  items!: TransferResponse[];
}

export function toTransferResponse(view: TransferView): TransferResponse {
  const { id, sku, fromLocationId, toLocationId, quantity, received, status, reason, version } = view;
  return {
    id,
    sku,
    fromLocationId,
    toLocationId,
    quantity,
    received,
    status,
    reason,
    createdAt: toIsoInstant(view.createdAt),
    updatedAt: toIsoInstant(view.updatedAt),
    version,
  };
}
