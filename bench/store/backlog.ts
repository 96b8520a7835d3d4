import { measure, type Workload } from '../load.ts';
import type { BenchServer } from '../server-process.ts';
import { LOCATION, SKUS, skuOf } from '../stock.ts';
import { agentKey, NOWHERE, startAgent } from './agent-process.ts';

/** Sales at the till of the store, in turn over all skus. */
const sales: Workload = {
  name: 'sale at the till',
  path: '/sales',
  body: (n) => JSON.stringify({ sku: skuOf(n % SKUS), quantity: 1 }),
};

/** How the backlog of a store that was away went. */
export interface Drained {
  readonly events: number;
  readonly perSecond: number;
}

/** Lets the agent learn its stock, cuts it off, and sells. */
export async function sellOffline(server: BenchServer, folder: string, events: number): Promise<void> {
  const key = await agentKey(server, LOCATION);
  const connected = await startAgent(LOCATION, server.url, folder, key);
  try {
    await connected.until('it follows the centre', ({ state, settled }) => state === 'CONNECTED' && settled);
  } finally {
    await connected.stop();
  }
  const away = await startAgent(LOCATION, NOWHERE, folder, { LOG_LEVEL: 'error' });
  try {
    const { requests, failures } = await measure(away, sales, events);
    if (failures !== '') throw new Error(`The till was not served while the centre was away: ${failures}`);
    await away.until('all is recorded', ({ pendingEvents }) => pendingEvents >= requests);
  } finally {
    await away.stop();
  }
}

/** Brings the store back, and lets it tell the centre everything. @param beside runs meanwhile */
export async function drainBacklog<T>(
  server: BenchServer,
  folder: string,
  beside: () => Promise<T>,
): Promise<Drained & { readonly beside: T }> {
  const agent = await startAgent(LOCATION, server.url, folder, await agentKey(server, LOCATION));
  try {
    const { pendingEvents: events } = await agent.link();
    const startedAt = performance.now();
    const meanwhile = beside();
    meanwhile.catch(() => undefined);
    await agent.until('the centre has everything', ({ pendingEvents }) => pendingEvents === 0);
    const seconds = (performance.now() - startedAt) / 1000;
    return { events, perSecond: events / seconds, beside: await meanwhile };
  } finally {
    await agent.stop();
  }
}
