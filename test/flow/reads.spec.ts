import type { Answer } from '../support/http.ts';
import { aRefusingWorld, refusedCalls, REFUSING_ENVIRONMENT } from '../support/refused-calls.ts';
import { filledPath } from '../support/refusals.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

/** Differ from one answer to the next; health and metrics measure anew each time. Without a body nothing is in chunks. */
const OF_THE_MOMENT = ['date', 'x-correlation-id', 'transfer-encoding'];
const OF_THE_SERVER = /^\/(health|metrics)/;

function steadyHeaders({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_MOMENT.includes(name)));
}

/** Made of the same table as error-pairs.spec.ts: what HTTP promises of any read has to hold for each. */
describeOnBothEngines('Every read', (engine) => {
  const shop = useShop(engine, REFUSING_ENVIRONMENT);
  /** Those that find something, and some that find nothing or are refused. */
  let found: string[];
  let refused: string[];

  beforeAll(async () => {
    const reads = Object.entries(refusedCalls(await aRefusingWorld(shop))).flatMap(([operation, call]) =>
      operation.startsWith('GET ') && !('suite' in call) ? [{ path: operation.slice('GET '.length), call }] : [],
    );
    found = reads.map(({ path, call }) => filledPath(path, call.right.params));
    refused = [
      ...reads.filter(({ path }) => path.includes('{')).map(({ path }) => path.replace(/\{\w+\}/g, 'nothing')),
      ...found.filter((path) => path.startsWith('/v1/')).map((path) => `${path}?nonsense=1`),
      '/v1/nothing',
    ];
    expect([found.length > 10, refused.length > 10]).toEqual([true, true]);
  });

  it('may be asked with HEAD for the headers alone, also when it is refused', async () => {
    for (const path of [...found, ...refused].filter((one) => !OF_THE_SERVER.test(one))) {
      const [get, head] = [await shop.api.get(path), await shop.api.send('HEAD', path)];
      expect([path, head.status, head.text]).toEqual([path, get.status, '']);
      expect([path, steadyHeaders(head)]).toEqual([path, steadyHeaders(get)]);
      const isStreamed = get.headers['transfer-encoding'] === 'chunked';
      const length = isStreamed ? undefined : String(Buffer.byteLength(get.text));
      expect([path, head.headers['content-length']]).toEqual([path, length]);
    }
    for (const path of found.filter((one) => OF_THE_SERVER.test(one))) {
      const { status, text } = await shop.api.send('HEAD', path);
      // A machine that is busy with other suites is not ready.
      expect([path, [200, 503].includes(status), text]).toEqual([path, true, '']);
    }
  });

  it('that is tagged is answered 304 to who has it, with the tag and nothing of a body, also to HEAD', async () => {
    let tagged = 0;
    for (const path of found) {
      const { etag } = (await shop.api.get(path)).headers;
      if (etag === undefined) continue;
      tagged += 1;
      for (const method of ['GET', 'HEAD']) {
        const headers = { 'if-none-match': etag };
        const { status, text, headers: answered } = await shop.api.send(method, path, undefined, { headers });
        expect([method, path, status, text, answered.etag]).toEqual([method, path, 304, '', etag]);
        expect(answered).not.toHaveProperty('content-type');
        expect(answered).not.toHaveProperty('content-length');
        expect(answered['x-correlation-id']).toBeDefined();
      }
    }
    expect(tagged).toBeGreaterThan(5);
  });

  it('takes no condition for a change and no key for anything', async () => {
    for (const path of found.filter((one) => !OF_THE_SERVER.test(one))) {
      const headers = { 'if-match': 'nonsense', 'idempotency-key': 'é'.repeat(300) };
      expect([path, (await shop.api.get(path, headers)).status]).toEqual([path, 200]);
    }
  });
});
