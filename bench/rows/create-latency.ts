import { measure, warmUp } from '../load.ts';
import { onSqlite } from '../on-sqlite.ts';
import { measureAtPace, type Paced } from '../pace.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { emptyPosts, spreadReservations } from '../stock.ts';
import { whole } from '../summary.ts';

const WARM_UP_SECONDS = 4;
/** Of the greatest throughput. */
const SHARE = 0.5;
/** A p99 needs some thousand requests. */
const ROUND_SECONDS_MIN = 3;

/** What somebody feels who is one of many, while there is still room. */
export const createLatency: Row = {
  id: 'create-latency',
  measured: `p99 of create reservation at ${SHARE * 100} % of its greatest throughput, at the instants that are due`,
  reference: 'p99 of the empty POST at the same rate',
  goal: { atMost: 3 },
  run: (options) => onSqlite((server) => comparePaces(server, options)),
};

async function comparePaces(server: BenchServer, { seconds, rounds, say }: BenchOptions): Promise<RowResult> {
  await warmUp(server, emptyPosts, WARM_UP_SECONDS);
  const expected = await warmUp(server, spreadReservations, WARM_UP_SECONDS);
  const { perSecond: greatest } = await measure(server, spreadReservations, expected * seconds);
  const pace = { perSecond: greatest * SHARE, seconds: Math.max(seconds, ROUND_SECONDS_MIN) };
  const [measured, reference]: [Paced[], Paced[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    reference.push(await measureAtPace(server, [emptyPosts], pace));
    measured.push(await measureAtPace(server, [spreadReservations], pace));
    const shown = [reference, measured].map((done) => `${done.at(-1)?.p99.toFixed(1) ?? '?'} ms`).join(', create ');
    say(`  ${round}/${rounds} at ${whole(pace.perSecond)}/s: p99 of the empty POST ${shown}`);
  }
  const p99 = (done: readonly Paced[]): number => median(done.map((one) => one.p99));
  const p50 = (done: readonly Paced[]): string => median(done.map((one) => one.p50)).toFixed(1);
  const pairs = measured.map((one, index) => one.p99 / (reference[index]?.p99 ?? Number.NaN));
  const failed = [...measured, ...reference].reduce((sum, { failures, unanswered }) => sum + failures + unanswered, 0);
  return {
    value: p99(measured) / p99(reference),
    detail: `p99 ${p99(measured).toFixed(1)} ms of ${p99(reference).toFixed(1)} ms, p50 ${p50(measured)} of ${p50(reference)} ms; ${Math.min(...pairs).toFixed(1)} to ${Math.max(...pairs).toFixed(1)} round by round`,
    throughput: `${whole(pace.perSecond)}/s of at most ${whole(greatest)}/s`,
    cpuPerRequest: '',
    invalid: failed === 0 ? null : `${failed} requests failed`,
  };
}
