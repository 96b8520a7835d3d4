import { type Answer, problemOf } from '../../../test/support/http.ts';
import { type ProbeApp, startProbeApp } from '../../../test/support/probe-app.ts';
import { sendRaw } from '../../../test/support/raw-http.ts';
import { canonicalJson } from './idempotency-key.ts';

const PATH = '/v1/probes/count';

let probe: ProbeApp;

beforeEach(async () => {
  probe = await startProbeApp({ IDEMPOTENCY_KEY_HOURS: '2' });
});

afterEach(() => probe.close());

function post(key: string | null, body: unknown = {}, path = PATH): Promise<Answer<{ count: number }>> {
  return probe.api.post(path, body, { key });
}

describe('a request under an Idempotency-Key', () => {
  it('is done once and answered alike each time', async () => {
    const first = await post('k1');
    const again = await post('k1');
    expect([first.status, first.text, first.headers['idempotency-replayed']]).toEqual([201, '{"count":1}', undefined]);
    expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([201, '{"count":1}', 'true']);
    expect([again.headers.etag, again.headers.location]).toEqual([first.headers.etag, '/v1/probes/1']);
    expect(again.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(again.headers['x-correlation-id']).not.toBe(first.headers['x-correlation-id']);
    expect(probe.counter.count).toBe(1);
  });

  it('is done once when many ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('k1')));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"count":1}']));
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  });

  it('declares the keys of its command and its own, and names the request', async () => {
    await post('k1');
    expect(probe.unitOfWork.options).toEqual([
      {
        keys: [
          { table: 'counters', values: ['one'] },
          { table: 'idempotency_keys', values: ['default', 'k1'] },
        ],
        requestKey: 'default k1',
      },
    ]);
  });

  it('is the same request whatever the spaces and the order of its members, and no body is {}', async () => {
    await probe.api.post(PATH, undefined, { key: 'k1' });
    expect((await post('k1', {})).headers['idempotency-replayed']).toBe('true');
    expect(canonicalJson({ b: [1, { d: 'x', c: null }], a: true })).toBe('{"a":true,"b":[1,{"c":null,"d":"x"}]}');
  });

  it.each([
    ['another body', { reason: 'other' }, PATH],
    ['null instead of nothing', { reason: null }, PATH],
  ])('is refused with %s', async (_what, body, path) => {
    await post('k1');
    problemOf(await post('k1', body, path), 422, 'IDEMPOTENCY_KEY_REUSED');
    expect(probe.counter.count).toBe(1);
  });

  it('leaves no key behind when it is refused', async () => {
    problemOf(await post('k1', { reason: 'refuse' }), 409, 'INSUFFICIENT_STOCK');
    expect((await post('k1', {})).body).toEqual({ count: 1 });
  });

  it('is new again once its time is over, at the very instant', async () => {
    await post('k1');
    const end = probe.clock.iso(2 * 3600);
    probe.clock.set(end, -1);
    expect((await post('k1')).body).toEqual({ count: 1 });
    probe.clock.set(end);
    expect((await post('k1', { reason: 'another request' })).body).toEqual({ count: 2 });
    expect([...probe.unitOfWork.rows.values()]).toMatchObject([{ version: 2, status: 201, body: '{"count":2}' }]);
  });

  it('needs one where it creates, before anything is said about its body', async () => {
    for (const key of [null, '']) {
      problemOf(await post(key, { unknown: 1 }), 400, 'IDEMPOTENCY_KEY_MISSING');
    }
  });

  it.each(['ä', 'x'.repeat(256), 'tab\there'])('refuses the key %j', async (key) => {
    const problem = problemOf(await post(key), 400, 'VALIDATION_FAILED');
    expect(problem.errors).toEqual([
      { field: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' },
    ]);
  });

  it.each(['x'.repeat(255), 'a, b', '"quoted"', '~!'])('takes the key %j', async (key) => {
    expect((await post(key)).status).toBe(201);
  });

  it('refuses two keys', async () => {
    const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n\r\n`;
    const answer = await sendRaw(probe.url, head);
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      400,
      { errors: [{ field: 'Idempotency-Key', message: 'must be sent once' }] },
    ]);
  });
});

describe('a refusal', () => {
  it('does not let its details overwrite the members of the problem', async () => {
    const problem = problemOf(await post('k1', { reason: 'refuse' }), 409, 'INSUFFICIENT_STOCK');
    expect(problem).toMatchObject({ type: '/docs/errors#INSUFFICIENT_STOCK', instance: PATH, shortages: [] });
  });
});
