import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { EventStreamClient, neverRead } from '../support/feeds.ts';
import { freshKey, RawBody } from '../support/http.ts';
import { ndjson, SlowImport } from '../support/importing.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { RawConnection } from '../support/raw-http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, ShopClient } from '../support/shop.ts';
import { lossesAndDoubles, OPENING_UNITS, type Sent, Shoppers } from '../support/shoppers.ts';
import { ServerProcess } from '../support/start-process.ts';

describeOnBothEngines('A server that is told to stop', (engine) => {
  let database: FreshDatabase;
  let server: ServerProcess;
  let place: string;
  let sku: string;

  beforeAll(async () => {
    database = await freshDatabase(engine, 'disk');
    server = await ServerProcess.start({ DATABASE_URL: database.url });
    const shop = new ShopClient(server.api);
    place = await shop.location();
    sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
  });

  afterAll(async () => {
    await server.kill();
    await database.drop();
  });

  it('under load loses nothing that it answered and exits with 0', async () => {
    const sent: Sent[] = [];
    const shoppers = new Shoppers(server.api, place, sku, sent);
    shoppers.start(16);
    await eventually('there is load', () => Promise.resolve(shoppers.answeredCount > 100));

    const { code, output } = await server.stop();
    await shoppers.stop();

    expect([code, output]).toEqual([0, output]);
    // A request may find the door closed, but nothing else is refused and nothing is half done.
    const closed = (one: Sent) => one.answer?.status === 503;
    expect(sent.filter((one) => one.answer !== undefined && one.answer.status >= 300 && !closed(one))).toEqual([]);
    server = await ServerProcess.start({ DATABASE_URL: database.url });
    const executed = sent.filter((one) => !closed(one));
    expect(await lossesAndDoubles(server.api, place, sku, executed)).toEqual([]);
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
  });

  it('answers what has begun, though told twice and with idle connections open, and exits with 0', async () => {
    const idle = await Promise.all(Array.from({ length: 5 }, () => RawConnection.open(server.url)));
    for (const connection of idle.slice(1)) {
      connection.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      expect((await connection.answer()).status).toBe(200);
    }
    const body = JSON.stringify({ lines: [{ sku, quantity: 2 }] });
    const begun = await RawConnection.open(server.url);
    begun.write(`${headOf(body)}${body.slice(0, 5)}`);
    // A second request, answered after the first was begun, shows that the first has arrived.
    await server.api.get('/health/live');

    server.signal('SIGINT');
    server.signal('SIGTERM');
    await eventually('nobody new is let in', () => isClosed(server.url));
    begun.write(body.slice(5));

    const answer = await begun.answer();
    expect([answer.status, answer.headers.connection]).toEqual([201, 'close']);
    expect((await server.exit()).code).toBe(0);
    for (const connection of [...idle, begun]) connection.close();
    server = await ServerProcess.start({ DATABASE_URL: database.url });
    const { id } = JSON.parse(answer.text) as { id: string };
    expect((await new ShopClient(server.api).reservation(id)).lines).toMatchObject([{ sku, quantity: 2 }]);
  });

  it('tells an import that waits for its sender where it stands, and exits with 0', async () => {
    const upload = SlowImport.open(server.url, freshKey());
    upload.write(ndjson([{ sku, locationId: place, type: 'RECEIPT', quantity: 1 }]));
    await upload.until(({ rows }) => rows.length === 1);

    server.signal('SIGTERM');
    const { rows, error } = await upload.until((results) => results.error !== undefined);
    upload.end();

    expect([rows.length, error?.code, error?.status]).toEqual([1, 'UNAVAILABLE', 503]);
    expect((await server.exit()).code).toBe(0);
    server = await ServerProcess.start({ DATABASE_URL: database.url });
  });

  it('ends those who wait for changes, who follow them, and who follow without reading, and exits with 0', async () => {
    const changes = `/v1/sync/stores/${place}/changes`;
    const stream = await EventStreamClient.open(server, `${changes}/stream`);
    const unread = neverRead(server, `${changes}/stream?after=0`);
    const many = { sku, locationId: place, type: 'RECEIPT', quantity: 1, reason: 'x'.repeat(500) };
    // More than both ends of a connection keep for each other.
    const rows = ndjson(Array<typeof many>(8_000).fill(many));
    bodyOf(await server.api.post('/v1/stock/import', new RawBody(rows, 'application/x-ndjson')));
    await stream.has(8_000);
    const waiting = server.api.get(`${changes}?waitSeconds=30&after=${stream.lastId}`);
    await eventually('all of them to be there', async () => {
      const { text } = await server.api.get('/metrics');
      return ['poll"} 1', 'changes"} 2'].every((feeds) => text.includes(`sync_open_feeds{kind="${feeds}`));
    });

    server.signal('SIGTERM');

    expect(await waiting).toMatchObject({ status: 200, body: { changes: [], cursor: stream.lastId } });
    await eventually('the end of the stream', () => Promise.resolve(stream.ended));
    expect(stream.response.complete).toBe(true);
    const { code, output } = await server.exit();
    expect([code, output]).toEqual([0, expect.not.stringContaining('not finished in time')]);
    unread.destroy();
    server = await ServerProcess.start({ DATABASE_URL: database.url });
  });
});

function headOf(body: string): string {
  return [
    'POST /v1/reservations HTTP/1.1',
    'Host: x',
    'Content-Type: application/json',
    `Idempotency-Key: ${freshKey()}`,
    `Content-Length: ${body.length}`,
    '\r\n',
  ].join('\r\n');
}

async function isClosed(url: string): Promise<boolean> {
  try {
    const connection = await RawConnection.open(url);
    connection.close();
    return false;
  } catch {
    return true;
  }
}
