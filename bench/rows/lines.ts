import { compare } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { reservationsOf } from '../stock.ts';

function perLine(lines: number, atMost: number): Row {
  return {
    id: `lines-${lines}`,
    measured: `CPU per line of creating reservations of ${lines} lines`,
    reference: 'CPU of creating reservations of one line',
    goal: { atMost },
    run: (options) =>
      onSqlite(async (server) => {
        const workloads = { measured: reservationsOf(lines), reference: reservationsOf(1) };
        const result = await compare(server, workloads, options, 'serverCpuMicros');
        return { ...result, value: result.value / lines, detail: `${result.detail}, for ${lines} times as many lines` };
      }),
  };
}

/** What is paid once for each request is shared by its lines. */
export const lines10 = perLine(10, 0.5);
export const lines100 = perLine(100, 0.3);
