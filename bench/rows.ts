import type { Row } from './row.ts';
import { availability } from './rows/availability.ts';
import { cancel, confirm, movement, update } from './rows/changes.ts';
import { connections } from './rows/connections.ts';
import { createByHand } from './rows/create-by-hand.ts';
import { createLatency } from './rows/create-latency.ts';
import { createPostgres, createPostgresHot } from './rows/create-postgres.ts';
import { holdsDue } from './rows/holds-due.ts';
import { importLatency } from './rows/import-latency.ts';
import { importRows } from './rows/import-rows.ts';
import { drain, ingestion } from './rows/ingestion.ts';
import { createLarge, startLarge } from './rows/large.ts';
import { lines10, lines100 } from './rows/lines.ts';
import { memory } from './rows/memory.ts';
import { readItem } from './rows/read-item.ts';
import { reconnectLatency, reconnectRate } from './rows/reconnect.ts';
import { reservationGuarded } from './rows/reservation-guarded.ts';
import { reservationHot } from './rows/reservation-hot.ts';
import { reservationSpread } from './rows/reservation-spread.ts';
import { reservationWithFeeds } from './rows/reservation-with-feeds.ts';
import { statementsOnPostgres } from './rows/statements-postgres.ts';
import { tillToCentre } from './rows/till-to-centre.ts';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  createByHand,
  reservationSpread,
  reservationHot,
  createLarge,
  lines10,
  lines100,
  update,
  confirm,
  cancel,
  movement,
  readItem,
  createLatency,
  connections,
  reservationWithFeeds,
  reservationGuarded,
  availability,
  importRows,
  importLatency,
  holdsDue,
  ingestion,
  drain,
  tillToCentre,
  reconnectRate,
  reconnectLatency,
  createPostgres,
  createPostgresHot,
  statementsOnPostgres,
  startLarge,
  memory,
];
