import { problemOf } from '../../../test/support/http.ts';
import { type ProbeApp, startProbeApp } from '../../../test/support/probe-app.ts';
import { parseIfMatch, renderTag, timedTag, versionTag } from './etag.ts';
import { ValidationFailed } from './http-error.ts';

describe('parseIfMatch', () => {
  it.each([
    [undefined, null],
    ['*', 'any'],
    ['"3"', [3]],
    ['"3.abc-_9"', [3]],
    ['"1", "2" ,"3"', [1, 2, 3]],
    ['"0"', [0]],
    ['W/"3"', []],
    ['W/"3", "4"', [4]],
    ['"abc"', []],
    ['""', []],
    ['"a,b"', []],
    ['"9007199254740991"', [9007199254740991]],
    ['"9007199254740993"', []],
    ['"-1"', []],
    ['"1e3"', []],
  ])('reads %s as %j', (header, match) => {
    expect(parseIfMatch(header)).toEqual(match);
  });

  it.each(['', '3', 'three', '"3', '"3",', ',"3"', '"3" "4"', '*, "3"', "'3'", 'w/"3"', '"a b"'])(
    'refuses %j',
    (header) => {
      expect(() => parseIfMatch(header)).toThrow(ValidationFailed);
    },
  );
});

describe('timedTag', () => {
  it('differs with the body although the version is the same', () => {
    const one = renderTag(timedTag(3), '{"available":1}');
    const other = renderTag(timedTag(3), '{"available":2}');
    expect(one).toMatch(/^"3\.[A-Za-z0-9_-]{11}"$/);
    expect(other).not.toBe(one);
    expect(parseIfMatch(one)).toEqual([3]);
  });

  it('is not what the version alone gives', () => {
    expect(renderTag(versionTag(3), '{}')).toBe('"3"');
  });
});

describe('over HTTP', () => {
  let probe: ProbeApp;

  beforeAll(async () => {
    probe = await startProbeApp();
  });

  afterAll(() => probe.close());

  it('answers 304 without a body while the tag is the same', async () => {
    for (const path of ['/v1/probes/tagged/a', '/v1/probes/tagged/timed']) {
      const first = await probe.api.get(path);
      const etag = first.headers.etag ?? '';
      expect([first.status, first.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      for (const wanted of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await probe.api.get(path, { 'if-none-match': wanted });
        expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
      }
    }
  });

  it.each(['"4"', 'nonsense', '"3'])('answers 200 for If-None-Match: %s', async (wanted) => {
    expect((await probe.api.get('/v1/probes/tagged/a', { 'if-none-match': wanted })).status).toBe(200);
  });

  it('compares If-Match with the version', async () => {
    const put = (ifMatch: string) => probe.api.put('/v1/probes/a', undefined, { headers: { 'if-match': ifMatch } });
    expect((await put('"3.whatever"')).status).toBe(200);
    expect((await put('*')).status).toBe(200);
    problemOf(await put('"2"'), 412, 'VERSION_MISMATCH');
    problemOf(await put('W/"3"'), 412, 'VERSION_MISMATCH');
    problemOf(await put('3'), 400, 'VALIDATION_FAILED');
  });
});
