import { compare } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { emptyPosts, spreadReservations } from '../stock.ts';

/** What the write path and its durability cost on top of the framework. */
export const reservationSpread: Row = {
  id: 'reservation-spread',
  measured: 'create reservation, 1 line, spread over 1,000 skus, SQLite `synchronous=FULL`',
  reference: 'a POST through the same app, validation, logging and metrics whose handler does nothing',
  goal: { atLeast: 0.7 },
  run: (options) =>
    onSqlite((server) => compare(server, { measured: spreadReservations, reference: emptyPosts }, options)),
};
