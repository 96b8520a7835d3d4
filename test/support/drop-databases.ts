import pg from 'pg';
import { POSTGRES_TEST_URL, postgresIsThere, testDatabasePrefix } from './services.ts';

/** Jest's `globalTeardown`: drops the databases that this run's suites have used one after the other, and the roles. */
export default async function dropDatabases(): Promise<void> {
  if (!(await postgresIsThere())) return;
  const client = new pg.Client({ connectionString: POSTGRES_TEST_URL });
  await client.connect();
  try {
    const ours = 'SELECT datname FROM pg_database WHERE starts_with(datname, $1)';
    const { rows } = await client.query<{ datname: string }>(ours, [testDatabasePrefix()]);
    for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    const roles = 'SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)';
    const made = await client.query<{ rolname: string }>(roles, [testDatabasePrefix()]);
    for (const { rolname } of made.rows) await client.query(`DROP ROLE IF EXISTS ${rolname}`);
  } finally {
    await client.end();
  }
}
