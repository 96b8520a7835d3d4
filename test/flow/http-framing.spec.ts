import { freshKey } from '../support/http.ts';
import { RawConnection, type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { useShop } from '../support/shop.ts';

const HOST = 'Host: x\r\n';
const CLOSE = 'Connection: close\r\n';
const RECEIPT = '{"type":"RECEIPT","quantity":1}';

/** What a connection carries before and between the requests that a framework sees. */
describe('Requests on the wire', () => {
  const shop = useShop('sqlite');
  const movements = '/v1/stock/P/L/movements';

  beforeAll(async () => {
    await shop.location({}, 'L');
    await shop.product({}, 'P');
  });

  const onHand = async () => (await shop.stock('P', 'L')).onHand;
  const codeOf = ({ status, text }: RawAnswer) => [status, (JSON.parse(text) as { code?: string }).code];
  const post = (more: string, body = RECEIPT, key = freshKey()) =>
    `POST ${movements} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nIdempotency-Key: ${key}\r\n${more}` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;

  describe('with very many headers', () => {
    const filler = (count: number) => 'a:\r\n'.repeat(count);

    it('keep the last one: a condition behind 2,100 others still holds', async () => {
      const before = await onHand();
      const answer = await sendRaw(shop.url, post(`${CLOSE}${filler(2_100)}If-Match: "77"\r\n`));
      expect(codeOf(answer)).toEqual([412, 'VERSION_MISMATCH']);
      expect(await onHand()).toBe(before);
    });

    it('are measured whole', async () => {
      const answer = await sendRaw(shop.url, `GET /v1/locations HTTP/1.1\r\n${HOST}${filler(4_000)}\r\n`);
      expect(codeOf(answer)).toEqual([431, 'HEADERS_TOO_LARGE']);
    });
  });

  describe('say for which host they are', () => {
    it.each([
      ['two hosts', 'Host: a\r\nHost: b\r\n'],
      ['the same host twice', 'Host: a\r\nhost: a\r\n'],
      ['a host that is none', 'Host: a b\r\n'],
      ['a host with a path', 'Host: a/b\r\n'],
      ['a host with a user', 'Host: me@a\r\n'],
      ['no host', ''],
    ])('refuses %s', async (_what, headers) => {
      const answer = await sendRaw(shop.url, `GET /v1/locations HTTP/1.1\r\n${headers}${CLOSE}\r\n`);
      expect(codeOf(answer)).toEqual([400, 'VALIDATION_FAILED']);
      expect(answer.text).toContain('"field":"Host"');
    });

    it.each(['x', 'shop.example:8080', '[::1]:3000', '192.0.2.1', ''])('takes %j', async (host) => {
      const answer = await sendRaw(shop.url, `GET /v1/locations HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}\r\n`);
      expect(answer.status).toBe(200);
    });
  });

  describe('with the whole URL, as to a proxy', () => {
    const absolute = (method: string, url: string, more = '') =>
      sendRaw(shop.url, `${method} ${url} HTTP/1.1\r\n${HOST}${CLOSE}${more}\r\n`);

    it('are the same as those with the path alone', async () => {
      expect((await absolute('GET', 'http://x/v1/products/P')).status).toBe(200);
      expect((await absolute('GET', 'HTTPS://x:99/v1/products?limit=1')).status).toBe(200);
      expect(codeOf(await absolute('GET', 'http://x/v1/products?limit=x'))).toEqual([400, 'VALIDATION_FAILED']);
      expect(codeOf(await absolute('GET', 'http://x/v1/products', 'Accept: text/html\r\n'))).toEqual([
        406,
        'NOT_ACCEPTABLE',
      ]);
      for (const url of ['http://x', 'http://x/', 'http://x?limit=1', 'http://x/v1/nothing']) {
        expect(codeOf(await absolute('GET', url))).toEqual([404, 'NOT_FOUND']);
      }
      const refused = await absolute('DELETE', 'http://x/v1/products/P?x=1');
      expect(codeOf(refused)).toEqual([405, 'METHOD_NOT_ALLOWED']);
      expect(refused.headers.allow).toBe('GET, HEAD, PUT');
      expect(JSON.parse(refused.text)).toMatchObject({ instance: '/v1/products/P' });
    });

    it('are the same under a key', async () => {
      const key = freshKey();
      const before = await onHand();
      const first = await sendRaw(shop.url, post(CLOSE, RECEIPT, key));
      const again = await sendRaw(shop.url, post(CLOSE, RECEIPT, key).replace('POST /', 'POST http://x/'));
      expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([201, first.text, 'true']);
      expect(await onHand()).toBe(before + 1);
    });
  });

  describe('whose body waits to be asked for', () => {
    /** What comes back before a byte of the body was sent. */
    async function verdict(head: string): Promise<string> {
      const connection = await RawConnection.open(shop.url);
      connection.write(`${head}Expect: 100-continue\r\n\r\n`);
      const text = await connection.rest();
      connection.close();
      return text;
    }

    it.each([
      ['of no route', `POST /v1/nothing HTTP/1.1\r\n${HOST}Content-Length: 9\r\n`, 404],
      ['of another method', `PATCH /v1/reservations HTTP/1.1\r\n${HOST}Content-Length: 9\r\n`, 405],
      ['of another type', `POST ${movements} HTTP/1.1\r\n${HOST}Content-Type: text/xml\r\nContent-Length: 9\r\n`, 415],
      [
        'that is too large',
        `POST ${movements} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 99999999\r\n`,
        413,
      ],
    ])('is not asked for one %s, and the connection ends there', async (_what, head, status) => {
      const text = await verdict(head);
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(text).toMatch(/\r\nconnection: close\r\n/i);
    });

    it('is asked for one that may come', async () => {
      const connection = await RawConnection.open(shop.url);
      const [head = ''] = post('Expect: 100-continue\r\n').split('{');
      connection.write(head);
      await connection.received('HTTP/1.1 100 Continue\r\n\r\n');
      connection.write(RECEIPT);
      expect((await connection.answer()).status).toBe(201);
      connection.close();
    });
  });

  describe('one after the other without waiting', () => {
    it.each([
      ['bytes that are no request', 'nonsense\r\n\r\n'],
      ['a request with a broken body', post('').replace(/Content-Length[^]*/, 'Transfer-Encoding: chunked\r\n\r\nzz')],
    ])('are answered in their order, also before %s', async (_what, broken) => {
      const before = await onHand();
      const connection = await RawConnection.open(shop.url);
      connection.write(post('') + post('') + broken);
      const answers = [await connection.answer(), await connection.answer(), await connection.answer()];
      await connection.rest();
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 400]);
      expect(codeOf(answers[2]!)).toEqual([400, 'VALIDATION_FAILED']);
      expect(await onHand()).toBe(before + 2);
    });
  });
});

describe('A request that stops on the way', () => {
  const shop = useShop('sqlite', { REQUEST_TIMEOUT_MS: '1000' });

  it('is told so under its own correlation id and path, once its head was read', async () => {
    const connection = await RawConnection.open(shop.url);
    connection.write(
      `POST /v1/reservations?x=1 HTTP/1.1\r\n${HOST}X-Correlation-Id: mine\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    );
    const answer = await connection.answer();
    connection.close();
    expect([answer.status, answer.headers['x-correlation-id']]).toEqual([408, 'mine']);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(JSON.parse(answer.text)).toMatchObject({ correlationId: 'mine', instance: '/v1/reservations' });
  });
});
