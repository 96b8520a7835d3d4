import { join } from 'node:path';
import { PIECE_ROWS } from '../../src/shared/rows/row-streams.ts';
import { cpuSecondsOf } from '../cpu-time.ts';
import { ByHand } from '../import/by-hand.ts';
import { type CountRow, countRow, loadLocations } from '../import/count-rows.ts';
import { upload } from '../import/upload.ts';
import { residentMegabytesOf } from '../memory.ts';
import { onSqlite } from '../on-sqlite.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { whole } from '../summary.ts';
import { withFolder } from '../with-folder.ts';

/**
 * The largest growth that still counts as flat, in megabytes. The first part of a file of a million rows fills SQLite's
 * cache and V8's heap; kept rows would come to hundreds.
 */
const GROWTH_MAX_MB = 64;

/** One part of the file, one way or the other. */
interface Part {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** What HTTP, parsing, rules, the memory of what was done and the answer cost on top of the bare inserts. */
export const importRows: Row = {
  id: 'import-rows',
  measured: 'import of counts, each at a new stock item, NDJSON over HTTP, with its events and ledger',
  reference: `better-sqlite3 by hand: the same rows of the same tables, ${PIECE_ROWS} a commit, \`synchronous=FULL\``,
  goal: { atLeast: 0.4 },
  run: (options) => onSqlite((server) => withFolder((folder) => compareParts(server, folder, options))),
  limitSeconds: ({ importRows }) => 120 + importRows / 2_500,
};

/** Part by part in turn, so that the growth of the files and whatever else the machine does meets both alike. */
async function compareParts(
  server: BenchServer,
  folder: string,
  { importRows: rows, rounds, say }: BenchOptions,
): Promise<RowResult> {
  await loadLocations(server, rows);
  const byHand = await ByHand.open(join(folder, 'by-hand.sqlite'));
  const [measured, reference]: [Part[], Part[]] = [[], []];
  const memory: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const [from, to] = [round, round + 1].map((part) => Math.round((part * rows) / rounds)) as [number, number];
      reference.push(insertByHand(byHand, from, to));
      measured.push(await uploadPart(server, from, to));
      memory.push(residentMegabytesOf(server.pid));
      const shown = [measured, reference].map((parts) => `${whole(parts.at(-1)?.perSecond ?? 0)}/s`).join(' of ');
      say(`  ${round + 1}/${rounds} rows ${whole(from)} to ${whole(to)}: ${shown}, ${whole(memory.at(-1) ?? 0)} MB`);
    }
  } finally {
    byHand.close();
  }
  return summarise(rows, measured, reference, memory);
}

function insertByHand(byHand: ByHand, from: number, to: number): Part {
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  for (let n = from; n < to; n += PIECE_ROWS) {
    byHand.insert(rowsBetween(n, Math.min(n + PIECE_ROWS, to)));
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    perSecond: (to - from) / ((performance.now() - startedAt) / 1000),
    cpuMicros: (user + system) / (to - from),
  };
}

async function uploadPart(server: BenchServer, from: number, to: number): Promise<Part> {
  const cpuBefore = cpuSecondsOf(server.pid);
  const { applied, seconds } = await upload(server, `bench-import-${from}`, rowsBetween(from, to));
  if (applied !== to - from) throw new Error(`Only ${applied} of ${to - from} rows were applied`);
  return { perSecond: applied / seconds, cpuMicros: ((cpuSecondsOf(server.pid) - cpuBefore) * 1e6) / applied };
}

function rowsBetween(from: number, to: number): CountRow[] {
  return Array.from({ length: to - from }, (_, index) => countRow(from + index));
}

function summarise(
  rows: number,
  measured: readonly Part[],
  reference: readonly Part[],
  memory: readonly number[],
): RowResult {
  const rate = (parts: readonly Part[]): number => median(parts.map(({ perSecond }) => perSecond));
  const cpu = (parts: readonly Part[]): string => `${whole(median(parts.map(({ cpuMicros }) => cpuMicros)))} µs`;
  const pairs = measured.map(({ perSecond }, index) => perSecond / (reference[index]?.perSecond ?? Number.NaN));
  const [first = Number.NaN, last = Number.NaN] = [memory[0], memory.at(-1)];
  return {
    value: rate(measured) / rate(reference),
    detail: `${whole(rows)} rows; ${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)} part by part; server ${whole(first)} MB after the first part, ${whole(last)} MB at the end`,
    throughput: `${whole(rate(measured))}/s of ${whole(rate(reference))}/s`,
    cpuPerRequest: `${cpu(measured)} a row, reference ${cpu(reference)}`,
    invalid: last - first > GROWTH_MAX_MB ? `memory grew from ${whole(first)} to ${whole(last)} MB` : null,
  };
}
