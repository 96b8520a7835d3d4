import type { Round } from './load.ts';
import { median, type RowResult } from './row.ts';

/** Past this share of a core the load generator may be what limits, and a ratio would flatter. */
const CLIENT_BUSY_MAX = 0.95;

/** What a row compares: how many requests a second were answered, or what the server spent on one. */
export type Measure = 'perSecond' | 'serverCpuMicros';

/** Rounds of the same index ran one after the other; their ratios show how much the machine wavered. */
export function summarise(
  measured: readonly Round[],
  reference: readonly Round[],
  by: Measure = 'perSecond',
): RowResult {
  const rate = (rounds: readonly Round[]): number => median(rounds.map((round) => round.perSecond));
  const cpu = (rounds: readonly Round[]): number => median(rounds.map((round) => round.serverCpuMicros));
  const pairs = measured.map((round, index) => round[by] / (reference[index]?.[by] ?? Number.NaN));
  const compared = by === 'perSecond' ? rate : cpu;
  const failures = [...measured, ...reference].map((round) => round.failures).filter((text) => text !== '');
  const busiest = Math.max(...[...measured, ...reference].map((round) => round.clientBusy));
  return {
    value: compared(measured) / compared(reference),
    detail: `${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)} round by round${
      busiest > CLIENT_BUSY_MAX ? '; the load generator had no core to spare' : ''
    }`,
    throughput: `${whole(rate(measured))}/s of ${whole(rate(reference))}/s`,
    cpuPerRequest: `${whole(cpu(measured))} µs, reference ${whole(cpu(reference))} µs`,
    invalid: failures.length === 0 ? null : `answers other than success: ${failures.join('; ')}`,
  };
}

export function describe({ perSecond, serverCpuMicros, clientBusy, failures }: Round): string {
  const cpu = `CPU ${whole(serverCpuMicros)} µs a request, client ${(clientBusy * 100).toFixed(0)} % of a core`;
  return `${whole(perSecond).padStart(7)}/s, ${cpu}${failures === '' ? '' : `, FAILURES ${failures}`}`;
}

export function whole(value: number): string {
  return Number.isNaN(value) ? 'unknown' : Math.round(value).toLocaleString('en-GB');
}
