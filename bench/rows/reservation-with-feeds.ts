import { follow } from '../follow.ts';
import { measure, type Round, warmUp } from '../load.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { BenchOptions, Row, RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { LOCATION, spreadReservations } from '../stock.ts';
import { describe, summarise, whole } from '../summary.ts';

const FEEDS = 3;
const STREAM = `/v1/sync/stores/${LOCATION}/changes/stream`;
const WARM_UP_SECONDS = 4;

/** What it costs those who buy that others follow: each reservation is delivered to a reaction and told to three stores. */
export const reservationWithFeeds: Row = {
  id: 'reservation-with-feeds',
  measured: `create reservation with a reaction to it and ${FEEDS} streams attached that tell each of them`,
  reference: 'the same without, on another server',
  goal: { atLeast: 0.85 },
  run: (options) =>
    onSqlite((reference) =>
      onSqlite((measured) => compareServers(measured, reference, options), { env: { BENCH_RELAY: '1' } }),
    ),
};

async function compareServers(
  measured: BenchServer,
  reference: BenchServer,
  { seconds, rounds, say }: BenchOptions,
): Promise<RowResult> {
  const feeds = await Promise.all(Array.from({ length: FEEDS }, () => follow(measured, STREAM)));
  const servers = [reference, measured];
  const perSecond = new Map<BenchServer, number>();
  const done = new Map<BenchServer, Round[]>();
  for (const server of servers) perSecond.set(server, await warmUp(server, spreadReservations, WARM_UP_SECONDS));
  const toldBefore = feeds.reduce((sum, { bytes }) => sum + bytes, 0);
  for (let round = 1; round <= rounds; round += 1) {
    for (const server of servers) {
      const result = await measure(server, spreadReservations, (perSecond.get(server) ?? 0) * seconds);
      done.set(server, [...(done.get(server) ?? []), result]);
      const name = server === measured ? 'with relay and feeds' : 'without';
      say(`  ${round}/${rounds} ${name.padEnd(32)} ${describe(result)}`);
    }
  }
  const told = feeds.reduce((sum, { bytes }) => sum + bytes, 0) - toldBefore;
  feeds.forEach((feed) => {
    feed.stop();
  });
  const result = summarise(done.get(measured) ?? [], done.get(reference) ?? []);
  const reservations = (done.get(measured) ?? []).reduce((sum, { requests }) => sum + requests, 0);
  return { ...result, detail: `${result.detail}; ${whole(told / reservations)} bytes told for a reservation` };
}
