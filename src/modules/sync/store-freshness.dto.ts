import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { FRESHNESS_STATUSES, type FreshnessStatus, type FreshnessView } from '../inventory/contract.ts';

/** As inventory says it of its stock items. Its classes of fields are its own, so these are told once more. */
@ApiSchema({ description: 'How much the centre knows of the stock of a store at this instant.' })
export class StoreFreshnessResponse {
  @ApiProperty({
    enum: FRESHNESS_STATUSES,
    description: 'DIRECT: it never pushed. LIVE, STALE, SILENT: how long it has not been heard from, by its policy.',
    example: 'LIVE',
  })
  status!: FreshnessStatus;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'The last of its events that is part of its stock; null: DIRECT.',
    example: 42,
  })
  lastSequence!: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When its newest event was received; null: none so far.',
    example: '2026-11-22T09:00:00.000Z',
  })
  asOf!: string | null;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    nullable: true,
    description: 'Whole seconds since it was last heard from; null: DIRECT.',
    example: 1,
  })
  lagSeconds!: number | null;
}

export function toStoreFreshnessResponse(freshness: FreshnessView): StoreFreshnessResponse {
  const { status, lastSequence, asOf, lagSeconds } = freshness;
  return { status, lastSequence, asOf: asOf === null ? null : toIsoInstant(asOf), lagSeconds };
}
