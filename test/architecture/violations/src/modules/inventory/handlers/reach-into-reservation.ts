// Breaks: inventory-imports-only-contracts
import { table } from '../../reservation/storage/reservation.table.ts';

export const stolen = table;
