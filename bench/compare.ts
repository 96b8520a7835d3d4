import { measure, type Round, type Target, warmUp, type Workload } from './load.ts';
import type { BenchOptions, RowResult } from './row.ts';
import { describe, type Measure, summarise } from './summary.ts';

/** Long enough for the compiler of the JavaScript engine to have seen the hot path. */
const WARM_UP_SECONDS = 4;

/**
 * Measures two workloads on one server in turn (reference, measured, reference, measured ...), so that whatever else
 * the machine does meets both alike, and compares the medians of their throughputs, or of what they cost.
 */
export async function compare(
  target: Target,
  workloads: { readonly measured: Workload; readonly reference: Workload },
  { seconds, rounds, say }: BenchOptions,
  by?: Measure,
): Promise<RowResult> {
  const { measured, reference } = workloads;
  const expected = new Map<Workload, number>();
  for (const workload of [reference, measured]) {
    expected.set(workload, await warmUp(target, workload, WARM_UP_SECONDS));
  }
  const done = new Map<Workload, Round[]>([
    [reference, []],
    [measured, []],
  ]);
  for (let round = 1; round <= rounds; round += 1) {
    for (const workload of [reference, measured]) {
      const result = await measure(target, workload, (expected.get(workload) ?? 0) * seconds);
      done.get(workload)?.push(result);
      say(`  ${round}/${rounds} ${workload.name.padEnd(32)} ${describe(result)}`);
    }
  }
  return summarise(done.get(measured) ?? [], done.get(reference) ?? [], by);
}
