import { setTimeout as pause } from 'node:timers/promises';
import { onSqlite } from '../on-sqlite.ts';
import type { BenchOptions, Row, RowResult } from '../row.ts';
import type { BenchServer } from '../server-process.ts';
import { agentKey, type BenchAgent, startAgent } from '../store/agent-process.ts';
import { StockWatch } from '../store/stock-watch.ts';
import { withFolder } from '../with-folder.ts';
import { LOCATION, skuOf } from '../stock.ts';

/** Both processes do nothing else: a sale, its arrival, and a pause before the next. */
const PAUSE_MS = 20;
/** So many sales for each second of the run's options: a p99 needs some hundred. */
const SALES_PER_SECOND = 25;
const WARM_UP_SALES = 100;

/** How long the storefront sells what a till has just sold. */
export const tillToCentre: Row = {
  id: 'till-to-centre',
  measured: 'p99 from a sale at the till to its arrival at a storefront that follows the stock of the centre, in ms',
  reference: 'a copy every 15 minutes: 900,000 ms',
  goal: { atMost: 250 },
  run: (options) =>
    onSqlite((server) =>
      withFolder(async (folder) => {
        const agent = await startAgent(LOCATION, server.url, folder, await agentKey(server, LOCATION));
        try {
          return await sellAndWatch(server, agent, options);
        } finally {
          await agent.stop();
        }
      }),
    ),
};

async function sellAndWatch(
  server: BenchServer,
  agent: BenchAgent,
  { seconds, rounds, say }: BenchOptions,
): Promise<RowResult> {
  await agent.until('it follows the centre', ({ state, settled }) => state === 'CONNECTED' && settled);
  const watch = await StockWatch.open(server, skuOf(0), LOCATION);
  const times: number[] = [];
  try {
    const sales = WARM_UP_SALES + Math.max(200, seconds * rounds * SALES_PER_SECOND);
    for (let sale = 0; sale < sales; sale += 1) {
      const soldAt = performance.now();
      const arrivedAt = await watch.arrivalOf(await sell(agent, skuOf(0)));
      if (sale >= WARM_UP_SALES) times.push(arrivedAt - soldAt);
      await pause(PAUSE_MS);
    }
  } finally {
    watch.close();
  }
  times.sort((one, other) => one - other);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  const detail = `p50 ${at(0.5).toFixed(1)} ms, longest ${(times.at(-1) ?? Number.NaN).toFixed(1)} ms of ${times.length} sales`;
  say(`  p99 ${at(0.99).toFixed(1)} ms, ${detail}`);
  return { value: at(0.99), detail, throughput: '', cpuPerRequest: '', invalid: null };
}

/** @returns what is left on the shelf */
async function sell({ url }: BenchAgent, sku: string): Promise<number> {
  const answer = await fetch(`${url}/sales`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sku, quantity: 1 }),
  });
  if (answer.status !== 201) throw new Error(`The till was answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { stock: { onHand: number } }).stock.onHand;
}
