import { defineTable } from '../../../shared/persistence/table.ts';

export const table = defineTable({ name: 'stock_items' });
