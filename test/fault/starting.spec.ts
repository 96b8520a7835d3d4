import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ServerProcess } from '../support/start-process.ts';

describe('Starting the server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-start-'));

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('stops with exit code 1 and names every wrong setting', async () => {
    const server = await ServerProcess.launch({
      PORT: 'eighty',
      DATABASE_URL: 'mysql://root:hunter2@127.0.0.1/shop',
      HOLD_TTL_SECONDS: '0',
      IDEMPOTENCY_KEY_HOURS: '-1',
      LOG_LEVEL: 'loud',
    });
    const { code, output } = await server.exit();
    expect(code).toBe(1);
    for (const name of ['PORT', 'DATABASE_URL', 'HOLD_TTL_SECONDS', 'IDEMPOTENCY_KEY_HOURS', 'LOG_LEVEL']) {
      expect(output).toContain(name);
    }
    expect(output).not.toContain('hunter2');
    expect(output).not.toMatch(/\n\s+at /);
  });

  it('makes the folder of its database, prints where the API can be tried, and leaves one whole file behind', async () => {
    const file = join(folder, 'deep', 'er', 'stock.sqlite');
    const server = await ServerProcess.start({ DATABASE_URL: `sqlite:${file}` });
    const { code, output } = await server.stop();
    // No write-ahead log beside it: the file alone is the database, e.g. for whoever copies it.
    expect(readdirSync(dirname(file))).toEqual(['stock.sqlite']);
    expect([code, output]).toEqual([0, expect.stringContaining(`${server.url}/docs`)]);
  });

  it('leaves with exit code 1 and says so when its port is taken', async () => {
    const taken = await new Promise<Server>((resolve) => {
      const other = createServer().listen(0, '127.0.0.1', () => resolve(other));
    });
    const { port } = taken.address() as AddressInfo;
    const server = await ServerProcess.launch({
      DATABASE_URL: `sqlite:${join(folder, 'taken.sqlite')}`,
      PORT: String(port),
    });
    const { code, output } = await server.exit();
    taken.close();
    expect(code).toBe(1);
    expect(output).toContain('EADDRINUSE');
  });

  it('is not taken for the server that has its port, which is ready', async () => {
    const first = await ServerProcess.start({ DATABASE_URL: `sqlite:${join(folder, 'first.sqlite')}` });
    const second = ServerProcess.start({ DATABASE_URL: `sqlite:${join(folder, 'second.sqlite')}`, PORT: first.port });
    await expect(second).rejects.toThrow('EADDRINUSE');
    await first.stop();
  });

  it('leaves with exit code 1 when its database cannot be reached, and tells no password', async () => {
    const server = await ServerProcess.launch({ DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none' });
    const { code, output } = await server.exit();
    expect([code, output.includes('hunter2')]).toEqual([1, false]);
    expect(output.length).toBeGreaterThan(0);
  });
});
