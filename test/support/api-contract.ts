import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** An answer, and what it answers. */
export interface Answered {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The value of the request's JSON body, where there was one. */
  readonly asked?: unknown;
}

interface Referenced {
  readonly $ref?: string;
}

interface Header extends Referenced {
  readonly required?: boolean;
  readonly schema: { readonly type?: string };
}

interface Discriminator {
  readonly propertyName: string;
  readonly mapping: Readonly<Record<string, string>>;
}

interface MediaType {
  readonly schema: { readonly type?: string; readonly discriminator?: Discriminator };
}

interface Response extends Referenced {
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A path of the document, as a test for the paths of requests. */
interface Route {
  readonly pattern: RegExp;
  readonly template: string;
  readonly methods: Readonly<Record<string, Operation>>;
}

/** Of the connection and of caches, not of the API. */
const TRANSPORT_HEADERS: ReadonlySet<string> = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-security-policy',
  'content-type',
  'cross-origin-resource-policy',
  'date',
  'keep-alive',
  'referrer-policy',
  'transfer-encoding',
  'x-accel-buffering',
  'x-content-type-options',
  'x-frame-options',
]);

/** The pages for people and the document itself are no part of the API that the document describes. */
const NOT_OF_THE_API = /^\/(docs|openapi\.json)(\/|$)/;

/** Milliseconds and UTC, always (DESIGN section 4). */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What an OpenAPI document promises, held against the answers of a server. Schemas are compiled when first needed. */
export class ApiContract {
  private readonly ajv = new Ajv2020({
    strict: false,
    validateSchema: false,
    formats: { 'date-time': INSTANT, 'uri-reference': /^\/[!-~]*$/ },
  });
  private readonly routes: Route[];
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: Document) {
    this.ajv.addSchema(closed(document) as object, 'api');
    this.routes = Object.entries(document.paths)
      .map(([template, methods]) => ({ template, methods, pattern: patternOf(template) }))
      // A fixed part goes before a parameter, as in the router.
      .sort((a, b) => parametersOf(a.template) - parametersOf(b.template));
  }

  /** The document that is committed; a test compares it with the running app's. */
  static committed(): ApiContract {
    const file = join(__dirname, '..', '..', 'docs', 'openapi.json');
    return new ApiContract(JSON.parse(readFileSync(file, 'utf8')) as Document);
  }

  /** @returns what the document does not say of the answer; nothing when it is as documented */
  faultsOf(answered: Answered): string[] {
    const [pathname = ''] = answered.path.split('?');
    if (NOT_OF_THE_API.test(pathname)) return [];
    const method = answered.method === 'HEAD' ? 'get' : answered.method.toLowerCase();
    const routes = this.routes.filter(({ pattern }) => pattern.test(pathname));
    const route = routes.find(({ methods }) => methods[method] !== undefined) ?? routes[0];
    if (route === undefined) return faultsOfUnknown(answered);
    // Another method's answer (405) is the same at each of the path's own.
    const own = route.methods[method] === undefined ? Object.keys(route.methods)[0]! : method;
    return this.faultsOfOperation(answered, `/paths/${escaped(route.template)}/${own}`, route.methods[own]!);
  }

  private faultsOfOperation(
    answered: Answered,
    at: string,
    { operationId, requestBody, responses }: Operation,
  ): string[] {
    const { status } = answered;
    const listed = responses[status];
    if (listed === undefined) return [`${operationId} has no answer ${status}`];
    const place = listed.$ref?.slice(1) ?? `${at}/responses/${status}`;
    const response = this.resolved(listed);
    const faults = [
      ...this.faultsOfHeaders(answered, response),
      ...this.faultsOfBody(answered, place, response),
      ...this.faultsOfRequest(answered, at, requestBody),
    ];
    return faults.map((fault) => `${operationId} ${status}: ${fault}`);
  }

  /** What the server takes has to be what the document lets a client send. */
  private faultsOfRequest({ status, asked }: Answered, at: string, body: Operation['requestBody']): string[] {
    const mediaType = body?.content['application/json'];
    if (status >= 300 || asked === undefined || mediaType === undefined) return [];
    const faults = this.faultsOfValue(asked, `${at}/requestBody/content/application~1json/schema`, mediaType);
    return faults.map((fault) => `the request was taken, although ${fault}`);
  }

  private faultsOfHeaders({ headers }: Answered, response: Response): string[] {
    const documented = new Map(
      Object.entries(response.headers ?? {}).map(([name, header]) => [name.toLowerCase(), this.resolved(header)]),
    );
    const unknown = Object.keys(headers)
      .filter((name) => !TRANSPORT_HEADERS.has(name) && !documented.has(name))
      .map((name) => `the header ${name} is not documented`);
    const wrong = [...documented].flatMap(([name, { required, schema }]) => {
      const value = headers[name];
      if (value === undefined) return required === true ? [`the header ${name} is missing`] : [];
      const typed = schema.type === 'integer' ? Number(value) : value;
      return this.ajv.validate(schema, typed) ? [] : [`the header ${name}: ${String(value)} does not fit its schema`];
    });
    return [...unknown, ...wrong];
  }

  /** What a line of a stream looks like stands in the `contentSchema` of the text that the stream is. */
  private faultsOfBody({ method, headers, text }: Answered, place: string, { content }: Response): string[] {
    if (method === 'HEAD') return [];
    if (content === undefined) return text === '' ? [] : ['there is a body, which is not documented'];
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    const mediaType = content[type];
    if (mediaType === undefined) return [`the content type ${type} is not documented`];
    const at = `${place}/content/${escaped(type)}/schema`;
    if (/ndjson$/.test(type)) {
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.flatMap((line) => this.faultsOfJson(line, `${at}/contentSchema`, mediaType));
    }
    return /json$/.test(type) ? this.faultsOfJson(text, at, mediaType) : this.faultsOfValue(text, at, mediaType);
  }

  private faultsOfJson(text: string, at: string, mediaType: MediaType): string[] {
    try {
      return this.faultsOfValue(JSON.parse(text), at, mediaType);
    } catch (error) {
      if (error instanceof SyntaxError) return [`the body is no JSON: ${error.message}`];
      throw error;
    }
  }

  /** Alternatives are told apart as the document says, so that what is wrong is told of the right one. */
  private faultsOfValue(value: unknown, at: string, { schema }: MediaType): string[] {
    let pointer = at;
    if (schema.discriminator !== undefined) {
      const { propertyName, mapping } = schema.discriminator;
      const told = String((value as Record<string, unknown>)[propertyName]);
      const reference = mapping[told];
      if (reference === undefined) return [`the ${propertyName} ${told} is not documented`];
      pointer = reference.slice(1);
    }
    const validate = this.validatorAt(pointer);
    if (validate(value)) return [];
    const [error] = validate.errors ?? [];
    return [`${error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}`];
  }

  private validatorAt(pointer: string): ValidateFunction {
    let validate = this.validators.get(pointer);
    if (validate === undefined) {
      validate = this.ajv.getSchema(`api#${encodeURI(pointer)}`);
      if (validate === undefined) throw new Error(`The document has no schema at ${pointer}`);
      this.validators.set(pointer, validate);
    }
    return validate;
  }

  private resolved<Part extends Referenced>(part: Part): Part {
    const [, , kind = '', name = ''] = part.$ref?.split('/') ?? [];
    return part.$ref === undefined ? part : (this.document.components[kind]?.[name] as Part);
  }
}

/** Nothing is known of such a path, so all that may come of it is a problem. */
function faultsOfUnknown({ method, path, status, headers, text }: Answered): string[] {
  if (status < 400) return [`${method} ${path} answers ${status}, and the document has no such path`];
  if (!(headers['content-type'] ?? '').startsWith('application/problem+json')) {
    return [`${method} ${path} answers ${status} and no problem document`];
  }
  if (method === 'HEAD') return [];
  const problem = JSON.parse(text) as Record<string, unknown>;
  return ['type', 'title', 'status', 'detail', 'instance', 'code', 'correlationId']
    .filter((name) => problem[name] === undefined)
    .map((name) => `${method} ${path} answers ${status} without ${name}`);
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}

function parametersOf(template: string): number {
  return template.split('{').length;
}

/** A part of a JSON pointer (RFC 6901). */
function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * A copy in which objects have no members but those that are documented. The document itself leaves room for members
 * of later versions; a server has to be described as it is.
 */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, closed(part)]));
  if (copy.type === 'object' && copy.properties !== undefined) copy.additionalProperties ??= false;
  return copy;
}
