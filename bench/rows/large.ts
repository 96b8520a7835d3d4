import { join } from 'node:path';
import { inTurn } from '../compare.ts';
import { GUARDED } from '../guarded.ts';
import { largeFile, spreadOverLargeFile } from '../large-file.ts';
import { onDatabase, onSqlite } from '../on-sqlite.ts';
import { type BenchOptions, median, type Row, type RowResult, type Sizes } from '../row.ts';
import { startServer } from '../server-process.ts';
import { spreadReservations } from '../stock.ts';
import { summarise, whole } from '../summary.ts';
import { withFolder } from '../with-folder.ts';

/** Making the file of a standard run takes a minute or two. */
const limitSeconds = ({ items, movements }: Sizes): number => 180 + (items + movements) / 25_000;
/** Starts of each side. */
const STARTS = 5;

/** Whether a chain that has been at it for years is served as one that has just begun. */
export const createLarge: Row = {
  id: 'create-large',
  measured: 'create reservation, spread over 1,000,000 stock items with 10,000,000 movements in the file',
  reference: 'the same with 1,000 stock items, on another server',
  goal: { atLeast: 0.8 },
  run: async (options) => {
    const file = await largeFile(options);
    return onSqlite((small) =>
      onDatabase(`sqlite:${file}`, async (large) => {
        const done = await inTurn(
          {
            reference: { name: 'small', target: small, workload: spreadReservations },
            measured: { name: 'large', target: large, workload: spreadOverLargeFile(options.items) },
          },
          options,
        );
        const result = summarise(done.measured, done.reference);
        return { ...result, detail: `${sizes(options)}; ${result.detail}` };
      }),
    );
  },
  limitSeconds,
};

/** Whether a restart takes longer the more there is. */
export const startLarge: Row = {
  id: 'start-large',
  measured: 'from the start of the process until it is ready, 1,000,000 stock items in the file',
  reference: 'the same with an empty file',
  goal: { atMost: 1.5 },
  run: async (options) => {
    const large = await largeFile(options);
    return withFolder((folder) => compareStarts(large, join(folder, 'empty.sqlite'), options));
  },
  limitSeconds,
};

async function compareStarts(large: string, empty: string, options: BenchOptions): Promise<RowResult> {
  const [measured, reference]: [number[], number[]] = [[], []];
  // The first start of each makes what a file is given once: its tables, its first key.
  await startMillis(empty);
  await startMillis(large);
  for (let start = 1; start <= STARTS; start += 1) {
    reference.push(await startMillis(empty));
    measured.push(await startMillis(large));
    const shown = [measured, reference].map((done) => whole(done.at(-1) ?? Number.NaN));
    options.say(`  ${start}/${STARTS} ready after ${shown.join(' ms, empty ')} ms`);
  }
  return {
    value: median(measured) / median(reference),
    detail: `${sizes(options)}; ${whole(median(measured))} ms, empty ${whole(median(reference))} ms`,
    throughput: '',
    cpuPerRequest: '',
    invalid: null,
  };
}

/** As a probe sees it: from the fork until /health/ready says yes. */
async function startMillis(file: string): Promise<number> {
  const startedAt = performance.now();
  const server = await startServer(`sqlite:${file}`, GUARDED);
  try {
    while (!(await fetch(`${server.url}/health/ready`)).ok);
    return performance.now() - startedAt;
  } finally {
    await server.stop();
  }
}

function sizes({ items, movements }: Sizes): string {
  return `${whole(items)} items, ${whole(movements)} movements`;
}
