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
  const READ = ['paths', '/v1/locations/{locationId}', 'get'];
  const PUT = ['paths', '/v1/locations/{locationId}', 'put'];
  const JSON_CONTENT = ['content', 'application/json'];

  it.each<[gap: string, ...change: Change]>([
    ['no operationId', [...READ, 'operationId']],
    ['two operations are called listLocations', [...READ, 'operationId'], 'listLocations'],
    ['no summary', [...READ, 'summary']],
    ['no description', [...READ, 'description']],
    ['not exactly one tag', [...READ, 'tags'], ['Made up']],
    ['locationId has no description', [...READ, 'parameters', 0, 'description']],
    ['locationId has no example', [...READ, 'parameters', 0, 'example']],
    ['If-Match has no example', ['components', 'parameters', 'If-Match', 'schema', 'examples']],
    ['the request has no example of application/json', [...PUT, 'requestBody', ...JSON_CONTENT, 'example']],
    [
      'the request has an example that its schema refuses',
      [...PUT, 'requestBody', ...JSON_CONTENT, 'example'],
      { name: 'Berlin' },
    ],
    ['no successful answer', [...READ, 'responses', '200']],
    ['the answer 200 has no description', [...READ, 'responses', '200', 'description']],
    ['the answer 200 has no X-Correlation-Id', [...READ, 'responses', '200', 'headers', 'X-Correlation-Id']],
    ['the answer 200 has no content', [...READ, 'responses', '200', 'content']],
    ['the answer 200 has no schema of application/json', [...READ, 'responses', '200', ...JSON_CONTENT, 'schema']],
    [
      'the answer 412 has an example that its schema refuses',
      ['components', 'examples', 'VERSION_MISMATCH', 'value', 'presentVersion'],
      -1,
    ],
    [
      'ReservationResponse.expiresAt has no example',
      ['components', 'schemas', 'ReservationResponse', 'properties', 'expiresAt', 'examples'],
    ],
  ])('finds: %s', (gap, ...change) => {
    expect(gapsOf(changedDocument(change) as Document).join('\n')).toContain(gap);
  });
});
