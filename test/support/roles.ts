import { randomBytes } from 'node:crypto';
import { onServer, POSTGRES_TEST_URL, postgresUrl, testDatabasePrefix } from './services.ts';

export interface DatabaseRole {
  readonly name: string;
  readonly password: string;
}

/** A name of this run's own; a role of that name goes with the run's databases. */
export function roleName(name: string): string {
  return `${testDatabasePrefix()}${process.env['JEST_WORKER_ID'] ?? 0}_${name}`;
}

/** A role that can log in. @param attributes as CREATE ROLE takes them, e.g. BYPASSRLS */
export async function makeRole(name: string, attributes = ''): Promise<DatabaseRole> {
  const role = { name: roleName(name), password: randomBytes(16).toString('hex') };
  await onServer(POSTGRES_TEST_URL, `CREATE ROLE ${role.name} LOGIN PASSWORD '${role.password}' ${attributes}`);
  return role;
}

/** The same database, as this role. */
export function urlAs(databaseUrl: string, role: DatabaseRole): string {
  return postgresUrl(new URL(databaseUrl).pathname.slice(1), role);
}
