import { CONNECTIONS, measure, type Round, warmUp } from '../load.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { BenchOptions, Row, RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { spreadReservations } from '../stock.ts';
import { describe, summarise } from '../summary.ts';

const MANY = 512;
const WARM_UP_SECONDS = 4;

/** Whether more callers than the server can serve at once make it slower for all of them. */
export const connections: Row = {
  id: 'connections-512',
  measured: `create reservation over ${MANY} connections`,
  reference: `the same over ${CONNECTIONS} connections`,
  goal: { atLeast: 0.9 },
  run: (options) => onSqlite((server) => compareCrowds(server, options)),
};

async function compareCrowds(server: BenchServer, { seconds, rounds, say }: BenchOptions): Promise<RowResult> {
  const expected = await warmUp(server, spreadReservations, WARM_UP_SECONDS);
  await measure(server, spreadReservations, expected, MANY);
  const [measured, reference]: [Round[], Round[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [done, crowd] of [
      [reference, CONNECTIONS],
      [measured, MANY],
    ] as const) {
      const one = await measure(server, spreadReservations, expected * seconds, crowd);
      done.push(one);
      say(`  ${round}/${rounds} ${String(crowd).padStart(3)} connections ${describe(one)}`);
    }
  }
  return summarise(measured, reference);
}
