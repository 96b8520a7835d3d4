import { ApiClient, newRunId, worldWithKey } from './api-client.ts';
import { planReplay } from './plan.ts';
import { Play } from './play.ts';
import type { Progress } from './progress.ts';
import { prove } from './proof.ts';
import { readSales } from './read-sales.ts';
import type { Outcome } from './report.ts';
import { Tally } from './tally.ts';

export interface ReplayOptions {
  readonly file: string;
  /** Where the server listens, without a path. */
  readonly url: string;
  /** Sent as X-Api-Key; null: none. */
  readonly apiKey: string | null;
  /** Units of each stock item to begin with; null: what the file sells and writes off there. */
  readonly openingUnits: number | null;
  /** Invoices in flight at once. */
  readonly concurrency: number;
  /** Null: a new one. */
  readonly runId: string | null;
}

/**
 * Reads a file of sales, sends it to the server, reads everything back.
 * @throws Error when the file cannot be read or the server does not answer; refusals are part of the outcome
 */
export async function replayFile(options: ReplayOptions, progress: Progress): Promise<Outcome> {
  const run = { id: options.runId ?? newRunId(), concurrency: options.concurrency };
  const sales = await readSales(options.file);
  const plan = planReplay(sales.rows, options.openingUnits);
  const api = new ApiClient(options.url.replace(/\/+$/, ''), worldWithKey(options.apiKey));
  const tally = new Tally();
  const play = new Play(api, tally, progress, run);

  const startedAt = performance.now();
  await play.all(plan);
  const seconds = (performance.now() - startedAt) / 1000;
  const traffic = { requests: api.requests, retries: api.retries };
  const proof = await prove(api, plan.stockItems, tally, run, progress);
  return { runId: run.id, seconds, sales, plan, tally, proof, traffic };
}
