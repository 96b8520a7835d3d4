import { problemOf, RawBody } from '../../../test/support/http.ts';
import { type ProbeApp, startProbeApp } from '../../../test/support/probe-app.ts';
import { PROBLEM_CONTENT_TYPE } from './problem.ts';
import { RawConnection, sendRaw } from '../../../test/support/raw-http.ts';

const BODY_BYTES_MAX = 4096;
const GOOD_LINE = { sku: 'SKU-1', quantity: 1 };

let probe: ProbeApp;

beforeAll(async () => {
  probe = await startProbeApp({
    BODY_BYTES_MAX: String(BODY_BYTES_MAX),
    URL_BYTES_MAX: '1024',
    HEADER_BYTES_MAX: '2048',
    REQUEST_TIMEOUT_MS: '1000',
  });
});

afterAll(() => probe.close());

describe('a path that is not there', () => {
  it.each(['/nothing', '/v1/probes/', '/v1/probes//cancel', '//v1/probes', '/V1/probes', '/', '/v1/probes/a/b/c'])(
    'answers GET and POST %s with 404 NOT_FOUND, whatever the body',
    async (path) => {
      problemOf(await probe.api.get(path), 404, 'NOT_FOUND');
      problemOf(await probe.api.post(path, new RawBody('x'.repeat(9000), 'text/plain')), 404, 'NOT_FOUND');
    },
  );

  it('comes before a method that no path takes', async () => {
    problemOf(await probe.api.send('DELETE', '/nothing'), 404, 'NOT_FOUND');
  });
});

describe('a method that the path does not take', () => {
  it.each([
    ['DELETE', '/v1/probes', 'GET, HEAD'],
    ['POST', '/v1/probes/plain/cancel/x', null],
    ['GET', '/v1/probes/a/cancel', 'POST'],
    ['OPTIONS', '/v1/probes/a', 'POST, PUT'],
    ['TRACE', '/v1/probes/a', 'POST, PUT'],
    ['PROPFIND', '/v1/probes?limit=2', 'GET, HEAD'],
    ['PATCH', '/health/live', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
  ])('answers %s %s with 405 and Allow: %s', async (method, path, allow) => {
    const answer = await probe.api.send(method, path);
    if (allow === null) {
      problemOf(answer, 404, 'NOT_FOUND');
      return;
    }
    problemOf(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toBe(allow);
  });

  it('is told before the body is looked at', async () => {
    problemOf(await probe.api.post('/v1/probes', new RawBody('{', 'text/plain')), 405, 'METHOD_NOT_ALLOWED');
  });

  it('refuses CONNECT and methods that are none', async () => {
    expect((await sendRaw(probe.url, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(405);
    expect((await sendRaw(probe.url, 'NONSENSE / HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(400);
  });

  it('answers HEAD as GET without the body', async () => {
    const head = await probe.api.send('HEAD', '/v1/probes/plain');
    const get = await probe.api.get('/v1/probes/plain');
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });
});

describe('the type of a body', () => {
  const post = (contentType: string | null, bytes = JSON.stringify({ lines: [GOOD_LINE] }), chunked = false) =>
    probe.api.post('/v1/probes/a', new RawBody(bytes, contentType, chunked));

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON ; charset=utf8',
  ])('takes %s', async (contentType) => {
    expect((await post(contentType)).status).toBe(200);
    expect((await post(contentType, undefined, true)).status).toBe(200);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/jsonp',
    'application/merge-patch+json',
    'json',
    '',
    ';',
    null,
  ])('refuses %s with 415', async (contentType) => {
    problemOf(await post(contentType), 415, 'UNSUPPORTED_MEDIA_TYPE');
    problemOf(await post(contentType, undefined, true), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('refuses compressed bodies with 415', async () => {
    const headers = { 'content-encoding': 'gzip' };
    problemOf(await probe.api.post('/v1/probes/a', {}, { headers }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('does not mind a type without a body', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': 0 };
    expect((await probe.api.post('/v1/probes/a/cancel', undefined, { headers })).status).toBe(200);
    expect((await probe.api.get('/v1/probes/plain', { 'content-type': 'text/plain' })).status).toBe(200);
    expect((await probe.api.post('/v1/probes/a/cancel', undefined, { headers: { 'content-type': '?' } })).status).toBe(
      200,
    );
  });

  it('comes before the size of the body', async () => {
    problemOf(await post('text/plain', 'x'.repeat(BODY_BYTES_MAX + 1)), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });
});

describe('the type of the answer', () => {
  it.each([
    'text/html',
    'image/*',
    'application/json;q=0',
    '*/*;q=0',
    'application/xml, text/csv',
    '*/*, application/*;q=0',
  ])('refuses Accept: %s with 406', async (accept) => {
    problemOf(await probe.api.get('/v1/probes/plain', { accept }), 406, 'NOT_ACCEPTABLE');
    problemOf(await probe.api.get('/health/live', { accept }), 406, 'NOT_ACCEPTABLE');
  });

  it.each(['*/*', 'application/*', PROBLEM_CONTENT_TYPE, 'text/html, */*;q=0.1', 'application/json; q=0.5', ''])(
    'takes Accept: %s',
    async (accept) => {
      expect((await probe.api.get('/v1/probes/plain', { accept })).status).toBe(200);
    },
  );

  it('leaves metrics and documentation alone', async () => {
    expect((await probe.api.get('/metrics', { accept: 'text/plain' })).status).toBe(200);
    expect((await probe.api.get('/docs', { accept: 'text/html' })).status).toBe(200);
  });
});

describe('a body that is too large', () => {
  const TOO_LARGE = ' '.repeat(BODY_BYTES_MAX + 1);

  it('is refused with 413, announced or not, and changes nothing', async () => {
    const before = probe.probes.handled;
    problemOf(await probe.api.post('/v1/probes/a', new RawBody(TOO_LARGE)), 413, 'BODY_TOO_LARGE');
    problemOf(await probe.api.post('/v1/probes/a', new RawBody(TOO_LARGE, undefined, true)), 413, 'BODY_TOO_LARGE');
    expect(probe.probes.handled).toBe(before);
  });

  it('is answered while 10 MB of it are still on the way', async () => {
    const bytes = Buffer.alloc(10_000_000, ' ');
    problemOf(await probe.api.post('/v1/probes/a', new RawBody(bytes)), 413, 'BODY_TOO_LARGE');
    problemOf(await probe.api.post('/v1/probes/a', new RawBody(bytes, undefined, true)), 413, 'BODY_TOO_LARGE');
  });

  it('comes before a missing Idempotency-Key and before validation', async () => {
    problemOf(
      await probe.api.post('/v1/probes/count?x=1', new RawBody(TOO_LARGE), { key: null }),
      413,
      'BODY_TOO_LARGE',
    );
  });

  it('may be of the full size', async () => {
    const body = JSON.stringify({ lines: [GOOD_LINE] }).padEnd(BODY_BYTES_MAX, ' ');
    expect((await probe.api.post('/v1/probes/a', new RawBody(body))).status).toBe(200);
  });
});

describe('a head that is too large', () => {
  it.each([1100, 5000, 60_000, 200_000])(
    'answers a URL of %d bytes with 414 or, where its start is lost, 431',
    async (bytes) => {
      const answer = await sendRaw(probe.url, `GET /v1/probes?cursor=${'x'.repeat(bytes)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const { code } = JSON.parse(answer.text) as { code: string };
      expect([answer.status, code]).toEqual(
        bytes > 60_000 && answer.status === 431 ? [431, 'HEADERS_TOO_LARGE'] : [414, 'URI_TOO_LONG'],
      );
    },
  );

  it.each([2100, 5000, 60_000])('answers %d bytes of headers with 431', async (bytes) => {
    const answer = await sendRaw(
      probe.url,
      `GET /v1/probes HTTP/1.1\r\nHost: a\r\nX-Much: ${'x'.repeat(bytes)}\r\n\r\n`,
    );
    expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([431, 'HEADERS_TOO_LARGE']);
    expect(answer.headers['content-type']).toBe(PROBLEM_CONTENT_TYPE);
  });
});

describe('what is hardly HTTP', () => {
  it.each([
    ['a broken request line', 'what is this\r\n\r\n'],
    ['a broken header', 'GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n'],
    ['two lengths', 'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'length and chunks',
      'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an unknown transfer encoding',
      'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: zip\r\n\r\n',
    ],
    [
      'broken chunks',
      'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['no Host', 'GET /v1/probes/plain HTTP/1.1\r\n\r\n'],
    ['a badly encoded path', 'GET /v1/probes/tagged/%zz HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a path that is no UTF-8', 'GET /v1/probes/tagged/%ff HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a NUL in the path', 'GET /v1/probes/tagged/%00 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a path without its slash', 'GET v1/probes/plain HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a negative length', 'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
  ])('answers %s with a 400 problem that has a correlation id', async (_what, bytes) => {
    const answer = await sendRaw(probe.url, bytes);
    expect([answer.status, answer.headers['content-type']]).toEqual([400, PROBLEM_CONTENT_TYPE]);
    const problem = JSON.parse(answer.text) as { code: string; correlationId: string; errors: unknown[] };
    expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', correlationId: answer.headers['x-correlation-id'] });
    expect(problem.errors).toHaveLength(1);
  });

  it('passes over an expectation that it does not know, and over an offer to upgrade', async () => {
    const head = 'GET /v1/probes/plain HTTP/1.1\r\nHost: a\r\n';
    expect((await sendRaw(probe.url, `${head}Expect: the-unexpected\r\n\r\n`)).status).toBe(200);
    expect((await sendRaw(probe.url, `${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)).status).toBe(200);
  });

  it('asks for the body of a client that expects 100-continue', async () => {
    const body = '{"reason":"why"}';
    const answer = await sendRaw(
      probe.url,
      `POST /v1/probes/a/cancel HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n${body}`,
    );
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { id: 'a', reason: 'why' }]);
  });

  it.each(['GET * HTTP/1.1', 'OPTIONS * HTTP/1.1'])('answers %s with 404', async (line) => {
    const answer = await sendRaw(probe.url, `${line}\r\nHost: a\r\n\r\n`);
    expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([404, 'NOT_FOUND']);
  });

  it('answers a request that stays incomplete with 408', async () => {
    const head = 'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\n';
    const [inHead, inBody] = await Promise.all([
      sendRaw(probe.url, head),
      sendRaw(probe.url, `${head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{`),
    ]);
    for (const answer of [inHead, inBody]) {
      expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([408, 'REQUEST_TIMEOUT']);
    }
  });

  it('still serves others after all this', async () => {
    const connection = await RawConnection.open(probe.url);
    connection.write('GET /v1/probes/plain HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
    expect((await connection.answer()).status).toBe(200);
    expect((await connection.answer()).status).toBe(200);
    connection.close();
  });
});

describe('an error inside', () => {
  it('says nothing about itself', async () => {
    for (const id of ['error', 'object']) {
      const problem = problemOf(await probe.api.get(`/v1/probes/fail/${id}`), 500, 'INTERNAL');
      expect(JSON.stringify(problem)).not.toMatch(/secret|hunter2|SELECT|SQLITE/);
    }
  });

  it('tells when to come back', async () => {
    const answer = await probe.api.get('/v1/probes/fail/busy');
    problemOf(answer, 503, 'BUSY');
    expect(answer.headers['retry-after']).toBe('7');
  });
});

describe('X-Correlation-Id', () => {
  it.each(['/v1/probes/plain', '/nothing', '/health/live', '/v1/probes/fail/x', '/v1/probes/tagged/%zz', '/docs'])(
    'is echoed by %s',
    async (path) => {
      const answer = await probe.api.get(path, { 'x-correlation-id': 'Cart:7_a.b-c' });
      expect(answer.headers['x-correlation-id']).toBe('Cart:7_a.b-c');
    },
  );

  it.each(['', 'a b', 'a,b', 'x'.repeat(129), 'ä', '"quoted"'])('is replaced when it is %j', async (given) => {
    const answer = await probe.api.get('/v1/probes/plain', { 'x-correlation-id': given });
    expect(answer.headers['x-correlation-id']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    );
  });
});
