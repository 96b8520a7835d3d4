import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { DrainReport } from './drain.ts';
import type { Target } from './load.ts';

/** Migrations and a cold start on a busy machine. */
const START_MAX_MS = 60_000;
/** Past this a server that was asked to stop is ended. */
const STOP_MAX_MS = 15_000;

/** What `npm start` gives to Node.js besides. */
const SERVER_ARGUMENTS = ['--max-semi-space-size=64'];

/** A server of its own process, production build, with logs and metrics as in production. */
export interface BenchServer extends Target {
  /** Waits until a server that was started with BENCH_DRAIN has handed that many events over. */
  drained(): Promise<DrainReport['drained']>;
  stop(): Promise<void>;
}

/**
 * Starts bench/server.ts. Its log lines, at the default level, are written like in production, only to /dev/null, so
 * that the disk of the log does not mix with the disk of the database.
 *
 * @param databaseUrl as in the setting DATABASE_URL
 * @param more of its environment
 * @throws Error with what the server said when it does not come up
 */
export async function startServer(
  databaseUrl: string,
  more: Readonly<Record<string, string>> = {},
): Promise<BenchServer> {
  const server = await startProgram('./server.js', {
    DATABASE_URL: databaseUrl,
    HOST: '127.0.0.1',
    PORT: '0',
    ...more,
  });
  return { ...server, adminKey: more['HOLDFAST_ADMIN_KEY'] };
}

/** Starts the reference that creates reservations by hand, on a fresh file. */
export function startByHand(file: string): Promise<BenchServer> {
  return startProgram('./by-hand/server.js', { BENCH_FILE: file });
}

async function startProgram(program: string, env: Readonly<Record<string, string>>): Promise<BenchServer> {
  const log = openSync('/dev/null', 'w');
  const child = fork(new URL(program, import.meta.url), {
    // Nothing of the caller's own settings: two runs on one machine measure the same server.
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    execArgv: [...process.execArgv, ...SERVER_ARGUMENTS],
    stdio: ['ignore', log, 'pipe', 'ipc'],
  });
  closeSync(log);
  const complaints: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
  const drained = drainOf(child);
  try {
    const url = await addressOf(child);
    return { url, pid: child.pid ?? 0, stop: () => stop(child), drained: () => drained };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`The server did not start: ${complaints.join('').slice(0, 2000)}`, { cause: error });
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  const signal = AbortSignal.timeout(START_MAX_MS);
  const address = new Promise<string>((tell) => {
    child.on('message', (message: Partial<{ url: string }>) => {
      if (message.url !== undefined) tell(message.url);
    });
  });
  const ended = once(child, 'exit', { signal }).then(() => Promise.reject(new Error('it ended')));
  return Promise.race([address, ended]);
}

/** It may be told before the address is: a server that has something to deliver does not wait for its port. */
function drainOf(child: ChildProcess): Promise<DrainReport['drained']> {
  return new Promise((tell) => {
    child.on('message', (message: Partial<DrainReport>) => {
      if (message.drained !== undefined) tell(message.drained);
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await ended;
  clearTimeout(lastResort);
}
