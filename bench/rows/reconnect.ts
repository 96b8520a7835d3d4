import { type Latency, measureLatency } from '../latency.ts';
import { onSqlite } from '../on-sqlite.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { drainBacklog, type Drained, sellOffline } from '../store/backlog.ts';
import { DirectPush } from '../store/direct-push.ts';
import { withFolder } from '../with-folder.ts';
import { spreadReservations } from '../stock.ts';
import { whole } from '../summary.ts';

/** What a busy store sells in eight hours. */
const OFFLINE_EVENTS = 50_000;
const WARM_UP_SECONDS = 4;
/** Each needs its own backlog, which takes longer to make than to drain. */
const ROUNDS_MAX = 3;

interface Reconnection {
  readonly ingestionPerSecond: number;
  readonly idle: Latency;
  /** Nothing else runs. */
  readonly alone: Drained;
  /** While reservations come in. */
  readonly busy: Drained & { readonly beside: Latency };
}

/** The sales are made one by one at a till, several times over. */
const limitSeconds = (): number => 400;

/** Whether a store that was away for a day is back soon. */
export const reconnectRate: Row = {
  id: 'reconnect',
  measured: `a store reconnects after ${whole(OFFLINE_EVENTS)} offline sales: events that its agent gets through a second`,
  reference: 'ingestion: batches of 1,000 such events sent to the centre by hand, one after the other',
  goal: { atLeast: 0.8 },
  run: (options) => reconnect(options, summariseRate),
  limitSeconds,
};

/** Whether those who buy online feel it. */
export const reconnectLatency: Row = {
  id: 'reconnect-latency',
  measured: 'p99 of creating reservations at 100/s while such a store reconnects',
  reference: 'the same without',
  goal: { atMost: 3 },
  run: (options) => reconnect(options, summariseLatency),
  limitSeconds,
};

function reconnect(options: BenchOptions, summarise: (done: readonly Reconnection[]) => RowResult): Promise<RowResult> {
  return onSqlite(async (server) => {
    const direct = new DirectPush(server, 'BENCH-OTHER');
    await direct.open();
    await measureLatency(server, spreadReservations, WARM_UP_SECONDS);
    await direct.push(10_000);
    const done: Reconnection[] = [];
    for (let round = 1; round <= Math.min(options.rounds, ROUNDS_MAX); round += 1) {
      const one = await reconnectOnce(server, direct, options);
      done.push(one);
      options.say(
        `  ${round} ingestion ${whole(one.ingestionPerSecond)}/s, drained ${whole(one.alone.perSecond)}/s, with reservations ${whole(one.busy.perSecond)}/s; p99 ${one.busy.beside.p99.toFixed(1)} ms, idle ${one.idle.p99.toFixed(1)} ms`,
      );
    }
    return summarise(done);
  });
}

async function reconnectOnce(
  server: BenchServer,
  direct: DirectPush,
  { seconds, importRows }: BenchOptions,
): Promise<Reconnection> {
  const events = Math.min(OFFLINE_EVENTS, importRows);
  const ingestionPerSecond = await direct.push(events);
  const idle = await measureLatency(server, spreadReservations, seconds);
  const alone = await withFolder(async (folder) => {
    await sellOffline(server, folder, events);
    return drainBacklog(server, folder, () => Promise.resolve());
  });
  const busy = await withFolder(async (folder) => {
    await sellOffline(server, folder, events);
    return drainBacklog(server, folder, () => measureLatency(server, spreadReservations, seconds));
  });
  return { ingestionPerSecond, idle, alone, busy };
}

function summariseRate(done: readonly Reconnection[]): RowResult {
  const ingestion = median(done.map(({ ingestionPerSecond }) => ingestionPerSecond));
  const drained = median(done.map(({ alone }) => alone.perSecond));
  const pairs = done.map(({ alone, ingestionPerSecond }) => alone.perSecond / ingestionPerSecond);
  return {
    value: drained / ingestion,
    detail: `${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)} round by round`,
    throughput: `${whole(drained)} of ${whole(ingestion)} events/s`,
    cpuPerRequest: '',
    invalid: null,
  };
}

function summariseLatency(done: readonly Reconnection[]): RowResult {
  const p99 = (latencies: readonly Latency[]): number => median(latencies.map((latency) => latency.p99));
  const [busy, idle] = [p99(done.map((one) => one.busy.beside)), p99(done.map((one) => one.idle))];
  const failures = done.reduce((sum, one) => sum + one.busy.beside.failures + one.idle.failures, 0);
  return {
    value: busy / idle,
    detail: `p99 ${busy.toFixed(1)} ms, idle ${idle.toFixed(1)} ms`,
    throughput: `${whole(median(done.map((one) => one.busy.perSecond)))} events/s meanwhile`,
    cpuPerRequest: '',
    invalid: failures === 0 ? null : `${failures} reservations failed`,
  };
}
