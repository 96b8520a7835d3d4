import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { QuantityField } from '../../shared/http/fields.ts';
import type { FieldError } from '../../shared/http/http-error.ts';
import type { CrossChecked } from '../../shared/http/validation.ts';
import { toIsoInstant } from '../../shared/kernel/clock.ts';
import { DEFAULT_FRESHNESS_POLICY, type FreshnessPolicy } from '../inventory/contract.ts';
import type { StorePolicyView } from './contract.ts';

/** Thirty days: whatever is out of hearing for longer is not a store any more. */
const AFTER_SECONDS_MAX = 2_592_000;
const PERCENT_MAX = 100;
const { staleAfterSeconds: STALE_DEFAULT, silentAfterSeconds: SILENT_DEFAULT } = DEFAULT_FRESHNESS_POLICY;

@ApiSchema({ description: 'How long a store may be out of hearing, and how carefully its stock is sold then.' })
export class StorePolicyRequest implements CrossChecked {
  @QuantityField({
    min: 1,
    max: AFTER_SECONDS_MAX,
    optional: true,
    description: `Seconds without a call of the store after which its stock is STALE. Left out: ${STALE_DEFAULT}, or \`silentAfterSeconds\` if that is less.`,
    example: 60,
  })
  staleAfterSeconds?: number;

  @QuantityField({
    min: 1,
    max: AFTER_SECONDS_MAX,
    optional: true,
    description: `Seconds after which it is SILENT, at least \`staleAfterSeconds\`. Left out: ${SILENT_DEFAULT}, or \`staleAfterSeconds\` if that is more.`,
    example: 900,
  })
  silentAfterSeconds?: number;

  @QuantityField({
    min: 0,
    max: PERCENT_MAX,
    optional: true,
    description:
      'Percent of on-hand that are not available while it is STALE: ceil(max(0, onHand) × percent / 100) units of each item.',
    example: 20,
  })
  staleCautionPercent: number = DEFAULT_FRESHNESS_POLICY.staleCautionPercent;

  @QuantityField({
    min: 0,
    max: PERCENT_MAX,
    optional: true,
    description: 'The same while it is SILENT.',
    example: 50,
  })
  silentCautionPercent: number = DEFAULT_FRESHNESS_POLICY.silentCautionPercent;

  crossCheck(): FieldError[] {
    const { staleAfterSeconds, silentAfterSeconds } = this;
    return staleAfterSeconds !== undefined && silentAfterSeconds !== undefined && silentAfterSeconds < staleAfterSeconds
      ? [{ field: 'silentAfterSeconds', message: `must be at least staleAfterSeconds, which is ${staleAfterSeconds}` }]
      : [];
  }
}

@ApiSchema({ description: 'What was ordered for a store, or holds without an order.' })
export class StorePolicyResponse {
  @ApiProperty({ example: 'S1' })
  locationId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Without a call for so long: STALE.', example: 60 })
  staleAfterSeconds!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Without a call for so long: SILENT.', example: 900 })
  silentAfterSeconds!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: PERCENT_MAX,
    description: 'Percent of on-hand that are not available while it is STALE.',
    example: 20,
  })
  staleCautionPercent!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: PERCENT_MAX,
    description: 'The same while it is SILENT.',
    example: 50,
  })
  silentCautionPercent!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Rises by one with every change; 0 before the first order. The ETag.',
    example: 1,
  })
  version!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string | null;
}

/** What is left out gives way to what is given. */
export function toFreshnessPolicy(request: StorePolicyRequest): FreshnessPolicy {
  const { staleCautionPercent, silentCautionPercent } = request;
  const { staleAfterSeconds = Math.min(STALE_DEFAULT, request.silentAfterSeconds ?? STALE_DEFAULT) } = request;
  const { silentAfterSeconds = Math.max(SILENT_DEFAULT, staleAfterSeconds) } = request;
  return { staleAfterSeconds, silentAfterSeconds, staleCautionPercent, silentCautionPercent };
}

export function toStorePolicyResponse(view: StorePolicyView): StorePolicyResponse {
  return { ...view, updatedAt: view.updatedAt === null ? null : toIsoInstant(view.updatedAt) };
}
