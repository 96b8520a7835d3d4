import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../scripts/free-port.ts';

const run = promisify(execFile);

/** The user that the Debian packages run PostgreSQL as; the server refuses to run as root. */
const POSTGRES_USER = 'postgres';
const START_ATTEMPTS_MAX = 100;

/** A PostgreSQL server of our own, which may be treated badly; the machine's own is left alone. */
export interface PrivateCluster {
  readonly port: number;
  /** The folder of the server programs. */
  readonly programs: string;
  /** Of the role that may do everything. @param database default: one that is always there */
  url(database?: string): string;
  /** `pg_ctl stop -m immediate`: no checkpoint, no goodbye; the next start recovers from the log. */
  crash(): Promise<void>;
  /** After a crash. Resolves when it answers queries. */
  start(): Promise<void>;
}

/** Where a cluster lies: the name of its folder begins with the prefix. */
export interface ClusterFolder {
  readonly parent: string;
  readonly prefix: string;
}

/**
 * Where clusters of a run lie. Not under the project: the postgres user may not be allowed to walk there. /var/tmp is on
 * disk, /tmp may not be.
 */
export function clusterFolderOf(folder: string): ClusterFolder {
  return { parent: existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), prefix: `holdfast-${basename(folder)}-` };
}

/**
 * Starts a cluster with durable defaults and removes it after `work`.
 * @param settings lines of postgresql.conf besides
 * @throws Error when the machine has no PostgreSQL server programs
 */
export async function withPrivateCluster<T>(
  { parent, prefix }: ClusterFolder,
  settings: readonly string[],
  work: (cluster: PrivateCluster) => Promise<T>,
): Promise<T> {
  const programs = serverPrograms();
  const folder = mkdtempSync(join(parent, prefix));
  try {
    const owner = await ownerOf(folder);
    const asOwner = (program: string, args: string[]): [string, string[]] => {
      const path = join(programs, program);
      return owner === null ? [path, args] : ['runuser', ['-u', owner, '--', path, ...args]];
    };
    const data = join(folder, 'data');
    await run(...asOwner('initdb', ['-D', data, '--auth=trust', '-U', 'bench', '-E', 'UTF8', '--locale=C']), {
      cwd: '/',
    });
    const port = await freePort();
    writeFileSync(join(data, 'postgresql.conf'), configuration(port, folder, settings));
    const url = (database = 'postgres'): string => `postgres://bench@127.0.0.1:${port}/${database}`;
    let ended: Promise<unknown> = Promise.resolve();
    const start = async (): Promise<void> => {
      const server = spawn(...asOwner('postgres', ['-D', data]), { stdio: 'ignore', cwd: '/' });
      ended = once(server, 'exit');
      await untilItAnswers(url());
    };
    const stop = async (mode: 'fast' | 'immediate'): Promise<void> => {
      await run(...asOwner('pg_ctl', ['-D', data, '-m', mode, '-w', 'stop']), { cwd: '/' });
      await ended;
    };
    await start();
    try {
      return await work({ port, programs, url, start, crash: () => stop('immediate') });
    } finally {
      await stop('fast').catch(() => undefined);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything else stays at its default: fsync and synchronous_commit are on. */
function configuration(port: number, folder: string, settings: readonly string[]): string {
  const own = [`port = ${port}`, "listen_addresses = '127.0.0.1'", `unix_socket_directories = '${folder}'`];
  return [...own, ...settings, ''].join('\n');
}

/** Debian puts the server programs here, a folder for each major version, and not on the PATH. */
function serverPrograms(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((one, other) => Number(other) - Number(one)) : [];
  const newest = versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  if (newest === undefined) throw new Error(`no PostgreSQL server programs under ${root}`);
  return newest;
}

/** Gives the folder to the postgres user when we are root. @returns null when we are not and run PostgreSQL ourselves */
async function ownerOf(folder: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return null;
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, POSTGRES_USER])).stdout)),
  );
  chownSync(folder, uid ?? 0, gid ?? 0);
  return POSTGRES_USER;
}

async function untilItAnswers(connectionString: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new Client({ connectionString });
    try {
      await client.connect();
      await client.query('SELECT 1');
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (attempt === START_ATTEMPTS_MAX) throw error;
      await setTimeout(100);
    }
  }
}
