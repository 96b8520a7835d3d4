import { compareServers } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { spreadReservations } from '../stock.ts';

/** Only as long as the bench runs, and only on its own server. */
const ADMIN_KEY = 'the-first-key-of-the-bench-0123456789';

/** All that count, and none that is met: `storefront` asks with one key from one address, an operator stocks the shelves. */
const NOT_MET = '1000000000';
const LIMITS = {
  RATE_LIMIT_STOREFRONT_READS: NOT_MET,
  RATE_LIMIT_STOREFRONT_WRITES: NOT_MET,
  RATE_LIMIT_ADDRESS_READS: NOT_MET,
  RATE_LIMIT_ADDRESS_WRITES: NOT_MET,
};

/** What it costs that somebody is asked who they are, and may do only what they may. */
export const reservationGuarded: Row = {
  id: 'reservation-guarded',
  measured: 'create reservation by a storefront, with `AUTH=on` and limits',
  reference: 'the same with `AUTH=off`, on another server',
  goal: { atLeast: 0.85 },
  run: (options) =>
    onSqlite(
      (reference) =>
        onSqlite((measured) => compareServers({ measured, reference }, spreadReservations, options), {
          env: { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY, ...LIMITS },
        }),
      { env: { AUTH: 'off' } },
    ),
};
