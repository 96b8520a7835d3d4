import { CONNECTIONS, measure, type Round, warmUp } from '../load.ts';
import { type PrivatePostgres, type StatementCount, withPrivatePostgres } from '../private-postgres.ts';
import { type BenchOptions, median, type Row, type RowResult } from '../row.ts';
import { onDatabase } from '../on-sqlite.ts';
import type { BenchServer } from '../server-process.ts';
import { spreadReservations } from '../stock.ts';
import { describe, whole } from '../summary.ts';

const WARM_UP_SECONDS = 4;
/** Statements told one by one; the rest is in the sum. */
const STATEMENTS_SHOWN_MAX = 20;

/** How well batches share their statements: a count, so no noise of the machine is in it. */
export const statementsOnPostgres: Row = {
  id: 'statements-postgres',
  measured: `SQL statements per created reservation on PostgreSQL at ${CONNECTIONS} connections, BEGIN and COMMIT included`,
  reference: "Medusa's inventory module: 8, Vendure: 101",
  goal: { atMost: 1 },
  run: (options) =>
    withPrivatePostgres((postgres) =>
      onDatabase(postgres.databaseUrl, (server) => countStatements(server, postgres, options)),
    ),
};

async function countStatements(
  server: BenchServer,
  postgres: PrivatePostgres,
  { seconds, rounds, say }: BenchOptions,
): Promise<RowResult> {
  const expectedPerSecond = await warmUp(server, spreadReservations, WARM_UP_SECONDS);
  await postgres.resetStatements();
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const result = await measure(server, spreadReservations, expectedPerSecond * seconds);
    done.push(result);
    say(`  ${round}/${rounds} ${spreadReservations.name.padEnd(32)} ${describe(result)}`);
  }
  return summarise(done, await postgres.statements(), postgres.version, say);
}

function summarise(
  rounds: readonly Round[],
  counts: readonly StatementCount[],
  version: string,
  say: (line: string) => void,
): RowResult {
  const reservations = rounds.reduce((sum, round) => sum + round.requests, 0);
  const statements = counts.reduce((sum, { calls }) => sum + calls, 0);
  const commits = counts.filter(({ text }) => /^commit\b/i.test(text)).reduce((sum, { calls }) => sum + calls, 0);
  for (const { text, calls, millis } of counts.slice(0, STATEMENTS_SHOWN_MAX)) {
    const share = `${(calls / reservations).toFixed(3)} a reservation, ${millis.toFixed(2).padStart(6)} ms each`;
    say(`  ${share}: ${text.replace(/\s+/g, ' ').slice(0, 100)}`);
  }
  const failures = rounds.map((round) => round.failures).filter((text) => text !== '');
  return {
    value: statements / reservations,
    detail: `${whole(statements)} statements for ${whole(reservations)} reservations, ${(reservations / commits).toFixed(1)} a commit; PostgreSQL ${version}`,
    throughput: `${whole(median(rounds.map((round) => round.perSecond)))}/s`,
    cpuPerRequest: `${whole(median(rounds.map((round) => round.serverCpuMicros)))} µs`,
    invalid: failures.length === 0 ? null : `answers other than success: ${failures.join('; ')}`,
  };
}
