import { join } from 'node:path';
import { cpuSecondsOf } from '../cpu-time.ts';
import { GUARDED } from '../guarded.ts';
import { residentMegabytesOf } from '../memory.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import { type BenchServer, startServer } from '../server-process.ts';
import { loadStock } from '../stock.ts';
import { DirectPush } from '../store/direct-push.ts';
import { IngestByHand } from '../store/ingest-by-hand.ts';
import { whole } from '../summary.ts';
import { withFolder } from '../with-folder.ts';

/** As many as a call may bring; by hand, as many as one commit has. */
const BATCH_EVENTS = 1000;
/** What a run drains (issue 4, how it is judged), unless it was asked for less. */
const DRAINED_EVENTS = 100_000;
const WARM_UP_EVENTS = 10_000;
/** The largest growth that still counts as flat, in megabytes, while a log of this size is drained. */
const GROWTH_MAX_MB = 96;

/** What a part of the events took, one way or the other. */
interface Part {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** What HTTP, the order of the stream, rules and results cost on top of the bare statements. */
export const ingestion: Row = {
  id: 'ingestion',
  measured: 'sales of a store, 1,000 events a call, one call after the other, each with its number, movement and event',
  reference: 'better-sqlite3 by hand: the same rows inserted and updated, 1,000 sales a commit, `synchronous=FULL`',
  goal: { atLeast: 0.4 },
  run: (options) =>
    withFolder(async (folder) => {
      const byHand = await IngestByHand.open(join(folder, 'by-hand.sqlite'));
      const server = await startServer(`sqlite:${join(folder, 'bench.sqlite')}`, GUARDED);
      try {
        const push = await openStore(server);
        return await comparePushes(server, push, byHand, options);
      } finally {
        await server.stop();
        byHand.close();
      }
    }),
  limitSeconds: ({ importRows }) => 120 + importRows / 4_000,
};

/** What it costs to hand events over to a reaction that does nothing, with its place in the log. */
export const drain: Row = {
  id: 'drain',
  measured: `draining ${whole(DRAINED_EVENTS)} events of the log to a reaction in the process that does nothing`,
  reference: 'ingestion: the batches of 1,000 that brought these events',
  goal: { atLeast: 0.5 },
  run: (options) => withFolder((folder) => drainRounds(folder, options)),
};

/** Part by part in turn, so that the growth of the files and whatever else the machine does meets both alike. */
async function comparePushes(
  server: BenchServer,
  push: DirectPush,
  byHand: IngestByHand,
  { importRows, rounds, say }: BenchOptions,
): Promise<RowResult> {
  const events = Math.max(BATCH_EVENTS, Math.floor(Math.min(importRows, 5 * DRAINED_EVENTS) / rounds));
  const [measured, reference]: [Part[], Part[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    reference.push(takeByHand(byHand, events));
    const cpuBefore = cpuSecondsOf(server.pid);
    const perSecond = await push.push(events);
    measured.push({ perSecond, cpuMicros: ((cpuSecondsOf(server.pid) - cpuBefore) * 1e6) / events });
    say(`  ${round} ${[measured, reference].map((parts) => `${whole(parts.at(-1)?.perSecond ?? 0)}/s`).join(' of ')}`);
  }
  const rate = (parts: readonly Part[]): number => median(parts.map((part) => part.perSecond));
  const cpu = (parts: readonly Part[]): string => `${whole(median(parts.map(({ cpuMicros }) => cpuMicros)))} µs`;
  const pairs = measured.map(({ perSecond }, index) => perSecond / (reference[index]?.perSecond ?? Number.NaN));
  return {
    value: rate(measured) / rate(reference),
    detail: `${whole(events * rounds)} events; ${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)} part by part`,
    throughput: `${whole(rate(measured))}/s of ${whole(rate(reference))}/s`,
    cpuPerRequest: `${cpu(measured)} an event, reference ${cpu(reference)}`,
    invalid: null,
  };
}

function takeByHand(byHand: IngestByHand, events: number): Part {
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  for (let left = events; left > 0; left -= BATCH_EVENTS) byHand.take(Math.min(left, BATCH_EVENTS));
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    perSecond: events / ((performance.now() - startedAt) / 1000),
    cpuMicros: (user + system) / events,
  };
}

/** A new database each time: a consumer drains a log once. */
async function drainRounds(folder: string, options: BenchOptions): Promise<RowResult> {
  const rounds: { pushed: number; drained: number; grownMb: number }[] = [];
  for (let round = 1; round <= Math.min(options.rounds, 3); round += 1) {
    const one = await drainOnce(join(folder, `${round}.sqlite`), Math.min(DRAINED_EVENTS, options.importRows));
    rounds.push(one);
    options.say(
      `  ${round} pushed ${whole(one.pushed)}/s, drained ${whole(one.drained)}/s, grown by ${whole(one.grownMb)} MB`,
    );
  }
  const pairs = rounds.map(({ drained, pushed }) => drained / pushed);
  const [drained, pushed] = [median(rounds.map((one) => one.drained)), median(rounds.map((one) => one.pushed))];
  const grownMb = Math.max(...rounds.map((one) => one.grownMb));
  return {
    value: drained / pushed,
    detail: `${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)} round by round; memory grew by ${whole(grownMb)} MB at most`,
    throughput: `${whole(drained)} of ${whole(pushed)} events/s`,
    cpuPerRequest: '',
    invalid: grownMb > GROWTH_MAX_MB ? `memory grew by ${whole(grownMb)} MB` : null,
  };
}

async function drainOnce(file: string, events: number): Promise<{ pushed: number; drained: number; grownMb: number }> {
  const storing = await startServer(`sqlite:${file}`, GUARDED);
  let pushed: number;
  try {
    const push = await openStore(storing);
    pushed = await push.push(events);
  } finally {
    await storing.stop();
  }
  // Those that were there before are drained as well; they are few, and what is timed ends with the last of `events`.
  const draining = await startServer(`sqlite:${file}`, { ...GUARDED, BENCH_DRAIN: String(events) });
  try {
    const before = residentMegabytesOf(draining.pid);
    const { perSecond } = await draining.drained();
    return { pushed, drained: perSecond, grownMb: residentMegabytesOf(draining.pid) - before };
  } finally {
    await draining.stop();
  }
}

async function openStore(server: BenchServer): Promise<DirectPush> {
  await loadStock(server);
  const push = new DirectPush(server, 'BENCH-OTHER');
  await push.open();
  await push.push(WARM_UP_EVENTS);
  return push;
}
