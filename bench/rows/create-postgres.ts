import { CONNECTIONS, measure, type Round, warmUp, type Workload } from '../load.ts';
import { onDatabase } from '../on-sqlite.ts';
import { pgbenchPerSecond } from '../pgbench.ts';
import { type PrivatePostgres, withPrivatePostgres } from '../private-postgres.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import { hotReservations, SKUS, spreadReservations } from '../stock.ts';
import { describe, whole } from '../summary.ts';

const WARM_UP_SECONDS = 4;
/** The reference gets the number of connections that suits it best. */
const CONNECTIONS_OF_PGBENCH = [8, 16, 32, 64];
const PGBENCH_SECONDS_MIN = 3;

/** What sharing a commit is worth where a commit costs a round trip and a sync of its own. */
export const createPostgres = againstPgbench({
  id: 'create-postgres',
  measured: 'create reservation on PostgreSQL, spread over 1,000 skus, one process',
  skus: SKUS,
  workload: spreadReservations,
  atLeast: 2,
});

/** The same where transactions would wait for each other's row. */
export const createPostgresHot = againstPgbench({
  id: 'create-postgres-hot',
  measured: 'create reservation on PostgreSQL, one hot sku, one process',
  skus: 1,
  workload: hotReservations,
  atLeast: 5,
});

interface Comparison {
  readonly id: string;
  readonly measured: string;
  readonly skus: number;
  readonly workload: Workload;
  readonly atLeast: number;
}

function againstPgbench({ id, measured, skus, workload, atLeast }: Comparison): Row {
  return {
    id,
    measured,
    reference: `pgbench${skus === 1 ? ' on one row' : ''}: the same statements as a script, one transaction for each reservation, best of ${CONNECTIONS_OF_PGBENCH.join(', ')} connections`,
    goal: { atLeast },
    run: (options) =>
      withPrivatePostgres(async (postgres) => {
        const rounds = await measureServer(postgres, workload, options);
        // The server has stopped: it would deliver what pgbench writes, and take its time.
        return compareWithPgbench(postgres, rounds, skus, options);
      }),
  };
}

function measureServer(
  { databaseUrl }: PrivatePostgres,
  workload: Workload,
  { seconds, rounds, say }: BenchOptions,
): Promise<Round[]> {
  return onDatabase(databaseUrl, async (server) => {
    const expected = await warmUp(server, workload, WARM_UP_SECONDS);
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const one = await measure(server, workload, expected * seconds);
      done.push(one);
      say(`  ${round}/${rounds} ${workload.name.padEnd(32)} ${describe(one)}`);
    }
    return done;
  });
}

async function compareWithPgbench(
  postgres: PrivatePostgres,
  rounds: readonly Round[],
  skus: number,
  { seconds, say }: BenchOptions,
): Promise<RowResult> {
  const reference: { readonly connections: number; readonly perSecond: number }[] = [];
  for (const connections of CONNECTIONS_OF_PGBENCH) {
    const run = { connections, skus, seconds: Math.max(seconds, PGBENCH_SECONDS_MIN) };
    const perSecond = await pgbenchPerSecond(postgres, run);
    reference.push({ connections, perSecond });
    say(`  pgbench over ${String(connections).padStart(2)} connections ${whole(perSecond)}/s`);
  }
  const best = reference.reduce((one, other) => (other.perSecond > one.perSecond ? other : one));
  const perSecond = median(rounds.map((round) => round.perSecond));
  const failures = rounds.map((round) => round.failures).filter((text) => text !== '');
  return {
    value: perSecond / best.perSecond,
    detail: `${CONNECTIONS} connections, pgbench at its best with ${best.connections}: ${reference.map((one) => `${whole(one.perSecond)}/s with ${one.connections}`).join(', ')}; PostgreSQL ${postgres.version}`,
    throughput: `${whole(perSecond)}/s of ${whole(best.perSecond)}/s`,
    cpuPerRequest: `${whole(median(rounds.map((round) => round.serverCpuMicros)))} µs`,
    invalid: failures.length === 0 ? null : `answers other than success: ${failures.join('; ')}`,
  };
}
