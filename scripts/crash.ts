import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clusterFolderOf, type PrivateCluster, withPrivateCluster } from '../bench/private-cluster.ts';
import { CrashLoop } from './crash/loop.ts';
import { report } from './crash/report.ts';
import { runMain, UsageError } from './run-main.ts';

const USAGE = `usage: npm run crash -- [options]

Starts servers as npm start does, sends them a mixed load, kills them with SIGKILL at random moments, starts them again, and
compares after each restart what the clients were answered with what is there: answered is there, once and as answered;
unanswered is there once or not at all, and the repeat under the same key tells which.

  --kills <n>                    how many                                                  (20)
  --engine <sqlite|postgres>     PostgreSQL is a server of its own, which is killed, too   (sqlite)
  --servers <n>                  on one database; SQLite takes 1                           (PostgreSQL: 2)
  --database <postgres://...>    an empty database to be used instead                      (none)
  --seed <n>                     draws the load and the moments; moments differ all the same
  --keep                         leaves the SQLite file when something is wrong, and says where it is
  --help

Exit codes: 0 nothing is wrong, 1 something is or the loop broke off, 2 wrong arguments.`;

interface Options {
  readonly kills: number;
  readonly engine: 'sqlite' | 'postgres';
  readonly servers: number;
  readonly database: string | null;
  readonly seed: number;
  readonly keep: boolean;
}

const SERVERS_MAX = 8;

/** @throws UsageError, and what node:util throws for unknown options */
function readOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '20' },
      engine: { type: 'string', default: 'sqlite' },
      servers: { type: 'string' },
      database: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { engine } = values;
  if (engine !== 'sqlite' && engine !== 'postgres') throw new UsageError('--engine takes sqlite or postgres');
  const servers = wholeNumber('servers', values.servers ?? (engine === 'sqlite' ? '1' : '2'), SERVERS_MAX);
  if (engine === 'sqlite' && servers > 1) throw new UsageError('a SQLite file takes one server');
  if (engine === 'sqlite' && values.database !== undefined) throw new UsageError('--database is for PostgreSQL');
  return {
    engine,
    servers,
    kills: wholeNumber('kills', values.kills, 100_000),
    seed: wholeNumber('seed', values.seed, 2 ** 31),
    database: values.database ?? null,
    keep: values.keep,
  };
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= max)) throw new UsageError(`--${name} takes a whole number 1 to ${max}`);
  return value;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const { engine, seed, kills, servers } = options;
  console.log(`Seed ${seed}: ${kills} kills on ${engine}, ${servers === 1 ? 'one server' : `${servers} servers`}`);
  return withDatabase(options, async (databaseUrl, cluster) => {
    const loop = new CrashLoop({ kills, seed, servers, databaseUrl, cluster, say: (text) => console.log(text) });
    await loop.run();
    console.log(report(loop));
    return loop.violations.length === 0 ? 0 : 1;
  });
}

function withDatabase(
  { engine, database, keep }: Options,
  work: (databaseUrl: string, cluster: PrivateCluster | null) => Promise<number>,
): Promise<number> {
  if (engine === 'sqlite') return withFile(keep, (url) => work(url, null));
  if (database !== null) return work(database, null);
  return withPrivateCluster(clusterFolderOf('crash'), [], (cluster) => work(cluster.url(), cluster));
}

async function withFile(keep: boolean, work: (databaseUrl: string) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
  let exitCode = 1;
  try {
    exitCode = await work(`sqlite:${join(folder, 'crash.sqlite')}`);
    return exitCode;
  } finally {
    if (keep && exitCode !== 0) console.log(`The database is in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

await runMain(main, USAGE, 'The crash loop broke off: ');
