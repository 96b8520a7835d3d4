import { defineTable } from '../../../shared/persistence/table.ts';
import type { StockItemState } from '../domain/stock-item.ts';

/** The aggregate's state, and flags for the partial indexes that lists and gauges read. */
export interface StockItemRow extends StockItemState {
  readonly isLow: boolean;
  readonly isOut: boolean;
  readonly isNegative: boolean;
}

export const stockItemsTable = defineTable<StockItemRow>({
  name: 'stock_items',
  key: ['sku', 'locationId'],
  columns: {
    sku: 'text',
    locationId: 'text',
    onHand: 'integer',
    held: 'integer',
    committed: 'integer',
    incoming: 'integer',
    safetyStock: 'integer',
    lowStockThreshold: 'integer?',
    noHoldDueBefore: 'integer?',
    isLow: 'boolean',
    isOut: 'boolean',
    isNegative: 'boolean',
    updatedAt: 'integer',
    version: 'integer',
  },
  groups: { sku: { by: ['sku'] } },
});
