import { freshKey, problemOf, RawBody } from '../support/http.ts';
import { RawConnection, sendRaw } from '../support/raw-http.ts';
import { useShop } from '../support/shop.ts';

describe('HTTP as few clients speak it', () => {
  const shop = useShop('sqlite');

  beforeAll(async () => {
    await shop.location({}, 'L');
    await shop.product({}, 'P');
    await shop.receive('P', 'L', 10);
  });

  const receipt = '{"type":"RECEIPT","quantity":1}';
  const path = '/v1/stock/P/L/movements';

  it.each(['gzip', 'deflate', 'br', 'nonsense'])(
    'refuses a body that is encoded as %s, or says so',
    async (encoding) => {
      const before = await shop.stock('P', 'L');
      const answer = await shop.api.post(path, new RawBody(receipt), { headers: { 'content-encoding': encoding } });
      problemOf(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
      expect(await shop.stock('P', 'L')).toEqual(before);
    },
  );

  it('takes a body in chunks of one byte', async () => {
    const connection = await RawConnection.open(shop.url);
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: ${freshKey()}\r\n`;
    connection.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (const byte of receipt) connection.write(`1\r\n${byte}\r\n`);
    connection.write('0\r\n\r\n');
    expect((await connection.answer()).status).toBe(201);
    connection.close();
  });

  it('lets no header at the end of a chunked body do what a header does', async () => {
    const connection = await RawConnection.open(shop.url);
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTrailer: Idempotency-Key\r\n`;
    connection.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    connection.write(`${receipt.length.toString(16)}\r\n${receipt}\r\n0\r\nIdempotency-Key: late\r\n\r\n`);
    const answer = await connection.answer();
    expect([answer.status, answer.text.includes('IDEMPOTENCY_KEY_MISSING')]).toEqual([400, true]);
    connection.close();
  });

  it('forgets a request that was cut off before its end', async () => {
    const before = await shop.stock('P', 'L');
    const connection = await RawConnection.open(shop.url);
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: cut-off\r\n`;
    connection.write(`${head}Content-Length: ${receipt.length}\r\n\r\n${receipt.slice(0, -1)}`);
    connection.close();
    const again = await shop.api.post(path, new RawBody(receipt), { key: 'cut-off' });
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect((await shop.stock('P', 'L')).onHand).toBe(before.onHand + 1);
  });

  it('executes a request whose client left before the answer, once', async () => {
    const before = await shop.stock('P', 'L');
    const connection = await RawConnection.open(shop.url);
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: left-early\r\n`;
    connection.write(`${head}Content-Length: ${receipt.length}\r\n\r\n${receipt}`);
    connection.close();
    const again = await shop.api.post(path, new RawBody(receipt), { key: 'left-early' });
    expect(again.status).toBe(201);
    expect((await shop.stock('P', 'L')).onHand).toBe(before.onHand + 1);
  });

  it('ignores or refuses a body where none belongs, and never trips over it', async () => {
    for (const [method, where] of [
      ['GET', '/v1/products/P'],
      ['HEAD', '/v1/products/P'],
      ['GET', '/health/live'],
    ] as const) {
      const answer = await shop.api.send(method, where, new RawBody('{"x":', 'application/json'));
      expect([method, where, answer.status < 500]).toEqual([method, where, true]);
    }
    const huge = new RawBody(`{"x":"${'x'.repeat(2_000_000)}"}`);
    expect((await shop.api.send('GET', '/v1/products/P', huge)).status).toBe(200);
    expect((await shop.api.get('/v1/products/P')).status).toBe(200);
  });

  it('reads ids that are percent-encoded without need', async () => {
    expect((await shop.api.get('/v1/products/%50')).status).toBe(200);
    expect((await shop.api.get('/v1/stock/%50/%4C')).status).toBe(200);
    expect((await shop.api.get('/v1/stock?skus=%50%2CQ&limit=%35')).status).toBe(200);
  });

  it.each(['?', '?&', '?limit=5&'])('takes the empty query %s', async (query) => {
    expect((await shop.api.get(`/v1/products${query}`)).status).toBe(200);
  });

  it.each([
    '?limit',
    '?=5',
    '?limit=5;cursor=x',
    '?limit=5&limit',
    '?LIMIT=5',
    '?limit%5B%5D=5',
    '?limit.x=5',
    '?%00=1',
    '?%ff=1',
    '?toString=1',
  ])('refuses the query %s', async (query) => {
    problemOf(await shop.api.get(`/v1/products${query}`), 400, 'VALIDATION_FAILED');
  });

  it('lists a sku once that is asked for twice', async () => {
    const { body } = await shop.api.get<{ items: unknown[] }>('/v1/stock?skus=P,P');
    expect(body.items).toHaveLength(1);
  });

  it('tags the totals of a sku, too', async () => {
    const { etag = '' } = (await shop.api.get('/v1/stock/P')).headers;
    expect(etag).toMatch(/^"[^"]+"$/);
    expect((await shop.api.get('/v1/stock/P', { 'if-none-match': etag })).status).toBe(304);
    await shop.receive('P', 'L', 1);
    expect((await shop.api.get('/v1/stock/P', { 'if-none-match': etag })).status).toBe(200);
  });

  it('is not confused by headers that are sent twice', async () => {
    const twice = (name: string, a: string, b: string) =>
      sendRaw(
        shop.url,
        `GET /v1/products/P HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${a}\r\n${name}: ${b}\r\n\r\n`,
      );
    expect((await twice('Accept', 'text/html', 'application/json')).status).toBe(200);
    expect((await twice('If-None-Match', '"0"', '"1"')).status).toBe(304);
    expect((await twice('X-Correlation-Id', 'a', 'b')).status).toBe(200);
    expect((await twice('Authorization', 'a', 'b')).status).toBe(200);
  });

  it('takes several If-Match headers as one list', async () => {
    const cancel = async (first: string, second: string) => {
      const { id } = await shop.reserve([{ sku: 'P', quantity: 1 }]);
      const head = `POST /v1/reservations/${id}/cancel HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n`;
      return (await sendRaw(shop.url, `${head}If-Match: ${first}\r\nIf-Match: ${second}\r\n\r\n`)).status;
    };
    expect(await cancel('"7"', '"1"')).toBe(200);
    expect(await cancel('"7"', '"8"')).toBe(412);
  });
});

describe('A request that never ends', () => {
  const shop = useShop('sqlite', { REQUEST_TIMEOUT_MS: '1000' });
  const HEAD = 'POST /v1/reservations HTTP/1.1\r\nHost: x\r\n';

  it.each([
    ['in its headers', HEAD],
    ['in its body', `${HEAD}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"lines":`],
  ])('is cut off with 408 when it stops %s', async (_what, bytes) => {
    const connection = await RawConnection.open(shop.url);
    connection.write(bytes);
    const answer = await connection.answer();
    expect(answer.status).toBe(408);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'REQUEST_TIMEOUT', status: 408 });
    await connection.rest();
  });
});
