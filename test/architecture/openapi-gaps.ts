import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/*
 * What a generated client, and a person, need of each operation of an OpenAPI document.
 */

type Json = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema: Json;
}

interface MediaType {
  readonly schema?: Json;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Response {
  readonly description?: string;
  readonly headers?: Json;
  readonly content?: Readonly<Record<string, MediaType>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface Document {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

/** @returns what is missing or wrong, each with its place; nothing when the document is whole */
export function gapsOf(document: Document): string[] {
  return new GapSearch(document).gaps();
}

class GapSearch {
  private readonly ajv = new Ajv2020({
    strict: false,
    validateSchema: false,
    formats: { 'date-time': true, 'uri-reference': true },
  });
  /** By the text of the schema: most are the same few. */
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: Document) {
    this.ajv.addSchema(document, 'api');
  }

  gaps(): string[] {
    const operations = Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ operation, place: `${method.toUpperCase()} ${path}` })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    return [
      ...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `two operations are called ${id}`),
      ...operations.flatMap(({ operation, place }) => this.ofOperation(operation).map((gap) => `${place}: ${gap}`)),
      ...Object.entries(this.document.components.schemas).flatMap(([name, schema]) => gapsOfSchema(name, schema)),
    ];
  }

  private ofOperation(operation: Operation): string[] {
    const { operationId, summary, description, tags = [], parameters = [], requestBody, responses } = operation;
    const gaps: string[] = [];
    if (!operationId) gaps.push('no operationId');
    if (!summary) gaps.push('no summary');
    if (!description) gaps.push('no description');
    if (tags.length !== 1 || !this.document.tags.some(({ name }) => name === tags[0])) {
      gaps.push('not exactly one tag that openapi/document.ts knows');
    }
    for (const listed of parameters) {
      const parameter = this.resolved(listed);
      if (!parameter.description) gaps.push(`the parameter ${parameter.name} has no description`);
      if (parameter.example === undefined && !tellsExample(parameter.schema)) {
        gaps.push(`the parameter ${parameter.name} has no example`);
      }
    }
    if (requestBody !== undefined) gaps.push(...this.ofContent('the request', requestBody.content));
    if (!Object.keys(responses).some((status) => status.startsWith('2'))) gaps.push('no successful answer');
    return [...gaps, ...Object.entries(responses).flatMap(([status, response]) => this.ofAnswer(status, response))];
  }

  private ofAnswer(status: string, listed: Response): string[] {
    const { description, headers = {}, content = {} } = this.resolved(listed);
    const gaps: string[] = [];
    if (!description) gaps.push(`the answer ${status} has no description`);
    if (headers['X-Correlation-Id'] === undefined) gaps.push(`the answer ${status} has no X-Correlation-Id`);
    return ['204', '304'].includes(status) ? gaps : [...gaps, ...this.ofContent(`the answer ${status}`, content)];
  }

  private ofContent(what: string, content: Readonly<Record<string, MediaType>>): string[] {
    if (Object.keys(content).length === 0) return [`${what} has no content`];
    return Object.entries(content).flatMap(([type, { schema, example, examples = {} }]) => {
      if (schema === undefined) return [`${what} has no schema of ${type}`];
      const given = Object.values(examples).map((one) => this.resolved(one).value);
      if (example !== undefined) given.push(example);
      if (given.length === 0) return [`${what} has no example of ${type}`];
      // A text is an example of itself.
      if (!/[/+]json$/.test(type)) return [];
      return given
        .filter((one) => !this.fits(one, schema))
        .map((one) => `${what} has an example that its schema refuses: ${JSON.stringify(one)}`);
    });
  }

  private fits(value: unknown, schema: Json): boolean {
    // Taken out of its document, a schema has to name the document that its references lead into.
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
    let validate = this.validators.get(text);
    if (validate === undefined) {
      validate = this.ajv.compile(JSON.parse(text) as object);
      this.validators.set(text, validate);
    }
    return validate(value);
  }

  private resolved<Part extends object>(part: Part): Part {
    const { $ref } = part as { $ref?: string };
    if ($ref === undefined) return part;
    const [, , kind = '', name = ''] = $ref.split('/');
    return (this.document.components as unknown as Record<string, Record<string, Part>>)[kind]![name]!;
  }
}

function gapsOfSchema(name: string, schema: Json): string[] {
  const { description, properties = {} } = schema as {
    description?: string;
    properties?: Readonly<Record<string, Json>>;
  };
  const gaps = description ? [] : [`${name} has no description`];
  for (const [member, of] of Object.entries(properties)) {
    if (!of.description && of.$ref === undefined) gaps.push(`${name}.${member} has no description`);
    if (!tellsExample(of) && !tellsExample((of.items ?? {}) as Json)) gaps.push(`${name}.${member} has no example`);
  }
  return gaps;
}

/** A schema that has a name, or alternatives that have one, has its examples where it stands. */
function tellsExample(schema: Json): boolean {
  return ['$ref', 'oneOf', 'examples', 'default', 'enum', 'const'].some((name) => schema[name] !== undefined);
}
