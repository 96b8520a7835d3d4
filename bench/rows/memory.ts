import { setTimeout as pause } from 'node:timers/promises';
import { residentMegabytesOf } from '../memory.ts';
import { onSqlite } from '../on-sqlite.ts';
import { measureAtPace, type Paced } from '../pace.ts';
import { median, type BenchOptions, type Row, type RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { shortReservations, singleReads } from '../stock.ts';
import { whole } from '../summary.ts';

/** Well below what the server can do: it is to run for long, not at its limit, and the file is to stay on the disk. */
const PER_SECOND = 600;
const LOOK_MS = 500;
/** Looks of which one figure is made, so that it does not depend on whether the garbage collector has just run. */
const LOOKS = 20;
const MINUTE_MS = 60_000;

/** Whether anything is kept that nobody needs. */
export const memory: Row = {
  id: 'memory',
  measured: 'memory of the process after 10 minutes of reservations that run out, and of reads',
  reference: 'after one minute',
  goal: { atMost: 1.1 },
  run: (options) => onSqlite((server) => watch(server, options)),
  limitSeconds: ({ minutes }) => minutes * 60 + 120,
};

async function watch(server: BenchServer, { minutes, say }: BenchOptions): Promise<RowResult> {
  const seconds = minutes * 60 + (LOOKS * LOOK_MS) / 1000;
  const load = measureAtPace(server, [shortReservations, singleReads], { perSecond: PER_SECOND, seconds });
  const startedAt = performance.now();
  const until = (instantMs: number): Promise<void> => pause(startedAt + instantMs - performance.now());
  await until(MINUTE_MS);
  const first = await look(server);
  say(`  ${whole(first)} MB after a minute`);
  for (let minute = 2; minute < minutes; minute += 1) {
    await until(minute * MINUTE_MS);
    say(`  ${whole(residentMegabytesOf(server.pid))} MB after ${minute} minutes`);
  }
  await until(minutes * MINUTE_MS);
  const last = await look(server);
  return summarise(first, last, minutes, await load);
}

/** In megabytes. */
async function look({ pid }: BenchServer): Promise<number> {
  const looks: number[] = [];
  for (let n = 0; n < LOOKS; n += 1) {
    looks.push(residentMegabytesOf(pid));
    await pause(LOOK_MS);
  }
  return median(looks);
}

function summarise(first: number, last: number, minutes: number, load: Paced): RowResult {
  const failed = load.failures + load.unanswered;
  return {
    value: last / first,
    detail: `${whole(last)} MB after ${minutes} minutes, ${whole(first)} MB after one`,
    throughput: `${PER_SECOND}/s, ${whole(load.requests)} in all`,
    cpuPerRequest: '',
    invalid: failed === 0 ? null : `${failed} requests failed`,
  };
}
