import { join } from 'node:path';
import { type BenchServer, startServer } from './server-process.ts';
import { loadStock, storefrontKey } from './stock.ts';
import { withFolder } from './with-folder.ts';

/**
 * Runs `work` against a stocked server on a fresh SQLite file.
 * @param options.env settings of the server besides the defaults; with a HOLDFAST_ADMIN_KEY, the load comes from a storefront
 */
export async function onSqlite<T>(
  work: (server: BenchServer) => Promise<T>,
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  return withFolder(async (folder) => {
    const server = await startServer(`sqlite:${join(folder, 'bench.sqlite')}`, env);
    try {
      const apiKey = env['HOLDFAST_ADMIN_KEY'];
      await loadStock({ ...server, apiKey });
      return await work(
        apiKey === undefined ? server : { ...server, apiKey: await storefrontKey({ ...server, apiKey }) },
      );
    } finally {
      await server.stop();
    }
  });
}
