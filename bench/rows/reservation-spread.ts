import { compare } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { emptyPosts, SKUS, spreadReservations } from '../stock.ts';

/** What durability, stock arithmetic, events and idempotency cost on top of HTTP, validation, logging and metrics. */
export const reservationSpread: Row = {
  id: 'reservation-spread',
  measured: `create reservation, 1 line, spread over ${SKUS.toLocaleString('en-GB')} skus, SQLite \`synchronous=FULL\``,
  reference: 'a POST through the same app, validation, logging and metrics whose handler does nothing',
  goal: { atLeast: 0.6 },
  run: (options) =>
    onSqlite((server) => compare(server, { measured: spreadReservations, reference: emptyPosts }, options)),
};
