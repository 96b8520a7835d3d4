import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../scripts/free-port.ts';
import { benchFolder } from './with-folder.ts';

const run = promisify(execFile);

/** The user that the Debian packages run PostgreSQL as; the server refuses to run as root. */
const POSTGRES_USER = 'postgres';
const DATABASE = 'bench';
const START_ATTEMPTS_MAX = 100;

/** A PostgreSQL cluster of our own, with statements counted; the machine's own cluster is left alone. */
export interface PrivatePostgres {
  readonly databaseUrl: string;
  readonly version: string;
  /** The folder of the server programs. */
  readonly programs: string;
  /** Statements that clients have sent to the bench database since the last reset: BEGIN and COMMIT, too. */
  statements(): Promise<StatementCount[]>;
  resetStatements(): Promise<void>;
}

export interface StatementCount {
  readonly text: string;
  readonly calls: number;
  /** Mean time of one call inside of PostgreSQL. */
  readonly millis: number;
}

/**
 * Starts a cluster with durable defaults and pg_stat_statements, and removes it after `work`.
 * @throws Error when the machine has no PostgreSQL server programs
 */
export async function withPrivatePostgres<T>(work: (postgres: PrivatePostgres) => Promise<T>): Promise<T> {
  const programs = serverPrograms();
  const { parent, prefix } = postgresFolderOf(benchFolder());
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
    writeFileSync(join(data, 'postgresql.conf'), configuration(port, folder));
    const server = spawn(...asOwner('postgres', ['-D', data]), { stdio: 'ignore', cwd: '/' });
    const ended = once(server, 'exit');
    try {
      return await withCounter(port, programs, work);
    } finally {
      await run(...asOwner('pg_ctl', ['-D', data, '-m', 'fast', '-w', 'stop']), { cwd: '/' });
      await ended;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Where clusters of a run lie. Not under the project: the postgres user may not be allowed to walk there. /var/tmp is on
 * disk, /tmp may not be.
 */
export function postgresFolderOf(folder: string): { readonly parent: string; readonly prefix: string } {
  return { parent: existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), prefix: `holdfast-${basename(folder)}-` };
}

async function withCounter<T>(
  port: number,
  programs: string,
  work: (postgres: PrivatePostgres) => Promise<T>,
): Promise<T> {
  // The counter sits in another database of the cluster, so that it does not count itself.
  const counter = await connected(port);
  try {
    await counter.query('CREATE EXTENSION pg_stat_statements');
    await counter.query(`CREATE DATABASE ${DATABASE}`);
    const { rows } = await counter.query<{ server_version: string }>('SHOW server_version');
    return await work({
      databaseUrl: `postgres://bench@127.0.0.1:${port}/${DATABASE}`,
      version: rows[0]?.server_version ?? 'unknown',
      programs,
      statements: () => countedStatements(counter),
      resetStatements: async () => {
        await counter.query('SELECT pg_stat_statements_reset()');
      },
    });
  } finally {
    await counter.end();
  }
}

/** @throws Error when the counter was full and let statements go: then the sum would be too small */
async function countedStatements(counter: Client): Promise<StatementCount[]> {
  const info = await counter.query<{ dealloc: string }>('SELECT dealloc FROM pg_stat_statements_info');
  if (info.rows[0]?.dealloc !== '0') throw new Error('pg_stat_statements was full and forgot statements');
  const { rows } = await counter.query<{ query: string; calls: string; millis: number }>(
    `SELECT query, calls, mean_exec_time AS millis FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
      WHERE datname = $1 ORDER BY calls DESC`,
    [DATABASE],
  );
  return rows.map(({ query, calls, millis }) => ({ text: query, calls: Number(calls), millis }));
}

/** Everything else stays at its default: fsync and synchronous_commit are on. */
function configuration(port: number, folder: string): string {
  return [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${folder}'`,
    "shared_preload_libraries = 'pg_stat_statements'",
    'pg_stat_statements.max = 20000',
    // Every statement that a client sends, BEGIN and COMMIT included.
    "pg_stat_statements.track = 'top'",
    'pg_stat_statements.track_utility = on',
    '',
  ].join('\n');
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

async function connected(port: number): Promise<Client> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new Client({ host: '127.0.0.1', port, user: 'bench', database: 'postgres' });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (attempt === START_ATTEMPTS_MAX) throw error;
      await setTimeout(100);
    }
  }
}
