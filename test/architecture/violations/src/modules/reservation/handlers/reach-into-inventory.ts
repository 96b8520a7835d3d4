// Breaks: reservation-imports-only-contracts
import { table } from '../../inventory/storage/inventory.table.ts';

export const stolen = table;
