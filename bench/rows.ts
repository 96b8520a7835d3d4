import type { Row } from './row.ts';
import { availability } from './rows/availability.ts';
import { importLatency } from './rows/import-latency.ts';
import { importRows } from './rows/import-rows.ts';
import { drain, ingestion } from './rows/ingestion.ts';
import { reconnectLatency, reconnectRate } from './rows/reconnect.ts';
import { reservationGuarded } from './rows/reservation-guarded.ts';
import { reservationHot } from './rows/reservation-hot.ts';
import { reservationSpread } from './rows/reservation-spread.ts';
import { reservationWithFeeds } from './rows/reservation-with-feeds.ts';
import { statementsOnPostgres } from './rows/statements-postgres.ts';
import { tillToCentre } from './rows/till-to-centre.ts';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  reservationSpread,
  reservationHot,
  reservationWithFeeds,
  reservationGuarded,
  availability,
  importRows,
  importLatency,
  ingestion,
  drain,
  tillToCentre,
  reconnectRate,
  reconnectLatency,
  statementsOnPostgres,
];
