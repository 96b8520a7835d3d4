import { problemOf, type Problem, RawBody } from '../../../test/support/http.ts';
import { type ProbeApp, startProbeApp } from '../../../test/support/probe-app.ts';

const WHOLE = 'must be a whole number from 1 to 1000000';
const ID = 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ : - and not . or ..';
const GOOD_LINE = { sku: 'SKU-1', quantity: 1 };

let probe: ProbeApp;

beforeAll(async () => {
  probe = await startProbeApp();
});

afterAll(() => probe.close());

async function errorsOf(path: string, body: unknown): Promise<Record<string, string>> {
  const problem = problemOf(await probe.api.post(path, body), 400, 'VALIDATION_FAILED');
  return asRecord(problem);
}

function asRecord(problem: Problem): Record<string, string> {
  const errors = problem.errors as { field: string; message: string }[];
  return Object.fromEntries(errors.map(({ field, message }) => [field, message]));
}

function postText(text: string): Promise<Record<string, string>> {
  return errorsOf('/v1/probes/a', new RawBody(text));
}

describe('a good request', () => {
  it('arrives as instances with defaults, null being absent', async () => {
    const body = { lines: [{ sku: 'a:b._-9', quantity: 1e2, locationId: null }], ttlSeconds: null, reason: 'späte 🛒' };
    expect((await probe.api.post('/v1/probes/a?limit=7', body)).body).toEqual({
      id: 'a',
      limit: 7,
      body: { lines: [{ sku: 'a:b._-9', quantity: 100 }], reason: 'späte 🛒', gift: false },
    });
  });

  it('may write a whole number with a fraction of zero', async () => {
    const answer = await probe.api.post('/v1/probes/a', new RawBody('{"lines":[{"sku":"a","quantity":1.0}]}'));
    expect(answer.status).toBe(200);
  });

  it('may leave out a body that has optional fields only', async () => {
    for (const body of [undefined, {}, new RawBody(''), { reason: null }]) {
      expect((await probe.api.post('/v1/probes/a/cancel', body)).body).toEqual({ id: 'a', reason: null });
    }
  });

  it('pages by 50 unless told otherwise', async () => {
    expect((await probe.api.get('/v1/probes')).body).toMatchObject({ limit: 50, cursor: null });
    expect((await probe.api.get('/v1/probes?limit=200&skus=a,b&state=low')).body).toMatchObject({
      limit: 200,
      skus: ['a', 'b'],
      state: 'low',
    });
  });
});

describe('a bad request', () => {
  it('is told everything at once: path, query, body and headers', async () => {
    const body = {
      lines: [GOOD_LINE, { sku: '..', quantity: 0, colour: 'red' }],
      ttlSeconds: '60',
      reason: ' ',
      extra: 1,
    };
    const headers = { 'if-match': 'three', 'idempotency-key': 'ä' };
    const answer = await probe.api.post('/v1/probes/a%2Fb?limit=0&what=1', body, { headers, key: null });
    expect(asRecord(problemOf(answer, 400, 'VALIDATION_FAILED'))).toEqual({
      id: ID,
      limit: 'must be a whole number from 1 to 200',
      what: 'is not known here',
      'lines[1].sku': ID,
      'lines[1].quantity': WHOLE,
      'lines[1].colour': 'is not known here',
      ttlSeconds: 'must be a whole number from 1 to 14400',
      reason: 'must not be empty or blank',
      extra: 'is not known here',
      'If-Match': 'must be * or a list of quoted entity tags',
      'Idempotency-Key': 'must be 1 to 255 printable ASCII characters',
    });
  });

  it.each(['0', '-1', '1.5', '"1"', 'true', '[1]', '{}', '1000001', '9007199254740993', '1e400', '-0', '0.0', '1e-7'])(
    'cannot have the quantity %s',
    async (quantity) => {
      const errors = await postText(`{"lines":[{"sku":"a","quantity":${quantity}}]}`);
      expect(Object.keys(errors)).toEqual(['lines[0].quantity']);
    },
  );

  it('says which fields are required and which must not be null', async () => {
    expect(await errorsOf('/v1/probes/a', { lines: [{ quantity: null }], gift: null })).toEqual({
      'lines[0].sku': 'is required',
      'lines[0].quantity': 'must not be null',
      gift: 'must not be null',
    });
    expect(await errorsOf('/v1/probes/a', undefined)).toEqual({ lines: 'is required' });
  });

  const FOUR_LINES = JSON.stringify([GOOD_LINE, GOOD_LINE, GOOD_LINE, GOOD_LINE]);

  it.each(['[]', 'null', '{}', '"a"', FOUR_LINES])('cannot have the lines %s', async (lines) => {
    expect(Object.keys(await postText(`{"lines":${lines}}`))).toEqual(['lines']);
  });

  it.each(['null', '1', '"a"', '[]', 'true'])('cannot have the line %s', async (line) => {
    expect(await postText(`{"lines":[${line}]}`)).toEqual({ 'lines[0]': 'must be an object' });
  });

  it.each(['', ' ', 'a b', 'a/b', 'ä', '.', '..', 'x'.repeat(65), 'a\u0000', 'a\n', 1, true, ['a'], { a: 1 }])(
    'cannot have the sku %j',
    async (sku) => {
      expect(await errorsOf('/v1/probes/a', { lines: [{ sku, quantity: 1 }] })).toEqual({ 'lines[0].sku': ID });
    },
  );

  it.each([
    '',
    '  ',
    '\u0000',
    'a\u0007',
    'a\nb',
    'a\u007f',
    'a\u0085',
    'a\u2028b',
    'x'.repeat(501),
    '🛒'.repeat(501),
    7,
  ])('cannot have the text %j', async (reason) => {
    expect(Object.keys(await errorsOf('/v1/probes/a/cancel', { reason }))).toEqual(['reason']);
  });

  it('counts characters of a text, not their halves', async () => {
    expect((await probe.api.post('/v1/probes/a/cancel', { reason: '🛒'.repeat(500) })).status).toBe(200);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'crossCheck'])(
    'cannot smuggle in a member %s',
    async (name) => {
      const before = probe.probes.handled;
      expect(await postText(`{"lines":[{"sku":"a","quantity":1}],"${name}":{"polluted":1}}`)).toEqual({
        [name]: 'is not known here',
      });
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      expect(probe.probes.handled).toBe(before);
    },
  );

  it.each([
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=+5', 'limit'],
    ['limit=5.0', 'limit'],
    ['limit=', 'limit'],
    ['limit', 'limit'],
    ['limit=5&limit=5', 'limit'],
    ['limit=%00', 'limit'],
    ['cursor=', 'cursor'],
    ['cursor=a.b', 'cursor'],
    ['skus=a,', 'skus[1]'],
    ['skus=', 'skus[0]'],
    ['skus=a,b,c,d', 'skus'],
    ['skus=a&skus=b', 'skus'],
    ['state=LOW', 'state'],
    ['Limit=5', 'Limit'],
    ['__proto__=5', '__proto__'],
    ['limit[]=5', 'limit[]'],
  ])('cannot have the query %s', async (query, field) => {
    const problem = problemOf(await probe.api.get(`/v1/probes?${query}`), 400, 'VALIDATION_FAILED');
    expect(Object.keys(asRecord(problem))).toEqual([field]);
  });

  it('cannot have any query where there is none', async () => {
    problemOf(await probe.api.get('/v1/probes/plain?x=1'), 400, 'VALIDATION_FAILED');
    problemOf(await probe.api.put('/v1/probes/a?limit=1', undefined), 400, 'VALIDATION_FAILED');
  });

  it('cannot have a body where there is none', async () => {
    expect((await probe.api.put('/v1/probes/a', {})).status).toBe(200);
    problemOf(await probe.api.put('/v1/probes/a', { a: 1 }), 400, 'VALIDATION_FAILED');
  });

  it('reports a broken body together with a broken path', async () => {
    expect(Object.keys(await errorsOf('/v1/probes/a%20b', new RawBody('{"lines":')))).toEqual(['id', 'body']);
  });

  it('is checked by the rule over several fields once each of them is right', async () => {
    expect(await errorsOf('/v1/probes/cross', { quantity: 0 })).toEqual({ quantity: 'must not be zero' });
    expect(await errorsOf('/v1/probes/cross', { quantity: 11 })).toEqual({
      quantity: 'must be a whole number from -10 to 10',
    });
    expect((await probe.api.post('/v1/probes/cross', { quantity: -3 })).status).toBe(200);
  });
});
