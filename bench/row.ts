/** How large a run is: the same for all rows of a run. */
export interface Sizes {
  /** Length of one measured round. */
  readonly seconds: number;
  /** Measured rounds of each workload. */
  readonly rounds: number;
  /** Rows that the import rows of the table import. */
  readonly importRows: number;
  /** Stock items of the large file, and movements in it. */
  readonly items: number;
  readonly movements: number;
  /** Holds that fall due at once. */
  readonly holds: number;
  /** Length of the load after which memory is looked at, in minutes. */
  readonly minutes: number;
}

/** How a row is run. */
export interface BenchOptions extends Sizes {
  /** Tells a person what is going on. */
  readonly say: (line: string) => void;
}

/** What a row has to reach. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** What a row found out. Texts go into the table as they are. */
export interface RowResult {
  /** The number that is compared with the goal. */
  readonly value: number;
  /** How `value` scattered, or what stands behind it. */
  readonly detail: string;
  readonly throughput: string;
  readonly cpuPerRequest: string;
  /** Why the result must not be used, such as answers that were no success; null: it is valid. */
  readonly invalid: string | null;
}

/**
 * One row of the table. A new one is a file in bench/rows and an entry in bench/rows.ts.
 * `run` starts what it needs and leaves nothing behind.
 */
export interface Row {
  /** Short, for `--only`. */
  readonly id: string;
  readonly measured: string;
  readonly reference: string;
  readonly goal: Goal;
  /** @throws Error when the machine lacks something; the row then stands in the table as not run */
  readonly run: (options: BenchOptions) => Promise<RowResult>;
  /** Past it the row is ended and stands in the table as not run; left out: as most rows. */
  readonly limitSeconds?: (sizes: Sizes) => number;
}

export function meets(value: number, goal: Goal): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** The middle one; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
