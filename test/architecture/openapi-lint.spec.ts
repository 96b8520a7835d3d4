import { join } from 'node:path';
import { type Config, lintFromString, loadConfig } from '@redocly/openapi-core';
import { type SpecData, Validator } from '@seriousme/openapi-schema-validator';
import { type Change, changedDocument, OPENAPI_TEXT } from '../support/changed-document.ts';
import { ROOT } from './cruise.ts';

/*
 * npm run lint:openapi. Redocly is asked as a library: its command line would look for newer versions of itself.
 */

describe('The linter, by the rules of redocly.yaml', () => {
  let config: Config;

  beforeAll(async () => {
    config = await loadConfig({ configPath: join(ROOT, 'redocly.yaml') });
  });

  async function complaintsAbout(document: string): Promise<string[]> {
    const problems = await lintFromString({ source: document, absoluteRef: 'openapi.json', config });
    return problems.map(
      ({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer ?? 'the document'})`,
    );
  }

  it('has nothing to say about docs/openapi.json', async () => {
    expect(await complaintsAbout(OPENAPI_TEXT)).toEqual([]);
  });

  it('complains where there is a reason', async () => {
    const read = ['paths', '/v1/locations/{locationId}', 'get'];
    const planted: readonly (readonly [rule: string, ...change: Change])[] = [
      ['no-unresolved-refs', ['components', 'schemas', 'StockItemResponse']],
      ['operation-operationId', [...read, 'operationId']],
      ['security-defined', ['security']],
      ['path-parameters-defined', [...read, 'parameters'], []],
      ['operation-4xx-problem-details-rfc7807', [...read, 'responses', '404', 'content'], {}],
      ['no-unused-components', ['components', 'schemas', 'Unused'], { type: 'string' }],
      ['path-http-verbs-order', ['paths', '/v1/products'], { get: {}, put: {} }],
    ];
    const document = changedDocument(...planted.map(([, ...change]): Change => change));
    const rules = (await complaintsAbout(JSON.stringify(document))).map((complaint) => complaint.split(':')[0]);
    expect(rules).toEqual(expect.arrayContaining(planted.map(([rule]) => rule)));
  });
});

describe('The JSON Schema of OpenAPI 3.1', () => {
  const validated = (document: unknown) => new Validator().validate(document as SpecData);

  it('accepts docs/openapi.json', async () => {
    expect(await validated(JSON.parse(OPENAPI_TEXT))).toEqual({ valid: true });
  });

  it.each<[what: string, ...change: Change]>([
    ['an answer without description', ['components', 'responses', 'Internal', 'description']],
    ['a header with a name', ['components', 'headers', 'Allow', 'name'], 'Allow'],
    ['a version that there is not', ['openapi'], '3.9.0'],
  ])('refuses %s', async (_what, ...change) => {
    expect(await validated(changedDocument(change))).toMatchObject({ valid: false });
  });
});
