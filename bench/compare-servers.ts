import { measure, type Round, warmUp, type Workload } from './load.ts';
import type { BenchOptions, RowResult } from './row.ts';
import type { BenchServer } from './server-process.ts';
import { describe, summarise } from './summary.ts';

const WARM_UP_SECONDS = 4;

/** Measures one workload on two servers in turn, so that whatever else the machine does meets both alike. */
export async function compareServers(
  servers: { readonly measured: BenchServer; readonly reference: BenchServer },
  workload: Workload,
  { seconds, rounds, say }: BenchOptions,
): Promise<RowResult> {
  const sides = (['reference', 'measured'] as const).map((name) => ({
    name,
    server: servers[name],
    perSecond: 0,
    done: [] as Round[],
  }));
  for (const side of sides) side.perSecond = await warmUp(side.server, workload, WARM_UP_SECONDS);
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, server, perSecond, done } of sides) {
      done.push(await measure(server, workload, perSecond * seconds));
      say(`  ${round}/${rounds} ${name.padEnd(32)} ${describe(done.at(-1) as Round)}`);
    }
  }
  const [reference, measured] = sides;
  return summarise(measured?.done ?? [], reference?.done ?? []);
}
