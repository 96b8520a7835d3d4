// Breaks: reservation-contract-is-plain
import { readFileSync } from 'node:fs';

export interface ReservationView {
  readonly text: ReturnType<typeof readFileSync>;
}
