import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Target } from '../load.ts';
import { keyFor } from '../stock.ts';
import { freePort } from '../../scripts/free-port.ts';

/** Migrations and a cold start on a busy machine. */
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 15_000;
/** Pause between two looks at the agent's health. */
const LOOK_MS = 10;
/** An address at which nobody answers. */
export const NOWHERE = 'http://127.0.0.1:1';

/** What the agent says of its link. */
interface LinkHealth {
  readonly state: string;
  readonly settled: boolean;
  readonly pendingEvents: number;
}

/** The agent of a store, in a process of its own, as `npm run store` runs it. */
export interface BenchAgent extends Target {
  link(): Promise<LinkHealth>;
  /** Waits until this is so, however long that takes, but for a minute without any change. */
  until(what: string, isSo: (link: LinkHealth) => boolean): Promise<LinkHealth>;
  stop(): Promise<void>;
}

/** What the agent of this location needs to be let in. */
export async function agentKey(target: Target, locationId: string): Promise<Readonly<Record<string, string>>> {
  return target.adminKey === undefined ? {} : { STORE_API_KEY: await keyFor(target, { role: 'store', locationId }) };
}

/** @param folder its data; another start goes on with them @param more of its environment */
export async function startAgent(
  locationId: string,
  central: string,
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Promise<BenchAgent> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = fileURLToPath(new URL('../../src/store.js', import.meta.url));
  const args = ['--location', locationId, '--central', central, '--port', String(port), '--data', folder];
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
  const ended = once(child, 'exit');
  const link = async (): Promise<LinkHealth> => {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(STOP_MAX_MS) });
    return ((await answer.json()) as { link: LinkHealth }).link;
  };
  const agent: BenchAgent = {
    url,
    pid: child.pid ?? 0,
    link,
    until: (what, isSo) => waitFor(what, link, isSo),
    stop: async () => {
      child.kill('SIGTERM');
      const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
      await ended;
      clearTimeout(lastResort);
    },
  };
  try {
    await waitFor(
      'the agent answers',
      () => link().catch(() => null),
      (answer) => answer !== null,
    );
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`The agent did not start: ${complaints.join('').slice(0, 2000)}`, { cause: error });
  }
  return agent;
}

async function waitFor<T>(what: string, look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  let [before, changedAt] = ['', performance.now()];
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    const now = JSON.stringify(seen);
    if (now !== before) [before, changedAt] = [now, performance.now()];
    if (performance.now() - changedAt > START_MAX_MS) throw new Error(`Not so after a minute: ${what}; it is ${now}`);
    await pause(LOOK_MS);
  }
}
