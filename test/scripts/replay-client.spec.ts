import { ApiClient, ATTEMPTS_MAX, NO_ANSWER, waitMs } from '../../scripts/replay/api-client.ts';
import { forEachOf } from '../../scripts/replay/for-each.ts';

/** A server that gives one answer after the other; a string breaks the connection. The last one is repeated. */
function aClient(answers: (Response | string)[]) {
  const sent: { url: string; init: RequestInit }[] = [];
  const waits: number[] = [];
  const client = new ApiClient('http://server', {
    fetch: (url, init) => {
      sent.push({ url: url as string, init: init ?? {} });
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      return answer instanceof Response
        ? Promise.resolve(answer.clone())
        : Promise.reject(new TypeError('fetch failed', { cause: new Error(answer) }));
    },
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => 0.5,
  });
  return { client, sent, waits };
}

const created = new Response('{"id":"1"}', { status: 201 });
const busy = new Response('{"code":"BUSY"}', { status: 503, headers: { 'retry-after': '2' } });
const refused = new Response('{"code":"INSUFFICIENT_STOCK","detail":"5 of 3"}', { status: 409 });
const request = { method: 'POST', path: '/v1/x', body: { a: 1 }, idempotencyKey: 'k', correlationId: 'c' } as const;

describe('ApiClient', () => {
  it('sends key, correlation id and JSON, and gives the body back', async () => {
    const { client, sent } = aClient([created]);
    expect(await client.send(request)).toEqual({ ok: true, status: 201, body: { id: '1' } });
    expect(sent[0]).toMatchObject({
      url: 'http://server/v1/x',
      init: {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'k', 'x-correlation-id': 'c' },
      },
    });
  });

  it('repeats the same request after 503, 429 and a broken connection, and honours Retry-After', async () => {
    const limited = new Response('{"code":"RATE_LIMITED"}', { status: 429, headers: { 'retry-after': '1' } });
    const { client, sent, waits } = aClient([busy, limited, 'ECONNRESET', created]);
    expect(await client.send(request)).toMatchObject({ ok: true });
    expect(new Set(sent.map(({ init }) => JSON.stringify([init.body, init.headers]))).size).toBe(1);
    expect(waits).toEqual([2050, 1100, 200]);
    expect(client).toMatchObject({ requests: 4, retries: 3 });
  });

  it('waits for a concurrent repeat of its key', async () => {
    const inFlight = new Response('{"code":"IDEMPOTENCY_KEY_IN_FLIGHT"}', { status: 409 });
    const { client } = aClient([inFlight, created]);
    expect(await client.send(request)).toMatchObject({ ok: true });
  });

  it('takes a refusal as an answer and does not repeat it', async () => {
    const { client, sent } = aClient([refused]);
    expect(await client.send(request)).toEqual({
      ok: false,
      status: 409,
      code: 'INSUFFICIENT_STOCK',
      detail: '5 of 3',
    });
    expect(sent).toHaveLength(1);
  });

  it('gives up after the last attempt and says why', async () => {
    const { client, sent } = aClient(['ECONNREFUSED']);
    expect(await client.send(request)).toEqual({ ok: false, status: 0, code: NO_ANSWER, detail: 'ECONNREFUSED' });
    expect(sent).toHaveLength(ATTEMPTS_MAX);
  });

  it('says what to set when the server does not know who asks', async () => {
    const body = '{"code":"UNAUTHENTICATED","detail":"Send a key"}';
    const { client, sent } = aClient([new Response(body, { status: 401 })]);
    await expect(client.send(request)).rejects.toThrow(/^UNAUTHENTICATED: Send a key; set HOLDFAST_API_KEY/);
    expect(sent).toHaveLength(1);
  });

  it('names the status when what answers is no Holdfast server', async () => {
    const { client } = aClient([new Response('<html>', { status: 404 })]);
    expect(await client.send(request)).toEqual({ ok: false, status: 404, code: 'HTTP_404', detail: '<html>' });
  });
});

describe('waitMs', () => {
  it('grows with the attempts up to its limit and never takes Retry-After beyond its own', () => {
    expect([1, 2, 3, 10].map((attempt) => waitMs(attempt, null, 1))).toEqual([100, 200, 400, 5000]);
    expect(waitMs(1, 3, 0)).toBe(3000);
    expect(waitMs(1, 86_400, 0)).toBe(30_000);
  });
});

describe('forEachOf', () => {
  it('works on every item in order, never on more than allowed at once', async () => {
    const started: number[] = [];
    let running = 0;
    let most = 0;
    await forEachOf([1, 2, 3, 4, 5], 2, async (item) => {
      started.push(item);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    });
    expect({ started, most }).toEqual({ started: [1, 2, 3, 4, 5], most: 2 });
  });

  it('starts nothing new after a failure and throws it', async () => {
    const started: number[] = [];
    const work = (item: number): Promise<void> => {
      started.push(item);
      return item === 2 ? Promise.reject(new Error('broken')) : Promise.resolve();
    };
    await expect(forEachOf([1, 2, 3, 4, 5, 6], 1, work)).rejects.toThrow('broken');
    expect(started).toEqual([1, 2]);
  });
});
