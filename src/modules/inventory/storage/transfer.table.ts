import { defineTable } from '../../../shared/persistence/table.ts';
import type { TransferState } from '../domain/transfer.ts';

export const transfersTable = defineTable<TransferState>({
  name: 'transfers',
  key: ['id'],
  columns: {
    id: 'text',
    sku: 'text',
    fromLocationId: 'text',
    toLocationId: 'text',
    quantity: 'integer',
    received: 'integer?',
    status: 'text',
    reason: 'text?',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
