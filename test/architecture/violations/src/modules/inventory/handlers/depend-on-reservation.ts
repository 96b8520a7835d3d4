// Breaks: inventory-imports-along-the-table
import type { ReservationView } from '../../reservation/contract.ts';

export type Borrowed = ReservationView;
