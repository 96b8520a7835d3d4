// Breaks: inventory-domain-is-pure
import { table } from '../storage/inventory.table.ts';

export const stored = table;
