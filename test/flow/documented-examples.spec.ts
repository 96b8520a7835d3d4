import { OPENAPI_TEXT } from '../support/changed-document.ts';
import { useShop } from '../support/shop.ts';
import { StoreClient } from '../support/store-client.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name?: string; readonly example?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
}

const { paths } = JSON.parse(OPENAPI_TEXT) as { paths: Record<string, Record<string, Operation>> };

/** Each call that takes JSON, in the order of the document, in which a newcomer tries them. */
const CALLS = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, { operationId, parameters, requestBody }]) => {
    const example = requestBody?.content['application/json']?.example;
    return example === undefined ? [] : [{ operationId, method: method.toUpperCase(), path, parameters, example }];
  }),
);

/** That a step before it has done already what it asks for is no fault of an example. */
const REFUSED_BY_THE_STATE = 409;

describe('The examples of the OpenAPI document', () => {
  const shop = useShop('sqlite');
  /** What was made last, by the path under which it was made. */
  const made = new Map<string, string>();

  beforeAll(async () => {
    // The transfer's example starts at a second location, which has to have units.
    await shop.location({ kind: 'WAREHOUSE' }, 'W1');
    await shop.product({}, 'MUG-RED');
    await shop.receive('MUG-RED', 'W1', 10);
    // The events of the example belong to the first epoch of its store.
    await shop.location({}, 'S1');
    await StoreClient.open(shop.api, 'S1');
  });

  it('are there for every call with a body', () => {
    expect(CALLS.length).toBeGreaterThan(12);
  });

  it.each(CALLS)('$operationId: can be sent as they are', async ({ method, path, parameters, example }) => {
    const [list = ''] = path.split('/{id}');
    const examples = new Map(parameters.map((parameter) => [parameter.name, parameter.example]));
    // What no call makes (a dead letter) is not there: then its example is as good as that.
    const id = made.get(list) ?? examples.get('id');
    const url = path.replace(/\{(\w+)\}/g, (_, name) => (name === 'id' ? id! : examples.get(name)!));
    const answer = await shop.api.send<{ id?: string }>(method, url, example, { key: `example ${method} ${path}` });
    if (answer.body.id !== undefined) made.set(path, answer.body.id);
    const isThere = !path.includes('{id}') || made.has(list);
    expect(isThere ? [200, 201, REFUSED_BY_THE_STATE] : [404]).toContain(answer.status);
  });
});
