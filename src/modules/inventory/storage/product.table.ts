import { defineTable } from '../../../shared/persistence/table.ts';
import type { ProductState } from '../domain/product.ts';

export const productsTable = defineTable<ProductState>({
  name: 'products',
  key: ['sku'],
  columns: {
    sku: 'text',
    name: 'text',
    lowStockThreshold: 'integer?',
    active: 'boolean',
    createdAt: 'integer',
    updatedAt: 'integer',
    version: 'integer',
  },
});
