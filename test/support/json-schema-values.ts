import fc from 'fast-check';

/*
 * Arbitrary values for the JSON Schemas of our OpenAPI document, which use a small part of the language. What is not known here
 * throws, so that a new keyword does not quietly go untested.
 */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly contentSchema?: Schema;
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

/** What is there to be named, by the name of the parameter or member: ids that exist make requests that go further. */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** More elements than this only make a request longer. */
const ITEMS_MAX = 4;

export class SchemaValues {
  /** @param resolve what a `$ref` stands for */
  constructor(
    private readonly resolve: (reference: string) => Schema,
    readonly known: KnownValues,
  ) {}

  /** Values that fit the schema. @param name of the parameter or member that has it */
  of(schema: Schema, name: string): fc.Arbitrary<unknown> {
    if (schema.$ref !== undefined) return this.of(this.resolve(schema.$ref), name);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    // `anyOf` with all types is how our document says that a member may be anything.
    if (schema.type === undefined && schema.oneOf === undefined) return this.anything(schema, name);
    const choices = schema.oneOf;
    if (choices !== undefined) return fc.oneof(...choices.map((choice) => this.of(choice, name)));
    if (Array.isArray(schema.type)) {
      return fc.oneof(...(schema.type as string[]).map((type) => this.ofType(type, schema, name)));
    }
    return this.ofType(String(schema.type), schema, name);
  }

  private ofType(type: string, schema: Schema, name: string): fc.Arbitrary<unknown> {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return wholeNumbers(schema);
      case 'string':
        return this.texts(schema, name);
      case 'array':
        return fc.array(this.of(schema.items ?? {}, name), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? ITEMS_MAX, ITEMS_MAX),
        });
      case 'object':
        return this.objects(schema);
      default:
        throw new Error(`No values are known for ${name}: ${JSON.stringify(schema)}`);
    }
  }

  /** Where the schema says nothing, the text does: its examples, and what stands in backticks. */
  private anything({ description = '', examples = [] }: Schema, name: string): fc.Arbitrary<unknown> {
    const told = [...examples, ...[...description.matchAll(/`([^`]+)`/g)].map(([, word]) => word)];
    const values = told.length > 0 && name !== 'data' ? fc.constantFrom(...told) : this.eventData();
    return fc.oneof({ weight: 8, arbitrary: values }, { weight: 1, arbitrary: hostileValues });
  }

  /** Of an event of a store or an outside shop: each type takes some of these. */
  private eventData(): fc.Arbitrary<unknown> {
    const line = { sku: this.known['sku'] ?? ['x'], locationId: this.known['locationId'] ?? ['x'] };
    const lines = fc.array(fc.record({ sku: fc.constantFrom(...line.sku), quantity: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 1,
      maxLength: 2,
    });
    return fc.oneof(
      fc.record({ lines }),
      fc.record({ sku: fc.constantFrom(...line.sku), quantity: fc.integer({ min: -3, max: 5 }) }),
      fc.record({
        sku: fc.constantFrom(...line.sku),
        counted: fc.integer({ min: 0, max: 50 }),
        cursor: fc.constant('0'),
      }),
      fc.record({ reservationId: fc.constantFrom(...(this.known['reservationId'] ?? ['x'])) }),
      fc.record({ locationId: fc.constantFrom(...line.locationId) }),
      fc.constant({}),
    );
  }

  private objects({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
    const members = Object.fromEntries(
      Object.entries(properties).map(([member, schema]) => [member, this.of(schema, member)]),
    );
    const own = fc.record(members, { requiredKeys: [...required] });
    if (typeof additionalProperties !== 'object') return own;
    const others = fc.dictionary(fc.constantFrom('a', 'b'), this.of(additionalProperties, 'member'));
    return fc.tuple(own, others).map(([one, more]) => ({ ...more, ...one }));
  }

  private texts(schema: Schema, name: string): fc.Arbitrary<string> {
    const fitting = textsOf(schema);
    const known = this.known[name];
    return known === undefined || known.length === 0
      ? fitting
      : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: fitting });
  }
}

function textsOf({ pattern, format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    const [min, max] = [new Date('2026-01-01T00:00:00Z'), new Date('2027-12-31T00:00:00Z')];
    return fc.date({ min, max, noInvalidDate: true }).map((date) => date.toISOString());
  }
  if (pattern === undefined) return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 40) });
  // Lookaheads only take values away again, which the filter does.
  const simple = new RegExp(pattern.replace(/\(\?![^)]*\)/g, ''), 'u');
  const whole = new RegExp(pattern, 'u');
  return fc
    .stringMatching(simple)
    .filter((text) => whole.test(text) && text.length >= minLength && text.length <= maxLength);
}

/** Small ones first of all: what asks for a million units is refused for that, and for nothing behind it. */
function wholeNumbers({ minimum = 0, maximum = 1_000_000 }: Schema): fc.Arbitrary<number> {
  const least = Math.max(minimum, Math.min(1, maximum));
  const small = fc.integer({ min: least, max: Math.min(maximum, least + 5) });
  return fc.oneof(
    { weight: 3, arbitrary: small },
    { weight: 1, arbitrary: fc.integer({ min: minimum, max: maximum }) },
  );
}

/** Members that belong to the server, or to the language that it is written in. */
const NOT_YOURS = ['version', 'status', 'tenantId', 'clientId', 'onHand', 'held', 'id', '__proto__', 'constructor'];

/** Values that break programs. A lone surrogate, a zero byte, a line break, SQL, a path, an object where a text belongs. */
export const HOSTILE: readonly unknown[] = [
  ...[
    '',
    ' ',
    '.',
    '..',
    '../../etc/passwd',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'a\r\nx-evil: 1',
    '\u2028',
    '\u202e',
    '😀',
  ],
  ...["' OR 1=1 --", '"; DROP TABLE holds; --', '$ne', '{{7*7}}', '%00', '%2e%2e', '*', '__proto__', 'null', 'NaN'],
  ...[0, -1, 0.5, 1e21, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 1e308, 2_147_483_648, 1_000_001, -0],
  ...[null, true, false, [], {}, [[]], [null], { $gt: '' }, { toString: 1 }, { length: -1 }],
  ...['x'.repeat(65), 'x'.repeat(501), 'x'.repeat(5_000), '9'.repeat(40), '1970-01-01T00:00:00.000Z', '+275760-09-13'],
];

export const hostileValues: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
);

interface Mutation {
  /** Chooses the place, as a share of all places. */
  readonly place: number;
  readonly how: 'replace' | 'remove' | 'add';
  readonly value: unknown;
  readonly member: string;
}

const mutations: fc.Arbitrary<Mutation> = fc.record({
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  how: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  value: hostileValues,
  member: fc.constantFrom(...NOT_YOURS),
});

/** Values with one thing in them, however deep, that is something else, not there, or too much. */
export function spoiled(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(values, mutations).map(([value, mutation]) => mutated(value, mutation));
}

type Container = Record<string, unknown>;

function mutated(value: unknown, { place, how, value: other, member }: Mutation): unknown {
  const copy: Container = { root: structuredClone(value) };
  const places = placesIn(copy);
  const [container, name] = places[Math.floor(place * places.length)] ?? [copy, 'root'];
  const there = container[name];
  if (how === 'remove' && container !== copy) Reflect.deleteProperty(container, name);
  else if (how === 'add' && typeof there === 'object' && there !== null) define(there as Container, member, other);
  else define(container, name, other);
  return copy['root'];
}

function placesIn(container: Container): [Container, string][] {
  return Object.entries(container).flatMap(([name, value]) => [
    [container, name] as [Container, string],
    ...(typeof value === 'object' && value !== null ? placesIn(value as Container) : []),
  ]);
}

/** Assigning to `__proto__` would change the prototype, and no JSON. */
function define(container: Container, name: string, value: unknown): void {
  Object.defineProperty(container, name, { value, enumerable: true, configurable: true, writable: true });
}
