import { ApiContract, type Document } from '../support/api-contract.ts';
import { type Change, changedDocument } from '../support/changed-document.ts';
import { takeContractFaults } from '../support/contract-faults.ts';
import { Api, RawBody } from '../support/http.ts';
import { useShop } from '../support/shop.ts';

/*
 * Every answer that a suite gets through `Api` is held against docs/openapi.json. Here the document lies, once in each
 * way, and the check has to see it.
 */

const READ = ['paths', '/v1/stock/{sku}/{locationId}', 'get'];
const FOUND = [...READ, 'responses', '200'];
const ITEM = ['components', 'schemas', 'StockItemResponse', 'properties'];
const STRING = { type: 'string' };

describe('An answer that is not as documented', () => {
  const shop = useShop('sqlite');

  beforeAll(async () => {
    await shop.location({}, 'L');
    await shop.product({}, 'P');
    await shop.receive('P', 'L', 5);
  });

  /** What happens to a client of the server that believes another document; and it is remembered. */
  async function expectFault(fault: string, change: Change, send: (api: Api) => Promise<unknown>): Promise<void> {
    const contract = new ApiContract(changedDocument(change) as Document);
    const api = new Api(shop.url, 1, () => contract);
    await expect(send(api)).rejects.toThrow(fault);
    api.close();
    expect(takeContractFaults()).toEqual([expect.stringContaining(fault)]);
  }

  it.each<[lie: string, fault: string, ...change: Change]>([
    ['a status left out', 'has no answer 200', FOUND],
    ['a path left out', 'has no such path', ['paths', '/v1/stock/{sku}/{locationId}']],
    ['a member left out', 'must NOT have additional properties', [...ITEM, 'held']],
    [
      'a member made up',
      "must have required property 'gone'",
      ['components', 'schemas', 'StockItemResponse', 'required'],
      ['gone'],
    ],
    ['a wrong type', '/onHand must be string', [...ITEM, 'onHand', 'type'], 'string'],
    ['a wrong range', '/available must be >= 6', [...ITEM, 'available', 'minimum'], 6],
    ['an instant in another form', '/updatedAt must match pattern', [...ITEM, 'updatedAt', 'pattern'], '\\+00:00$'],
    [
      'another content type',
      'the content type application/json is not documented',
      [...FOUND, 'content'],
      { 'application/xml': { schema: STRING } },
    ],
    ['a body where there is none', 'there is a body, which is not documented', [...FOUND, 'content']],
    ['a header left out', 'the header etag is not documented', [...FOUND, 'headers', 'ETag']],
    [
      'a header made up',
      'the header x-gone is missing',
      [...FOUND, 'headers', 'X-Gone'],
      { required: true, schema: STRING },
    ],
    [
      'a header of another form',
      'the header etag',
      [...FOUND, 'headers', 'ETag'],
      { schema: { ...STRING, pattern: '^W/' } },
    ],
  ])('is seen: %s', async (_lie, fault, ...change) => {
    await expectFault(fault, change, (api) => api.get('/v1/stock/P/L'));
  });

  it.each<[lie: string, fault: string, ...change: Change]>([
    [
      'the code of a refusal left out',
      'the code INSUFFICIENT_STOCK is not documented',
      [
        ...['paths', '/v1/reservations', 'post', 'responses', '409', 'content', 'application/problem+json', 'schema'],
        ...['discriminator', 'mapping', 'INSUFFICIENT_STOCK'],
      ],
    ],
    [
      'data of a refusal left out',
      'must NOT have additional properties',
      ['components', 'schemas', 'InsufficientStockProblem', 'properties', 'alternatives'],
    ],
    [
      'a part of that data left out',
      '/shortages/0 must NOT have additional properties',
      ['components', 'schemas', 'Shortage', 'properties', 'requested'],
    ],
  ])('is seen: %s', async (_lie, fault, ...change) => {
    const lines = [{ sku: 'P', quantity: 6, locationId: 'L' }];
    await expectFault(fault, change, (api) => api.post('/v1/reservations', { lines }));
  });

  it('is seen in a line of a stream', async () => {
    const schema = { type: 'object', properties: { row: { type: 'integer' } }, required: ['row'] };
    await expectFault(
      'must NOT have additional properties {"additionalProperty":"outcome"}',
      [
        ['paths', '/v1/stock/import', 'post', 'responses', '200', 'content', 'application/x-ndjson', 'schema'],
        { type: 'string', contentSchema: schema },
      ],
      (api) =>
        api.post('/v1/stock/import', new RawBody('{"sku":"P","locationId":"L","counted":5}', 'application/x-ndjson')),
    );
  });

  it('is seen where the server takes what the document forbids', async () => {
    await expectFault(
      'the request was taken, although /name must NOT have more than 3 characters',
      [['components', 'schemas', 'PutProductRequest', 'properties', 'name', 'maxLength'], 3],
      (api) => api.put('/v1/products/P', { name: 'Four' }),
    );
  });

  it('is seen where the path does not take the method', async () => {
    await expectFault(
      'the header allow is not documented',
      [['components', 'responses', 'MethodNotAllowed', 'headers', 'Allow']],
      (api) => api.send('DELETE', '/v1/stock/P/L'),
    );
  });
});
