import { compare } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { hotReservations, spreadReservations } from '../stock.ts';

/** All callers want the same product: a batch reads and writes its row once, so contention should cost nothing. */
export const reservationHot: Row = {
  id: 'reservation-hot',
  measured: 'the same on one hot sku',
  reference: 'spread',
  goal: { atLeast: 0.9 },
  run: (options) =>
    onSqlite((server) => compare(server, { measured: hotReservations, reference: spreadReservations }, options)),
};
