import type { OpenAPIObject } from '@nestjs/swagger';
import type { RouteAccess } from '../../access/allows.ts';
import { type CostClass, costOf } from '../../access/limits/cost.ts';
import { ROLES } from '../../access/roles.ts';
import { ERROR_CODES, type ErrorCode } from '../error-codes.ts';
import { MARKS } from '../openapi.ts';
import { exampleOf, type Schema, type Schemas, schemaAt } from './example.ts';
import { referencesToHeaders, REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.ts';
import { ProblemComponents } from './problems.ts';
import { explain, requireInAnswers, unmarked, useJsonSchema } from './schemas.ts';

/*
 * What the edge does for every call, and what follows from a route's marks, is not written at each route: it is added
 * here, once, to the document that Nest has built from the decorators.
 */

/** An operation, as far as this file reads or writes it. */
interface Operation {
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, MediaType> };
  responses: Record<string, Response>;
  security?: Record<string, string[]>[];
  'x-roles'?: readonly string[];
  'x-cost'?: CostClass;
  [mark: `x-${string}`]: unknown;
}

type PathItem = OpenAPIObject['paths'][string];

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
  example?: unknown;
}

interface MediaType {
  schema?: Schema;
  example?: unknown;
  examples?: object;
}

interface Response {
  description?: string;
  headers?: Record<string, Schema>;
  content?: Record<string, MediaType>;
}

type Method = 'put' | 'post' | 'get' | 'patch' | 'delete';
/** In the order in which the calls of one path are shown: a thing is made before it is read. */
const METHODS: readonly Method[] = ['put', 'post', 'get', 'patch', 'delete'];

/** A call and where it stands. */
interface Call {
  readonly path: string;
  readonly method: Method;
  readonly operation: Operation;
}

/**
 * @param document is changed on the way
 * @param guarded whether callers are asked for a key
 * @returns the whole document
 */
export function completeDocument(document: OpenAPIObject, guarded: boolean): OpenAPIObject {
  const components = (document.components ??= {}) as Record<string, object>;
  const schemas = (document.components.schemas ??= {}) as Record<string, Schema>;
  const problems = new ProblemComponents();
  const calls = callsOf(document);
  // What is asked of nobody is open, whatever its routes say.
  if (!guarded) calls.forEach(({ operation }) => (operation[MARKS.access] = 'open'));
  Object.values(schemas).forEach(useJsonSchema);
  Object.values(schemas).forEach(explain);
  requireInAnswers(
    calls.map(({ operation }) => operation.requestBody),
    schemas,
  );
  for (const call of calls) {
    completeAccess(call);
    completeParameters(call.operation);
    completeBodies(call.operation, schemas);
    completeRefusals(call, problems);
    completeHeaders(call);
  }
  Object.values(problems.schemas).forEach(explain);
  Object.assign(schemas, problems.schemas);
  components.responses = problems.responses;
  components.examples = problems.examples;
  components.parameters = usedIn(document, 'parameters', REQUEST_HEADERS);
  components.headers = usedIn(document, 'headers', RESPONSE_HEADERS);
  const { openapi, info, servers, tags, security } = document;
  const paths = sortedByTag(document);
  return unmarked({ openapi, info, servers, security, tags, paths, components }) as OpenAPIObject;
}

function callsOf({ paths }: OpenAPIObject): Call[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method] as Operation | undefined;
      return operation === undefined ? [] : [{ path, method, operation }];
    }),
  );
}

// ---------------------------------------------------------------- who may ask

/** What a caller is known by; the names are those of the document's security schemes. */
export const CREDENTIALS = { key: 'ApiKey', token: 'AccessToken' } as const;

/** Where a call asks for something else than the whole document does, and which roles may make it. */
function completeAccess({ path, method, operation }: Call): void {
  const access = operation[MARKS.access] as RouteAccess;
  const only = operation[MARKS.credential] as keyof typeof CREDENTIALS | undefined;
  if (access === 'open') {
    operation.security = [];
    return;
  }
  if (only !== undefined) operation.security = [{ [CREDENTIALS[only]]: [] }];
  // By a setting, nobody is asked for a key there; an empty requirement says so.
  if (!path.startsWith('/v1/')) operation.security = [{}, ...eitherCredential()];
  operation['x-roles'] = access === 'anyone' ? ROLES : access;
  operation['x-cost'] = costOf(method.toUpperCase(), operation[MARKS.cost] as CostClass | undefined);
}

export function eitherCredential(): Record<string, string[]>[] {
  return Object.values(CREDENTIALS).map((name) => ({ [name]: [] }));
}

// ---------------------------------------------------------------- requests

/**
 * A page to try the API fills in the example of a parameter. That helps with a path; with a filter, a cursor or a
 * condition it would be in the way, so there the example stays in the schema.
 */
function completeParameters(operation: Operation): void {
  const { parameters = [] } = operation;
  // Filters are what a list is about; how to page stands after them.
  const isPaging = ({ name }: Parameter) => Number(name === 'limit' || name === 'cursor');
  operation.parameters = parameters.sort((a, b) => isPaging(a) - isPaging(b));
  for (const parameter of parameters) {
    if (parameter.required === true && Object.hasOwn(parameter.schema, 'example')) {
      parameter.example = parameter.schema.example;
      delete parameter.schema.example;
    } else {
      useJsonSchema(parameter.schema);
    }
  }
}

function completeBodies({ requestBody, responses }: Operation, schemas: Schemas): void {
  for (const { content = {} } of Object.values(responses)) addExamples(content, schemas, 'required');
  if (requestBody === undefined) return;
  addExamples(requestBody.content, schemas, 'all');
  const needed = Object.values(requestBody.content).some(({ schema }) => needsMembers(schema, schemas));
  requestBody.required = needed;
}

/** A request shows all that it can say, an answer what it always says. */
function addExamples(content: Record<string, MediaType>, schemas: Schemas, members: 'all' | 'required'): void {
  for (const mediaType of Object.values(content)) {
    if (mediaType.schema === undefined || mediaType.examples !== undefined) continue;
    mediaType.example ??= exampleOf(mediaType.schema, schemas, members);
  }
}

/** No body is the same as `{}`. */
function needsMembers(schema: Schema | undefined, schemas: Schemas): boolean {
  if (schema === undefined) return true;
  const { type, required } = typeof schema.$ref === 'string' ? schemaAt(schema.$ref, schemas) : schema;
  return type !== 'object' || (Array.isArray(required) && required.length > 0);
}

// ---------------------------------------------------------------- answers

/** Codes that every call can answer with. */
const COMMON_CODES: readonly ErrorCode[] = [
  'VALIDATION_FAILED',
  'METHOD_NOT_ALLOWED',
  'URI_TOO_LONG',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];
/** What answers JSON looks at `Accept`; what reads or writes stock needs the database. */
const JSON_CODES: readonly ErrorCode[] = ['NOT_ACCEPTABLE'];
const API_CODES: readonly ErrorCode[] = ['BUSY', 'UNAVAILABLE'];
/** Codes of every call that is not for everybody. */
const ACCESS_CODES: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED'];
/** Codes of every call that takes a body. */
const BODY_CODES: readonly ErrorCode[] = ['REQUEST_TIMEOUT', 'UNSUPPORTED_MEDIA_TYPE'];
/** Codes of every call whose body is read whole. */
const WHOLE_BODY_CODES: readonly ErrorCode[] = ['BODY_TOO_LARGE'];

/** Whether the body is rows, read while they arrive: of any size, and remembered row by row instead of by the answer. */
function isStreamed({ requestBody }: Operation): boolean {
  return requestBody !== undefined && requestBody.content['application/json'] === undefined;
}

function codesOf({ path, operation }: Call): Set<ErrorCode> {
  const own = (operation[MARKS.errorCodes] ?? []) as ErrorCode[];
  const codes = new Set([...COMMON_CODES, ...own]);
  const add = (more: readonly ErrorCode[]) => more.forEach((code) => codes.add(code));
  if (operation[MARKS.access] !== 'open') add(ACCESS_CODES);
  if (path.startsWith('/v1/')) add([...JSON_CODES, ...API_CODES]);
  if (path.startsWith('/health/')) add(JSON_CODES);
  if (operation.requestBody !== undefined) add(BODY_CODES);
  if (operation.requestBody !== undefined && !isStreamed(operation)) add(WHOLE_BODY_CODES);
  if (operation[MARKS.idempotencyKey] === true) add(['IDEMPOTENCY_KEY_MISSING', 'IDEMPOTENCY_KEY_REUSED']);
  if (codes.has('IDEMPOTENCY_KEY_REUSED')) add(['IDEMPOTENCY_KEY_IN_FLIGHT']);
  return codes;
}

function completeRefusals(call: Call, problems: ProblemComponents): void {
  const { operation } = call;
  const byStatus = new Map<number, ErrorCode[]>();
  // In the order of the catalogue, so that the same codes always read the same.
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    if (!codesOf(call).has(code)) continue;
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const samplePath = samplePathOf(call);
  for (const [status, codes] of byStatus) {
    operation.responses[status] = problems.response(codes, samplePath);
  }
}

/** The path with the examples of its parameters. */
function samplePathOf({ path, operation }: Call): string {
  return path.replace(/\{(\w+)\}/g, (_, name) =>
    String(operation.parameters?.find((one) => one.name === name)?.example),
  );
}

/** A PUT names what it makes, a POST is answered with the id. */
function samplePathOfMade(call: Call, { content = {} }: Response): string {
  const path = samplePathOf(call);
  if (call.method === 'put') return path;
  const [body] = Object.values(content).map(({ example }) => example as { id?: string } | undefined);
  return `${path}/${body?.id ?? ''}`;
}

/** Which headers a call takes and answers with, told from its codes and marks. */
function completeHeaders(call: Call): void {
  const { operation, method } = call;
  const codes = codesOf(call);
  const tagged = operation[MARKS.entityTag] === true;
  const takes = (name: keyof typeof REQUEST_HEADERS) =>
    (operation.parameters ??= []).push({ $ref: `#/components/parameters/${name}` } as unknown as Parameter);
  if (codes.has('IDEMPOTENCY_KEY_MISSING')) takes('Idempotency-Key');
  else if (codes.has('IDEMPOTENCY_KEY_REUSED')) takes('Idempotency-Key-Optional');
  if (codes.has('VERSION_MISMATCH')) takes('If-Match');
  if (operation[MARKS.makesOnly] === true) takes('If-None-Match-Makes-Only');
  if (tagged && method === 'get') {
    takes('If-None-Match');
    operation.responses[304] = { description: 'As `If-None-Match` names it: nothing has changed.' };
  }
  takes('X-Correlation-Id');
  for (const [status, response] of Object.entries(operation.responses)) {
    if (Number(status) >= 400) continue;
    const answers: (keyof typeof RESPONSE_HEADERS)[] = ['X-Correlation-Id'];
    if (operation[MARKS.access] !== 'open') answers.push('RateLimit-Policy', 'RateLimit');
    if (tagged) answers.push('ETag');
    if (codes.has('IDEMPOTENCY_KEY_REUSED') && !isStreamed(operation)) answers.push('Idempotency-Replayed');
    const { Location: made } = response.headers ?? {};
    if (made !== undefined) made.example = samplePathOfMade(call, response);
    response.headers = { ...response.headers, ...referencesToHeaders(answers) };
  }
}

// ---------------------------------------------------------------- the whole

function usedIn(document: object, kind: string, all: Readonly<Record<string, object>>): Record<string, unknown> {
  const text = JSON.stringify(document);
  return Object.fromEntries(Object.entries(all).filter(([name]) => text.includes(`"#/components/${kind}/${name}"`)));
}

/** Where the order of the routes in the program is not that in which a newcomer needs them. */
const READ_FIRST: readonly string[] = [
  '/v1/stock/{sku}/{locationId}/movements',
  '/v1/stock/{sku}/{locationId}',
  '/v1/stock/{sku}',
  '/v1/stock',
];

/** Pages show the calls of a tag in the order of the document, and readers want them in the order of the tags. */
function sortedByTag({ paths, tags = [] }: OpenAPIObject): OpenAPIObject['paths'] {
  const order = tags.map(({ name }) => name);
  const placeOf = (path: string, item: PathItem) => {
    const tag = METHODS.flatMap((method) => item[method]?.tags ?? [])[0] ?? '';
    return placeIn(order, tag) * (READ_FIRST.length + 1) + placeIn(READ_FIRST, path);
  };
  const sorted = Object.entries(paths).sort((a, b) => placeOf(...a) - placeOf(...b));
  return Object.fromEntries(sorted.map(([path, item]) => [path, inOrder(item)]));
}

/** What is not in the list comes after it. */
function placeIn(list: readonly string[], one: string): number {
  const place = list.indexOf(one);
  return place === -1 ? list.length : place;
}

function inOrder(item: PathItem): PathItem {
  return Object.fromEntries(METHODS.flatMap((method) => (item[method] === undefined ? [] : [[method, item[method]]])));
}
