import { whileImporting } from '../import/in-background.ts';
import { loadLocations } from '../import/count-rows.ts';
import { type Latency, measureLatency } from '../latency.ts';
import { onSqlite } from '../on-sqlite.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { spreadReservations } from '../stock.ts';
import { whole } from '../summary.ts';

/** Stock items that the file in the background is about; counted again and again. */
const DIFFERENT_ROWS = 100_000;
/** Compiles the hot path and fills the caches. */
const WARM_UP_SECONDS = 5;

/** Whether somebody who puts a mug into a cart feels that a store's stock is being imported. */
export const importLatency: Row = {
  id: 'import-latency',
  measured: 'p99 of creating reservations at 100/s while an import runs',
  reference: 'the same without the import',
  goal: { atMost: 3 },
  run: (options) => onSqlite((server) => compareLatencies(server, options)),
};

async function compareLatencies(server: BenchServer, { seconds, rounds, say }: BenchOptions): Promise<RowResult> {
  const measure = (): Promise<Latency> => measureLatency(server, spreadReservations, seconds);
  await loadLocations(server, DIFFERENT_ROWS);
  await measureLatency(server, spreadReservations, WARM_UP_SECONDS);
  await whileImporting(server, DIFFERENT_ROWS, () => measureLatency(server, spreadReservations, WARM_UP_SECONDS));
  const [idle, busy]: [Latency[], Latency[]] = [[], []];
  const rowsPerSecond: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    idle.push(await measure());
    const { result, uploaded } = await whileImporting(server, DIFFERENT_ROWS, measure);
    busy.push(result);
    rowsPerSecond.push(uploaded.rows / uploaded.seconds);
    say(`  ${round}/${rounds} idle ${describe(idle.at(-1))}, importing ${describe(result)}`);
  }
  return summarise(idle, busy, rowsPerSecond);
}

function summarise(idle: readonly Latency[], busy: readonly Latency[], rowsPerSecond: readonly number[]): RowResult {
  const p99 = (rounds: readonly Latency[]): number => median(rounds.map((round) => round.p99));
  const pairs = busy.map((round, index) => round.p99 / (idle[index]?.p99 ?? Number.NaN));
  const failures = [...idle, ...busy].reduce((sum, round) => sum + round.failures, 0);
  return {
    value: p99(busy) / p99(idle),
    detail: `p99 ${p99(busy).toFixed(1)} ms, idle ${p99(idle).toFixed(1)} ms; ${Math.min(...pairs).toFixed(1)} to ${Math.max(...pairs).toFixed(1)} round by round`,
    throughput: `${whole(median(rowsPerSecond))} rows/s meanwhile`,
    cpuPerRequest: '',
    invalid: failures === 0 ? null : `${failures} reservations failed`,
  };
}

function describe(latency: Latency | undefined): string {
  const { p50 = Number.NaN, p99 = Number.NaN, requests = 0 } = latency ?? {};
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${requests}`;
}
