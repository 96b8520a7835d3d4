import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Role } from '../../src/shared/access/roles.ts';
import { hostileValues, type KnownValues, type Schema, SchemaValues, spoiled } from './json-schema-values.ts';

/** One request, as it goes over the wire. */
export interface RandomRequest {
  /** `GET /v1/stock/{sku}` */
  readonly operation: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly text: string; readonly contentType: string } | null;
}

interface Parameter {
  readonly $ref?: string;
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly schema: Schema;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> };
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, unknown>> }>>;
  readonly 'x-roles'?: readonly Role[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** An operation of the document with everything that a request for it needs. */
export interface RandomOperation {
  readonly name: string;
  /** Undefined: open to everybody. */
  readonly roles: readonly Role[] | undefined;
  /** Its answer does not end by itself. */
  readonly endless: boolean;
  readonly requests: fc.Arbitrary<RandomRequest>;
}

/** Answers after so many seconds, unless something happens: none of them is worth waiting for. */
const WAITING = 'waitSeconds';

/** Requests for each operation of docs/openapi.json: as it describes them, and with something in them that it does not. */
export function randomOperations(known: KnownValues): RandomOperation[] {
  const document = JSON.parse(readFileSync(join(__dirname, '../../docs/openapi.json'), 'utf8')) as Document;
  const values = new SchemaValues((reference) => resolved(document, reference) as Schema, known);
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`;
      const endless = Object.values(operation.responses).some(({ content = {} }) => 'text/event-stream' in content);
      const requests = requestsOf(document, values, name, operation);
      return { name, roles: operation['x-roles'], endless, requests };
    }),
  );
}

function requestsOf(
  document: Document,
  values: SchemaValues,
  name: string,
  { parameters = [], requestBody }: Operation,
): fc.Arbitrary<RandomRequest> {
  const [method = '', template = ''] = name.split(' ');
  const all = parameters.map((one) => (one.$ref === undefined ? one : (resolved(document, one.$ref) as Parameter)));
  const ofKind = (kind: Parameter['in']) => all.filter((parameter) => parameter.in === kind);
  const path = fc.record(
    Object.fromEntries(ofKind('path').map((one) => [one.name, parameterTexts(values, one, 1).map(pathSegment)])),
  );
  return fc
    .record({
      path,
      query: queries(values, ofKind('query')),
      headers: headersOf(values, ofKind('header')),
      body: requestBody === undefined ? fc.constant(null) : bodies(values, requestBody.content),
    })
    .map(({ path: params, query, headers, body }) => ({
      operation: name,
      method,
      path: `${template.replace(/\{(\w+)\}/g, (_, param: string) => params[param] ?? '')}${query}`,
      headers,
      body,
    }));
}

/** @param hostileWeight of 10 */
function parameterTexts(
  values: SchemaValues,
  { name, schema }: Parameter,
  hostileWeight: number,
): fc.Arbitrary<string> {
  if (name === WAITING) return fc.constantFrom('0', '0', '31', '-1', 'x', '');
  return fc.oneof(
    { weight: 10 - hostileWeight, arbitrary: values.of(schema, name).map(String) },
    {
      weight: hostileWeight,
      arbitrary: hostileValues.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
    },
  );
}

/** An empty one would be another path. */
function pathSegment(text: string): string {
  return encodeURIComponent((text === '' ? '%' : text).toWellFormed());
}

function queries(values: SchemaValues, parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const pairs = fc.record(
    Object.fromEntries(
      parameters.map((one) => [one.name, fc.option(parameterTexts(values, one, 2), { freq: 2, nil: undefined })]),
    ),
  );
  const odd = fc.oneof(
    { weight: 12, arbitrary: fc.constant('') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'unknown=1',
        '__proto__=1',
        'limit=1&limit=2',
        '%',
        '%ff',
        'a[b]=1',
        'tenantId=default',
        '&&&',
      ),
    },
  );
  return fc.tuple(pairs, odd).map(([given, more]) => {
    const parts = Object.entries(given)
      .filter(([, text]) => text !== undefined)
      .map(([name, text]) => `${name}=${encodeURIComponent(String(text).toWellFormed())}`);
    const query = [...parts, more].filter((part) => part !== '').join('&');
    return query === '' ? '' : `?${query}`;
  });
}

/** What a client of Node lets pass: no control characters, one byte each. */
const SENDABLE = /^[\x20-\x7e\x80-\xff]*$/;

function headersOf(values: SchemaValues, parameters: readonly Parameter[]): fc.Arbitrary<Record<string, string>> {
  const texts = (one: Parameter) =>
    (one.name.startsWith('If-') ? conditions : parameterTexts(values, one, 3)).map((text) =>
      SENDABLE.test(text) ? text.trim() : 'x',
    );
  const often = parameters.filter(({ name }) => name === 'Idempotency-Key');
  const seldom = parameters.filter(({ name }) => name !== 'Idempotency-Key');
  return fc
    .tuple(
      fc.record(
        Object.fromEntries(
          often.map((one) => [
            one.name,
            fc.oneof({ weight: 9, arbitrary: freshKeys }, { weight: 1, arbitrary: texts(one) }),
          ]),
        ),
      ),
      fc.record(Object.fromEntries(seldom.map((one) => [one.name, texts(one)]))),
      fc.constantFrom(...seldom.map(({ name }) => name), 'none', 'none', 'none'),
    )
    .map(([one, more, chosen]) => {
      const text = (more as Record<string, string>)[chosen];
      return { ...one, ...(text === undefined ? {} : { [chosen]: text }) };
    });
}

const freshKeys = fc.uuid();

const conditions = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('"1"', '"2"', '"3"', '*') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('W/"1"', '"77"', '1', '"1", "2"', '"', '', ',', `"${'1'.repeat(300)}"`, '"1.x"'),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);

function bodies(
  values: SchemaValues,
  content: Readonly<Record<string, { schema: Schema }>>,
): fc.Arbitrary<{ text: string; contentType: string }> {
  const [contentTypes] = [Object.keys(content)];
  const ofType = contentTypes.map((contentType) => textsOf(values, contentType, content[contentType]?.schema ?? {}));
  return fc
    .tuple(fc.oneof(...ofType), fc.oneof({ weight: 30, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: odd }))
    .map(([right, other]) => (other === null ? right : { ...right, ...other }));
}

/** Bodies that are none, and bodies that say that they are something else. */
const odd: fc.Arbitrary<{ text?: string; contentType?: string }> = fc.oneof(
  fc.record({
    text: fc.constantFrom(
      '',
      '{',
      'null',
      '{"a":1,"a":2}',
      '[1e999]',
      '{"quantity":1e999}',
      '['.repeat(3_000),
      '\u0000',
    ),
  }),
  fc.record({ text: fc.string({ unit: 'binary', maxLength: 200 }) }),
  fc.record({ contentType: fc.constantFrom('text/plain', 'application/xml', 'application/json; charset=utf-16', 'x') }),
);

function textsOf(
  values: SchemaValues,
  contentType: string,
  schema: Schema,
): fc.Arbitrary<{ text: string; contentType: string }> {
  const lines = (line: Schema) => fc.array(mostlyRight(values.of(line, 'line')), { minLength: 1, maxLength: 4 });
  const texts = /json$/.test(contentType)
    ? mostlyRight(values.of(schema, 'body')).map((value) => JSON.stringify(value))
    : schema.contentSchema === undefined
      ? csvTextsOf(values.known)
      : lines(schema.contentSchema).map((all) => all.map((line) => JSON.stringify(line)).join('\n'));
  return texts.map((text) => ({ text, contentType }));
}

function mostlyRight(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 10, arbitrary: right },
    { weight: 4, arbitrary: spoiled(right) },
    { weight: 1, arbitrary: hostileValues },
  );
}

const cellsOf = ({ sku = [], locationId = [] }: KnownValues) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...sku, ...locationId, 'RECEIPT', 'SALE', '1', '2', '5', '') },
    {
      weight: 1,
      arbitrary: hostileValues.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
    },
    { weight: 1, arbitrary: fc.constantFrom('"', '""', '"a""b"', '"a\nb"', '=1+1', '\ufeff', '\t') },
  );

const csvTextsOf = (known: KnownValues) =>
  fc
    .tuple(
      fc.constantFrom(
        'sku,locationId,counted',
        'sku,locationId,type,quantity',
        'sku,sku,counted',
        'a',
        'counted,locationId,sku',
      ),
      fc.array(fc.array(cellsOf(known), { minLength: 3, maxLength: 4 }), { maxLength: 4 }),
    )
    .map(([head, rows]) => [head, ...rows.map((row) => row.join(','))].join('\n'));

function resolved(document: object, reference: string): unknown {
  const part = reference
    .split('/')
    .slice(1)
    .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document);
  if (part === undefined) throw new Error(`${reference} leads nowhere`);
  return part;
}
