import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Client } from '../support/bad-clients.ts';
import { counts, LONG } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { Api } from '../support/http.ts';
import { ShopClient, stockPath } from '../support/shop.ts';
import { ServerProcess } from '../support/start-process.ts';

const SLOW_CLIENTS = 200;
const IDLE_CONNECTIONS = counts(1_000, 10_000);
/** So long that all of them are there at the same time. */
const REQUEST_MAX_MS = counts(3_000, 30_000);
const KEEP_ALIVE_MS = counts(3_000, 30_000);
/** Behind their time-outs, Node looks for the late ones once a second; the rest is for a slow machine. */
const CUT_MAX_MS = counts(15_000, 90_000);
/** What 200 slow clients may cost, and 1,000 idle ones: a few kilobytes each, and what a process takes and keeps. */
const MEMORY_MAX_BYTES = 64 * 1024 * 1024;
const IDLE_BYTES_MAX = 20 * 1024;
const FILES_MAX = 128;

const SETTINGS = {
  AUTH: 'off',
  REQUEST_TIMEOUT_MS: String(REQUEST_MAX_MS),
  HEADERS_TIMEOUT_MS: String(REQUEST_MAX_MS),
  KEEP_ALIVE_TIMEOUT_MS: String(KEEP_ALIVE_MS),
  // These tests are about what comes through; test/flow/connection-caps.spec.ts has the caps.
  CONNECTIONS_MAX: '20000',
  CONNECTIONS_PER_ADDRESS_MAX: '20000',
};

/** Of the process, in bytes. */
function memoryOf({ pid }: ServerProcess): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

describe('A server with bad clients', () => {
  let database: FreshDatabase;
  let server: ServerProcess;
  let place: string;
  let sku: string;

  beforeAll(async () => {
    database = await freshDatabase('sqlite');
    server = await ServerProcess.start({ ...SETTINGS, DATABASE_URL: database.url });
    const shop = new ShopClient(server.api);
    place = await shop.location();
    sku = await shop.stocked({ [place]: 1_000 });
  });
  afterAll(async () => {
    await server.kill();
    await database.drop();
  });

  /** On connections of their own: the server may be about to close one that was idle for as long as the clients. */
  async function serveOthers(): Promise<void> {
    const api = new Api(server.url);
    const others = new ShopClient(api);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0 ? api.get(stockPath(sku, place)) : others.tryMove(sku, place, 'RECEIPT', 1),
      ),
    );
    api.close();
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 2 === 0 ? 200 : 201)));
  }

  it(`answers ${SLOW_CLIENTS} that send a byte a second with 408, or cuts them, and serves the others`, async () => {
    await serveOthers();
    const memory = memoryOf(server);
    const clients = await Client.openMany(server.port, SLOW_CLIENTS, (client, i) => {
      if (i % 2 === 0) {
        client.drip('GET /v1/locations HTTP/1.1\r\nHost: x\r\n\r\n');
        return;
      }
      client.send('POST /v1/reservations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
      client.send(`Idempotency-Key: slow-${i}\r\nContent-Length: 1000\r\n\r\n`);
      client.drip('{"lines": []}');
    });
    await serveOthers();
    await eventually(
      'all are answered or cut',
      () => Promise.resolve(clients.every((one) => one.isClosed)),
      CUT_MAX_MS,
    );
    const answers = clients.map(({ received }) => received);
    expect(answers.filter((text) => text !== '' && !text.startsWith('HTTP/1.1 408 '))).toEqual([]);
    expect(answers.filter((text) => text.includes('REQUEST_TIMEOUT')).length).toBeGreaterThan(SLOW_CLIENTS / 2);
    expect(memoryOf(server) - memory).toBeLessThan(MEMORY_MAX_BYTES);
    await serveOthers();
  });

  it(`serves others while ${IDLE_CONNECTIONS} connections are idle, and gets rid of these`, async () => {
    const memory = memoryOf(server);
    const clients = await Client.openMany(server.port, IDLE_CONNECTIONS, (client, i) => {
      if (i % 2 === 0) client.send('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    await serveOthers();
    const taken = memoryOf(server) - memory;
    const open = clients.filter(({ isClosed }) => !isClosed).length;
    if (LONG) expect(open).toBe(IDLE_CONNECTIONS);
    expect(taken).toBeLessThan(MEMORY_MAX_BYTES + IDLE_CONNECTIONS * IDLE_BYTES_MAX);
    await eventually('all are cut', () => Promise.resolve(clients.every(({ isClosed }) => isClosed)), CUT_MAX_MS);
    const greeted = clients.filter((_, i) => i % 2 === 0).map(({ received }) => received.slice(0, 12));
    expect(greeted.filter((status) => status !== 'HTTP/1.1 200')).toEqual([]);
    await serveOthers();
    if (LONG) process.stdout.write(`${open} idle connections took ${Math.round(taken / 1024)} kB\n`);
  });

  it('survives more connections than it may open files, answers those that it has, and takes new ones afterwards', async () => {
    const other = await freshDatabase('sqlite');
    const narrow = await ServerProcess.start({ ...SETTINGS, DATABASE_URL: other.url }, 1);
    try {
      // Not before: to load its modules it opens more at a time than it will ever need again.
      execFileSync('prlimit', ['--pid', String(narrow.pid), `--nofile=${FILES_MAX}`]);
      const clients = await Client.openMany(narrow.port, 2 * FILES_MAX);
      // On the connection that its first requests have opened.
      expect((await narrow.api.get('/health/live')).status).toBe(200);
      expect((await new ShopClient(narrow.api).location()).length).toBeGreaterThan(0);
      clients.forEach((client) => {
        client.close();
      });
      await eventually('a new connection is served', async () => {
        const client = await Client.open(narrow.port);
        client.send('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        await eventually('it is answered', () => Promise.resolve(client.isClosed), REQUEST_MAX_MS);
        return client.received.startsWith('HTTP/1.1 200');
      });
    } finally {
      await narrow.kill();
      await other.drop();
    }
  });
});
