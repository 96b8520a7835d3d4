import { compareServers } from '../compare.ts';
import { ADMIN_KEY, LIMITS } from '../guarded.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { spreadReservations } from '../stock.ts';

/** What it costs that somebody is asked who they are, and may do only what they may. */
export const reservationGuarded: Row = {
  id: 'reservation-guarded',
  measured: 'create reservation by a storefront, with `AUTH=on`, all limits and the audit log',
  reference: 'the same with `AUTH=off` and no audit log, on another server',
  goal: { atLeast: 0.85 },
  run: (options) =>
    onSqlite(
      (reference) =>
        onSqlite((measured) => compareServers({ measured, reference }, spreadReservations, options), {
          env: { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY, ...LIMITS },
        }),
      { env: { AUTH: 'off', AUDIT: 'off' } },
    ),
};
