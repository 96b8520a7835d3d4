import { ERROR_CODES, type ErrorCode } from '../error-codes.ts';
import { exampleOf, type Schema, type Schemas } from './example.ts';
import { referencesToHeaders, type RESPONSE_HEADERS } from './headers.ts';
import { PROBLEM_TYPE } from '../problem.ts';
import { PROBLEM_DATA, PROBLEM_PARTS } from '../problem-data.ts';

/** Problem documents in the OpenAPI document: a named schema and a named example for each code that is answered. */
export class ProblemComponents {
  readonly schemas: Record<string, Schema> = {};
  readonly examples: Record<string, { summary: string; value: unknown }> = {};

  /** Answers that are the same for many calls. */
  readonly responses: Record<string, object> = {};

  /**
   * The answer of a call with these codes, which have one status.
   * @param path of the call with the examples of its parameters: what its NOT_FOUND is about
   */
  response(codes: readonly ErrorCode[], path: string): object {
    if (codes.includes('NOT_FOUND') || codes.length > CODES_OF_SHARED_MAX) return this.describe(codes, path);
    const name = codes.map(pascalCase).join('Or');
    this.responses[name] ??= this.describe(codes, path);
    return { $ref: `#/components/responses/${name}` };
  }

  private describe(codes: readonly ErrorCode[], path: string): object {
    const references = codes.map((code) => ({ $ref: `#/components/schemas/${this.addSchema(code)}` }));
    const names = Object.fromEntries(codes.map((code, i) => [code, references[i]?.$ref]));
    return {
      description: codes.map(describeCode).join('\n\n'),
      headers: headersOf(codes),
      content: {
        [PROBLEM_TYPE]: {
          schema:
            references.length === 1
              ? references[0]
              : { oneOf: references, discriminator: { propertyName: 'code', mapping: names } },
          examples: Object.fromEntries(codes.map((code) => [code, this.example(code, path)])),
        },
      },
    };
  }

  private addSchema(code: ErrorCode): string {
    const name = schemaName(code);
    if (this.schemas[name] === undefined) {
      this.schemas[name] = problemSchema(code);
      this.addParts(this.schemas[name]);
    }
    return name;
  }

  /** Only what is used is in the document. */
  private addParts(schema: Schema): void {
    for (const [, name = ''] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      const part = PROBLEM_PARTS[name];
      if (part !== undefined) this.schemas[name] = part;
    }
  }

  private example(code: ErrorCode, path: string): object {
    const summary = ERROR_CODES[code].title;
    if (code === 'NOT_FOUND') {
      return { summary, value: { ...problemExample(code, this.schemas), ...nothingUnder(path) } };
    }
    this.examples[code] ??= { summary, value: problemExample(code, this.schemas) };
    return { $ref: `#/components/examples/${code}` };
  }
}

/** Beyond it, a name made of the codes would be longer than what it saves. */
const CODES_OF_SHARED_MAX = 2;

function describeCode(code: ErrorCode): string {
  const told = `\`${code}\`: ${ERROR_CODES[code].title}.`;
  // OpenAPI has no place for answers of a path, so each of its calls has it.
  return code === 'METHOD_NOT_ALLOWED' ? `${told} For methods that are not listed under this path.` : told;
}

function headersOf(codes: readonly ErrorCode[]): object {
  const names: (keyof typeof RESPONSE_HEADERS)[] = ['X-Correlation-Id', 'RateLimit-Policy', 'RateLimit'];
  if (codes.includes('UNAUTHENTICATED')) names.push('WWW-Authenticate');
  if (codes.includes('METHOD_NOT_ALLOWED')) names.push('Allow');
  if (codes.some((code) => [429, 503].includes(ERROR_CODES[code].status))) names.push('Retry-After');
  return referencesToHeaders(names);
}

/** `INSUFFICIENT_STOCK` is described by `InsufficientStockProblem`. */
function schemaName(code: ErrorCode): string {
  return `${pascalCase(code)}Problem`;
}

function pascalCase(code: ErrorCode): string {
  const words = code.toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** Whole in itself: generators understand one object better than a base with additions. */
function problemSchema(code: ErrorCode): Schema {
  const { status, title } = ERROR_CODES[code];
  const { detail, instance, members = {}, sometimes = [] } = PROBLEM_DATA[code];
  const properties: Record<string, Schema> = {
    type: { type: 'string', const: `/docs/errors#${code}`, description: 'A path into the documentation.' },
    title: { type: 'string', description: 'The same for every error of this code.', examples: [title] },
    status: { type: 'integer', const: status, description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What happened this time, for a person.', examples: [detail] },
    instance: { type: 'string', description: 'The path that was asked for.', examples: [instance] },
    code: { type: 'string', const: code, description: 'Which error it is, for programs; stable.' },
    correlationId: {
      type: 'string',
      description: 'Finds the request in logs and events.',
      examples: ['019ab0c2-7b20-7d11-8e4f-2c5a9f3b7d60'],
    },
    ...members,
  };
  return {
    type: 'object',
    description: `${title}.`,
    properties,
    required: Object.keys(properties).filter((name) => !sometimes.includes(name)),
  };
}

function problemExample(code: ErrorCode, schemas: Schemas): Record<string, unknown> {
  return exampleOf(problemSchema(code), schemas, 'required') as Record<string, unknown>;
}

/** What names the thing in the path: `/v1/reservations/17/confirm` has no reservation 17. */
function nothingUnder(path: string): Record<string, string> {
  // Stores are locations, `/v1/sync/stores/S1`.
  const [list = '', id = ''] = path
    .replace('/sync/stores/', '/locations/')
    .replace(/\/(admin|sync)\//, '/')
    .split('/')
    .slice(2);
  const thing = list === 'stock' ? 'product' : list.replace(/s$/, '').replace('-', ' ');
  const member =
    thing === 'product' ? 'sku' : `${thing.replace(/ (.)/, (_, letter: string) => letter.toUpperCase())}Id`;
  return { detail: `There is no ${thing} ${id}`, instance: path, [member]: id };
}
