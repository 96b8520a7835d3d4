import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BenchServer, startServer } from './server-process.ts';
import { loadStock, storefrontKey } from './stock.ts';

/**
 * Runs `work` against a stocked server on a fresh SQLite file. The file lies beside the usual one in ./data and not in
 * a temporary folder, which may be memory: what is measured is durable.
 * @param options.env settings of the server besides the defaults; with a HOLDFAST_ADMIN_KEY, the load comes from a storefront
 */
export async function onSqlite<T>(
  work: (server: BenchServer) => Promise<T>,
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  mkdirSync('data', { recursive: true });
  const folder = mkdtempSync(resolve('data', 'bench-'));
  try {
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
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
