import { defineTable } from '../../../shared/persistence/table.ts';
import type { ShelfHold, ShelfItemState } from '../domain/shelf-item.ts';

export const shelfItemsTable = defineTable<ShelfItemState>({
  name: 'shelf_items',
  key: ['sku'],
  columns: {
    sku: 'text',
    onHand: 'integer',
    held: 'integer',
    committed: 'integer',
    safetyStock: 'integer',
    centralVersion: 'integer',
    round: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});

export const shelfHoldsTable = defineTable<ShelfHold>({
  name: 'shelf_holds',
  key: ['sku', 'holdId'],
  columns: {
    sku: 'text',
    holdId: 'text',
    held: 'integer',
    committed: 'integer',
    taken: 'integer',
    expiresAt: 'integer?',
    updatedAt: 'integer',
    version: 'integer',
  },
  groups: { hold: { by: ['holdId'] }, sku: { by: ['sku'] } },
});
