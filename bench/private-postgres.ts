import { Client } from 'pg';
import { clusterFolderOf, type PrivateCluster, withPrivateCluster } from './private-cluster.ts';
import { benchFolder } from './with-folder.ts';

const DATABASE = 'bench';

/** Every statement that a client sends, BEGIN and COMMIT included. */
const COUNTED = [
  "shared_preload_libraries = 'pg_stat_statements'",
  'pg_stat_statements.max = 20000',
  "pg_stat_statements.track = 'top'",
  'pg_stat_statements.track_utility = on',
];

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
export function withPrivatePostgres<T>(work: (postgres: PrivatePostgres) => Promise<T>): Promise<T> {
  return withPrivateCluster(clusterFolderOf(benchFolder()), COUNTED, (cluster) => withCounter(cluster, work));
}

async function withCounter<T>(cluster: PrivateCluster, work: (postgres: PrivatePostgres) => Promise<T>): Promise<T> {
  // The counter sits in another database of the cluster, so that it does not count itself.
  const counter = new Client({ connectionString: cluster.url() });
  await counter.connect();
  try {
    await counter.query('CREATE EXTENSION pg_stat_statements');
    await counter.query(`CREATE DATABASE ${DATABASE}`);
    const { rows } = await counter.query<{ server_version: string }>('SHOW server_version');
    return await work({
      databaseUrl: cluster.url(DATABASE),
      version: rows[0]?.server_version ?? 'unknown',
      programs: cluster.programs,
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
