import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IdField, IdListField } from '../../shared/http/fields.ts';
import type { AvailabilityView } from './contract.ts';
import { StockTotals } from './inventory.dto.ts';

/** Most skus of one request: a category page (DESIGN section 4). */
const SKUS_MAX = 200;

@ApiSchema({ description: 'The skus of a page.' })
export class AvailabilityRequest {
  @IdListField({
    min: 1,
    max: SKUS_MAX,
    description: 'What the page shows. A sku that is named twice is answered once.',
    example: ['MUG-RED', 'MUG-BLUE'],
  })
  skus!: string[];

  @IdField({ nullable: true, description: 'Only what is at this location; left out: everywhere.', example: null })
  locationId: string | null = null;
}

@ApiSchema({ description: 'One sku of the page.' })
export class AvailabilityItem extends StockTotals {
  @ApiProperty({ example: 'MUG-RED' })
  sku!: string;

  @ApiProperty({
    enum: [true],
    required: false,
    description: 'Only there when no such product exists; all numbers are then 0.',
  })
  unknown?: true;
}

@ApiSchema({ description: 'What there is of each sku.' })
export class AvailabilityResponse {
  @ApiProperty({
    type: [AvailabilityItem],
    description: 'One for each sku, in the order in which they were named.',
    example: [
      { sku: 'MUG-RED', onHand: 12, held: 2, committed: 1, incoming: 0, available: 9 },
      { sku: 'MUG-DELISTED', onHand: 0, held: 0, committed: 0, incoming: 0, available: 0, unknown: true },
    ],
  })
  items!: AvailabilityItem[];
}

export function toAvailabilityItem(view: AvailabilityView): AvailabilityItem {
  const { sku, onHand, held, committed, incoming, available, known } = view;
  const item = { sku, onHand, held, committed, incoming, available };
  return known ? item : { ...item, unknown: true };
}
