import { inTurn, type Side } from '../compare.ts';
import { follow } from '../follow.ts';
import { GUARDED } from '../guarded.ts';
import { asAdmin } from '../load.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { BenchOptions, Row, RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { LOCATION, spreadReservations } from '../stock.ts';
import { summarise, whole } from '../summary.ts';

const { BENCH_RELAY: _relay, ...WITHOUT_RELAY } = GUARDED;
const FEEDS = 3;
const STREAM = `/v1/sync/stores/${LOCATION}/changes/stream`;

/** What it costs those who buy that others follow: each reservation is delivered to a reaction and told to three stores. */
export const reservationWithFeeds: Row = {
  id: 'reservation-with-feeds',
  measured: `create reservation with a reaction to it and ${FEEDS} streams attached that tell each of them`,
  reference: 'the same without, on another server',
  goal: { atLeast: 0.85 },
  run: (options) =>
    onSqlite((reference) => onSqlite((measured) => compareWithFeeds(measured, reference, options)), {
      env: WITHOUT_RELAY,
    }),
};

async function compareWithFeeds(
  measured: BenchServer,
  reference: BenchServer,
  options: BenchOptions,
): Promise<RowResult> {
  const feeds = await Promise.all(Array.from({ length: FEEDS }, () => follow(asAdmin(measured), STREAM)));
  const told = (): number => feeds.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  const side = (name: string, target: BenchServer): Side => ({ name, target, workload: spreadReservations });
  const done = await inTurn(
    { reference: side('without', reference), measured: side('with relay and feeds', measured) },
    options,
    () => {
      before = told();
    },
  );
  const toldSince = told() - before;
  feeds.forEach((feed) => {
    feed.stop();
  });
  const result = summarise(done.measured, done.reference);
  const reservations = done.measured.reduce((sum, { requests }) => sum + requests, 0);
  return { ...result, detail: `${result.detail}; ${whole(toldSince / reservations)} bytes told for a reservation` };
}
