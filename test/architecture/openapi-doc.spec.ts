import { type Change, changedDocument, OPENAPI_TEXT } from '../support/changed-document.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { type Document, gapsOf } from './openapi-gaps.ts';

const COMMITTED = JSON.parse(OPENAPI_TEXT) as Document;

describe('docs/openapi.json', () => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await startApp('sqlite');
  });

  afterAll(() => app.close());

  it('is what the running app answers; if not: npm run openapi', async () => {
    const { text } = await app.api.get('/openapi.json');
    expect(COMMITTED).toEqual(JSON.parse(text));
    expect(OPENAPI_TEXT).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  });

  it('says everything of every operation that a generated client and a reader need', () => {
    expect(Object.keys(COMMITTED.paths).length).toBeGreaterThan(15);
    expect(gapsOf(COMMITTED)).toEqual([]);
  });
});

describe('The search for gaps', () => {
  const call = (method: string, path: string) => ['paths', path, method];
  const json = ['content', 'application/json'];
  const answer = (status: string, method: string, path: string) => [...call(method, path), 'responses', status];
  const LOCATION = '/v1/locations/{locationId}';
  const RESERVATION = ['components', 'schemas', 'ReservationResponse'];

  it('finds each one that is planted', () => {
    const planted: readonly (readonly [gap: string, ...change: Change])[] = [
      ['no operationId', [...call('get', '/v1/locations'), 'operationId']],
      ['two operations are called listProducts', [...call('get', '/v1/products/{sku}'), 'operationId'], 'listProducts'],
      ['no summary', [...call('get', '/v1/locations'), 'summary']],
      ['no description', [...call('get', '/v1/locations'), 'description']],
      ['not exactly one tag', [...call('get', '/v1/locations'), 'tags'], ['Made up']],
      ['the parameter locationId has no description', [...call('get', LOCATION), 'parameters', 0, 'description']],
      ['the parameter locationId has no example', [...call('get', LOCATION), 'parameters', 0, 'example']],
      ['If-Match has no example', ['components', 'parameters', 'If-Match', 'schema', 'examples']],
      ['the request has no example of application/json', [...call('put', LOCATION), 'requestBody', ...json, 'example']],
      [
        'the request has an example that its schema refuses: {"name":"Mug"',
        [...call('put', '/v1/products/{sku}'), 'requestBody', ...json, 'example'],
        { name: 'Mug', active: 1 },
      ],
      ['no successful answer', answer('200', 'get', '/v1/stock')],
      ['the answer 200 has no description', [...answer('200', 'get', LOCATION), 'description']],
      ['the answer 200 has no X-Correlation-Id', [...answer('200', 'get', LOCATION), 'headers', 'X-Correlation-Id']],
      ['the answer 201 has no content', [...answer('201', 'put', LOCATION), 'content']],
      ['the answer 200 has no schema of application/json', [...answer('200', 'get', LOCATION), ...json, 'schema']],
      [
        'the answer 412 has an example that its schema refuses',
        ['components', 'examples', 'VERSION_MISMATCH', 'value', 'presentVersion'],
        -1,
      ],
      ['ReservationResponse has no description', [...RESERVATION, 'description']],
      ['ReservationResponse.expiresAt has no description', [...RESERVATION, 'properties', 'expiresAt', 'description']],
      ['ReservationResponse.expiresAt has no example', [...RESERVATION, 'properties', 'expiresAt', 'examples']],
    ];
    const document = changedDocument(...planted.map(([, ...change]): Change => change));
    const found = gapsOf(document as Document).join('\n');
    for (const [gap] of planted) expect(found).toContain(gap);
  });
});
