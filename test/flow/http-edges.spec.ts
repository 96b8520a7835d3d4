import { type Answer, faultsOfProblem, freshKey, problemOf, RawBody } from '../support/http.ts';
import { RawConnection, type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { useShop } from '../support/shop.ts';

describe('The edge of HTTP', () => {
  const shop = useShop('sqlite');

  beforeAll(async () => {
    await shop.location({}, 'L');
    await shop.product({}, 'P');
    await shop.receive('P', 'L', 10);
  });

  describe('methods', () => {
    it.each([
      ['DELETE', '/v1/locations/L', ['GET', 'HEAD', 'PUT']],
      ['POST', '/v1/products/P', ['GET', 'HEAD', 'PUT']],
      ['PUT', '/v1/reservations', ['GET', 'HEAD', 'POST']],
      ['POST', '/v1/stock/P/L', ['GET', 'HEAD']],
      ['GET', '/v1/stock/P/L/counts', ['POST']],
      ['GET', '/v1/reservations/x/confirm', ['POST']],
      ['POST', '/v1/reservations/x/lines', ['PUT']],
      ['DELETE', '/v1/stock/P/L/movements', ['GET', 'HEAD', 'POST']],
      ['PATCH', '/v1/stock/P/L/policy', ['PUT']],
      ['POST', '/health/live', ['GET', 'HEAD']],
    ])('answers %s %s with 405 and what is allowed', async (method, path, allowed) => {
      const answer = await shop.api.send(method, path);
      problemOf(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.allow?.split(/, */).sort()).toEqual(allowed);
    });

    it.each(['OPTIONS', 'TRACE', 'PROPFIND', 'LINK'])('answers %s with a clear no', async (method) => {
      for (const path of ['/v1/locations/L', '/v1/nothing', '*']) {
        const answer = await shop.api.send(method, path);
        expect([404, 405, 400]).toContain(answer.status);
        expectProblem(answer);
      }
    });

    it.each(['FOO / HTTP/1.1\r\n', 'get / HTTP/1.1\r\n', 'GET  / HTTP/1.1\r\n', 'CONNECT a:1 HTTP/1.1\r\n'])(
      'answers %j with a problem, not with silence',
      async (line) => {
        expectRawProblem(await sendRaw(shop.url, `${line}Host: x\r\nConnection: close\r\n\r\n`));
      },
    );
  });

  describe('media types', () => {
    const reserve = (body: RawBody) => shop.api.post('/v1/reservations', body);

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/json-patch+json',
      'application/jsonx',
      'text/json',
      'application/json; charset=utf-16',
      'application/json; charset=latin1',
      'nonsense',
      '/',
      '',
    ])('refuses a body of type %j', async (type) => {
      problemOf(await reserve(new RawBody('{"lines":[]}', type)), 415, 'UNSUPPORTED_MEDIA_TYPE');
    });

    it('refuses a body of no type', async () => {
      problemOf(await reserve(new RawBody('{"lines":[]}', null)), 415, 'UNSUPPORTED_MEDIA_TYPE');
      problemOf(await reserve(new RawBody('{"lines":[]}', null, true)), 415, 'UNSUPPORTED_MEDIA_TYPE');
    });

    it.each([
      'application/json',
      'APPLICATION/JSON',
      'application/json;charset=UTF-8',
      'application/json; charset="utf-8"',
    ])('takes %s', async (type) => {
      const body = JSON.stringify({ lines: [{ sku: 'nothing', quantity: 1 }] });
      problemOf(await reserve(new RawBody(body, type)), 422, 'UNKNOWN_PRODUCT');
    });

    it.each(['text/html', 'image/*', 'application/xml, text/*;q=0.5', 'application/json;q=0', '*/*;q=0'])(
      'has nothing for Accept: %s',
      async (accept) => {
        problemOf(await shop.api.get('/v1/locations', { accept }), 406, 'NOT_ACCEPTABLE');
      },
    );

    it.each([
      '*/*',
      'application/*',
      'application/json',
      'application/problem+json',
      'text/html, */*;q=0.1',
      'text/html,application/json;q=0.9',
    ])('serves Accept: %s', async (accept) => {
      expect((await shop.api.get('/v1/locations', { accept })).status).toBe(200);
    });
  });

  describe('sizes', () => {
    it('refuses a body of ten megabytes, announced or not', async () => {
      const bytes = `{"cartId":"${'x'.repeat(10_000_000)}"}`;
      problemOf(await shop.api.post('/v1/reservations', new RawBody(bytes)), 413, 'BODY_TOO_LARGE');
      problemOf(
        await shop.api.post('/v1/reservations', new RawBody(bytes, 'application/json', true)),
        413,
        'BODY_TOO_LARGE',
      );
    });

    it('takes a body right up to the limit', async () => {
      const start = '{"lines":[{"sku":"nothing","quantity":1}]';
      const fill = (total: number) => new RawBody(`${start}${' '.repeat(total - start.length - 1)}}`);
      problemOf(await shop.api.post('/v1/reservations', fill(1_048_576)), 422, 'UNKNOWN_PRODUCT');
      problemOf(await shop.api.post('/v1/reservations', fill(1_048_577)), 413, 'BODY_TOO_LARGE');
    });

    it('refuses an address that is too long, in path or query, before it looks at the route', async () => {
      for (const path of [
        `/v1/products/${'x'.repeat(9000)}`,
        `/v1/stock?skus=${'x,'.repeat(5000)}a`,
        `/${'a/'.repeat(5000)}`,
      ]) {
        problemOf(await shop.api.get(path), 414, 'URI_TOO_LONG');
      }
    });

    it('refuses headers that are too long', async () => {
      problemOf(await shop.api.get('/v1/locations', { 'x-filler': 'x'.repeat(20_000) }), 431, 'HEADERS_TOO_LARGE');
      const many = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`x-filler-${i}`, 'x'.repeat(30)]));
      problemOf(await shop.api.get('/v1/locations', many), 431, 'HEADERS_TOO_LARGE');
      const huge = `GET /v1/locations HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(300_000)}\r\n\r\n`;
      expectRawProblem(await sendRaw(shop.url, huge), 431);
    });
  });

  describe('malformed requests', () => {
    const head = (more: string) =>
      `POST /v1/reservations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}`;

    it.each([
      ['no HTTP at all', 'hello\r\n\r\n'],
      ['a TLS greeting', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
      ['an unknown version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
      ['no host', 'GET /v1/locations HTTP/1.1\r\nConnection: close\r\n\r\n'],
      ['a header without colon', 'GET /v1/locations HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n'],
      ['a space before the colon', 'GET /v1/locations HTTP/1.1\r\nHost : x\r\n\r\n'],
      ['a zero byte in a header', 'GET /v1/locations HTTP/1.1\r\nHost: x\r\nX-A: a\u0000b\r\n\r\n'],
      ['a length that is no number', head('Content-Length: ten\r\n\r\n{}')],
      ['a negative length', head('Content-Length: -1\r\n\r\n')],
      ['two lengths', head('Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}')],
      ['a length and chunks', head('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')],
      ['a chunk size that is no number', head('Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n')],
      ['an unknown transfer encoding', head('Transfer-Encoding: gzip\r\nContent-Length: 0\r\n\r\n')],
      ['a broken percent code', 'GET /v1/products/% HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
      ['a percent code that is no UTF-8', 'GET /v1/products/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
      ['an overlong percent code', 'GET /v1/products/%c0%ae HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
      ['a surrogate as percent code', 'GET /v1/products/%ed%a0%80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
      ['raw bytes in the path', 'GET /v1/products/\u00e9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
      ['an expectation that nobody meets', head('Expect: magic\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}')],
    ])('are answered with a clear problem: %s', async (_what, bytes) => {
      expectRawProblem(await sendRaw(shop.url, bytes));
    });

    it('does not confuse the next request: two at once are answered in turn', async () => {
      const connection = await RawConnection.open(shop.url);
      const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      connection.write(get('/v1/products/P') + get('/v1/products/nothing') + get('/v1/locations/L'));
      const answers = [await connection.answer(), await connection.answer(), await connection.answer()];
      expect(answers.map((answer) => answer.status)).toEqual([200, 404, 200]);
      expect(answers[2]?.text).toContain('"locationId":"L"');
      connection.close();
    });

    it('waits for the body of a client that asks first', async () => {
      const body = '{"lines":[{"sku":"nothing","quantity":1}]}';
      const connection = await RawConnection.open(shop.url);
      connection.write(
        head(`Idempotency-Key: ${freshKey()}\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`),
      );
      connection.write(body);
      expectRawProblem(await connection.answer(), 422);
      connection.close();
    });

    it('serves HTTP/1.0, a proxy-style address and an offer to upgrade as plain requests', async () => {
      expect((await sendRaw(shop.url, 'GET /v1/products/P HTTP/1.0\r\n\r\n')).status).toBe(200);
      const upgrade = 'GET /v1/products/P HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
      expect((await sendRaw(shop.url, upgrade)).status).toBe(200);
    });
  });

  describe('routes', () => {
    it.each([
      '/',
      '/v1',
      '/v1/',
      '/V1/locations',
      '/v1/Locations',
      '/v1/locations/',
      '/v1//locations',
      '/v1/locations/L/',
      '/v1/./locations',
      '/v1/x/../locations',
      '/v1/stock/P/L/',
      '/v1/reservations/x/pay',
      '/openapi.yaml',
      '/.env',
      '/favicon.ico',
    ])('knows no %s', async (path) => {
      problemOf(await shop.api.get(path), 404, 'NOT_FOUND');
    });

    it.each([
      '/docs/../package.json',
      '/docs/..%2f..%2fpackage.json',
      '/docs/%2e%2e/%2e%2e/etc/passwd',
      '/docs//etc/passwd',
      '/docs/%00',
    ])('gives no file away under %s', async (path) => {
      problemOf(await shop.api.get(path), 404, 'NOT_FOUND');
    });

    it('refuses query parameters where there are none', async () => {
      for (const path of ['/v1/locations/L', '/v1/products/P', '/v1/stock/P', '/v1/stock/P/L', '/v1/reservations/x']) {
        problemOf(await shop.api.get(`${path}?verbose=1`), 400, 'VALIDATION_FAILED');
      }
      problemOf(await shop.api.put('/v1/products/P?force=1', { name: 'x' }), 400, 'VALIDATION_FAILED');
      problemOf(
        await shop.api.post('/v1/reservations?dry=1', { lines: [{ sku: 'P', quantity: 1 }] }),
        400,
        'VALIDATION_FAILED',
      );
    });

    it('tells nothing about what it is built with', async () => {
      const { headers } = await shop.api.get('/v1/locations');
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
    });
  });
});

function expectProblem(answer: Answer): void {
  const { code } = (answer.body ?? {}) as { code?: string };
  expect(faultsOfProblem(answer, answer.status, code ?? '')).toEqual([]);
}

function expectRawProblem(answer: RawAnswer, status?: number): void {
  expect([answer.text, answer.status >= 400 && answer.status < 500]).toEqual([answer.text, true]);
  if (status !== undefined) expect(answer.status).toBe(status);
  const body: unknown = JSON.parse(answer.text);
  expectProblem({ ...answer, body });
}
