import type { Engine } from './services.ts';
import { rowsOf } from './sql.ts';

/** Change with every use of a key, or are the program's own. */
const NOT_COMPARED = [
  'schema_migrations',
  'api_keys',
  'revoked_tokens',
  'consumer_cursors',
  'audit_chains',
  'audit_entries',
];

/** Everything that a tenant has, but for what every use of a key changes: a list of rows for each table. */
export async function rowsOfTenant(
  engine: Engine,
  databaseUrl: string,
  tenantId: string,
): Promise<Record<string, string[]>> {
  const tables =
    engine === 'sqlite'
      ? "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
      : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'";
  const found: Record<string, string[]> = {};
  for (const { name } of await rowsOf<{ name: string }>(databaseUrl, tables)) {
    if (NOT_COMPARED.includes(name)) continue;
    // That somebody with a good key got a token, or gave it back, is no change of the tenant's.
    const own = name === 'outbox_events' ? " AND type NOT LIKE 'access.token.%'" : '';
    const rows = await rowsOf(databaseUrl, `SELECT * FROM ${name} WHERE tenant_id = '${tenantId}'${own}`);
    found[name] = rows.map((row) => JSON.stringify(row)).sort();
  }
  expect(Object.keys(found).length).toBeGreaterThan(10);
  return found;
}
