import { join } from 'node:path';
import { type BenchServer, startServer } from './server-process.ts';
import { GUARDED } from './guarded.ts';
import { keyFor, loadStock } from './stock.ts';
import { withFolder } from './with-folder.ts';

/**
 * Runs `work` against a stocked server on a fresh SQLite file.
 * @param options.env settings of the server besides the defaults; with a HOLDFAST_ADMIN_KEY, the load comes from a storefront
 */
export async function onSqlite<T>(
  work: (server: BenchServer) => Promise<T>,
  { env = GUARDED }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  return withFolder((folder) => onDatabase(`sqlite:${join(folder, 'bench.sqlite')}`, work, env));
}

/** The same on a database that is there; stock that is in it already stays as it is. */
export async function onDatabase<T>(
  databaseUrl: string,
  work: (server: BenchServer) => Promise<T>,
  env: Readonly<Record<string, string>> = GUARDED,
): Promise<T> {
  const server = await startServer(databaseUrl, env);
  try {
    await loadStock(server);
    const apiKey = server.adminKey === undefined ? undefined : await keyFor(server, { role: 'storefront' });
    return await work({ ...server, apiKey });
  } finally {
    await server.stop();
  }
}
