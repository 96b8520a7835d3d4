import { makeExactValidator } from 'envalid';
import { quote } from './setting-kinds.ts';

export const SQLITE_PREFIX = 'sqlite:';

export function databaseUrl(defaultValue: string, desc: string) {
  const parse = makeExactValidator<string>((given) => {
    const problem = given.startsWith(SQLITE_PREFIX) ? sqliteProblem(given) : postgresProblem(given);
    if (problem === null) return given;
    // What was given may hold a password, so it is not repeated.
    throw new Error(`${problem}; it must be sqlite:<path of a file> or postgres://<user>@<host>:<port>/<database>`);
  });
  const range = '`sqlite:<path>`, `postgres://…`, `postgresql://…`';
  return { ...parse({ default: defaultValue, desc }), unit: '', range, initial: defaultValue };
}

/** Left out, there is none. Like DATABASE_URL it may hold a password, so that it is not repeated. */
export function postgresUrl(desc: string) {
  const parse = makeExactValidator<string>((given) => {
    const problem = given.startsWith(SQLITE_PREFIX) ? 'is for PostgreSQL' : postgresProblem(given);
    if (problem === null) return given;
    throw new Error(`${problem}; it must be postgres://<user>@<host>:<port>/<database>`);
  });
  return { ...parse({ default: undefined, desc }), unit: '', range: '`postgres://…`, `postgresql://…`', initial: null };
}

/** Two roles of one database: another one would be migrated in vain. */
export function migrationUrlProblem(databaseUrl: string, migrationUrl: string | undefined): string | null {
  if (migrationUrl === undefined) return null;
  if (databaseUrl.startsWith(SQLITE_PREFIX)) return 'DATABASE_MIGRATION_URL is for PostgreSQL; DATABASE_URL is not';
  if (new URL(databaseUrl).pathname === new URL(migrationUrl).pathname) return null;
  return 'DATABASE_MIGRATION_URL names another database than DATABASE_URL';
}

/** A name that PostgreSQL takes without quotes, at most as long as it keeps. */
export function roleName(defaultValue: string, desc: string) {
  const range = 'a-z, 0-9, _; at most 63';
  const parse = makeExactValidator<string>((given) => {
    if (/^[a-z_][a-z0-9_]{0,62}$/.test(given) && !given.startsWith('pg_')) return given;
    throw new Error(`is ${quote(given)}; it must be the name of a role (${range}, not pg_…)`);
  });
  return { ...parse({ default: defaultValue, desc }), unit: '', range, initial: defaultValue };
}

function sqliteProblem(given: string): string | null {
  const path = given.slice(SQLITE_PREFIX.length);
  if (path === '' || path.endsWith('/') || path.includes('\0')) return 'names no file';
  // Writer and reader are two connections, and a database in memory is seen by one only.
  if (path.startsWith(':memory:')) return 'asks for a database in memory, which only one connection could see';
  if (path.startsWith('//')) return 'starts with sqlite://, where the path would not be what it looks like';
  return null;
}

function postgresProblem(given: string): string | null {
  if (!/^postgres(ql)?:\/\//.test(given)) return 'starts with neither sqlite: nor postgres://';
  try {
    const { username, password, pathname } = new URL(given);
    // The driver decodes these; a bare % would only be found out when it connects.
    [username, password, pathname].forEach(decodeURIComponent);
    return pathname.length > 1 ? null : 'names no database';
  } catch {
    return 'is not a valid address (characters such as % @ / : in a user or password are written percent-encoded)';
  }
}
