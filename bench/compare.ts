import { measure, type Round, type Target, warmUp, type Workload } from './load.ts';
import type { BenchOptions, RowResult } from './row.ts';
import { describe, type Measure, summarise } from './summary.ts';

/** Long enough for the compiler of the JavaScript engine to have seen the hot path. */
const WARM_UP_SECONDS = 4;

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  readonly target: Target;
  readonly workload: Workload;
}

export interface Compared {
  readonly reference: readonly Round[];
  readonly measured: readonly Round[];
}

/**
 * Measures two sides in turn (reference, measured, reference, measured ...), so that whatever else the machine does meets
 * both alike.
 * @param warmed told when both are warm, before the first round
 */
export async function inTurn(
  sides: { readonly reference: Side; readonly measured: Side },
  { seconds, rounds, say }: BenchOptions,
  warmed?: () => void,
): Promise<Compared> {
  const done = { reference: [] as Round[], measured: [] as Round[] };
  const expected = { reference: 0, measured: 0 };
  const order = ['reference', 'measured'] as const;
  for (const which of order) {
    const { target, workload } = sides[which];
    expected[which] = await warmUp(target, workload, WARM_UP_SECONDS);
  }
  warmed?.();
  for (let round = 1; round <= rounds; round += 1) {
    for (const which of order) {
      const { name, target, workload } = sides[which];
      const result = await measure(target, workload, expected[which] * seconds);
      done[which].push(result);
      say(`  ${round}/${rounds} ${name.padEnd(32)} ${describe(result)}`);
    }
  }
  return done;
}

/** Two workloads on one server: the medians of their throughputs, or of what they cost. */
export async function compare(
  target: Target,
  { measured, reference }: { readonly measured: Workload; readonly reference: Workload },
  options: BenchOptions,
  by?: Measure,
): Promise<RowResult> {
  const side = (workload: Workload): Side => ({ name: workload.name, target, workload });
  const done = await inTurn({ reference: side(reference), measured: side(measured) }, options);
  return summarise(done.measured, done.reference, by);
}

/** One workload on two servers. */
export async function compareServers(
  { measured, reference }: { readonly measured: Target; readonly reference: Target },
  workload: Workload,
  options: BenchOptions,
): Promise<RowResult> {
  const side = (name: string, target: Target): Side => ({ name, target, workload });
  const done = await inTurn({ reference: side('reference', reference), measured: side('measured', measured) }, options);
  return summarise(done.measured, done.reference);
}
