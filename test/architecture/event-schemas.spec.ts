import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { incompatibilities } from '../../scripts/event-schemas/compatibility.ts';
import {
  ENVELOPE_FILE,
  envelopeSchema,
  fileOf,
  type JsonSchema,
  publishedSchema,
  SCHEMA_FOLDER,
  textOf,
} from '../../scripts/event-schemas/published-schema.ts';
import { PUBLISHED_EVENTS } from '../../src/published-events.ts';
import { defineEvent } from '../../src/shared/kernel/domain-event.ts';
import { ROOT } from './cruise.ts';

const { events } = PUBLISHED_EVENTS;
const FOLDER = join(ROOT, SCHEMA_FOLDER);

describe('docs/events/schemas', () => {
  const current = new Map<string, JsonSchema>([
    [ENVELOPE_FILE, envelopeSchema()],
    ...events.map((definition) => [fileOf(definition), publishedSchema(definition)] as const),
  ]);

  it('has a schema for every version of every event, and no other: what is removed is removed on purpose', () => {
    expect(events.length).toBeGreaterThan(10);
    expect(readdirSync(FOLDER).sort()).toEqual([...current.keys()].sort());
  });

  it('is not changed incompatibly without a new version', () => {
    const problems = [...current].flatMap(([file, schema]) =>
      incompatibilities(published(file), schema).map((problem) => `${file}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it('is what the program says; if it is not, but compatible: npm run event-schemas', () => {
    for (const [file, schema] of current) expect(readFileSync(join(FOLDER, file), 'utf8')).toBe(textOf(schema));
  });

  function published(file: string): JsonSchema {
    return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as JsonSchema;
  }
});

describe('A schema of the same version', () => {
  const closed = { additionalProperties: false } as const;
  const line = { sku: Type.String(), units: Type.Integer({ minimum: 1 }) };
  const members = {
    id: Type.String({ maxLength: 64 }),
    note: Type.Union([Type.String(), Type.Null()]),
    kind: Type.Enum(['A', 'B']),
    extra: Type.Optional(Type.String()),
    lines: Type.Array(Type.Object(line, closed), { minItems: 1 }),
  };
  const schemaOf = (changed: object): JsonSchema =>
    publishedSchema(defineEvent('test.thing.done', 1, Type.Object({ ...members, ...changed }, closed)));
  const before = schemaOf({});
  const without = (name: keyof typeof members): JsonSchema => {
    const { [name]: _, ...rest } = members;
    return publishedSchema(defineEvent('test.thing.done', 1, Type.Object(rest, closed)));
  };

  it.each([
    ['nothing else', schemaOf({})],
    ['other words about it', schemaOf({ id: Type.String({ maxLength: 64, description: 'Names it.' }) })],
    ['a new optional member', schemaOf({ more: Type.Optional(Type.Integer()) })],
    [
      'a new optional member further inside',
      schemaOf({
        lines: Type.Array(Type.Object({ ...line, lot: Type.Optional(Type.String()) }, closed), { minItems: 1 }),
      }),
    ],
  ])('may have %s', (_, now) => {
    expect(incompatibilities(before, now)).toEqual([]);
  });

  it.each([
    ['a new required member', schemaOf({ more: Type.Integer() }), 'data.more is new and required'],
    ['a member less', without('kind'), 'data.kind is gone'],
    ['an optional member less', without('extra'), 'data.extra is gone'],
    [
      'a member that may be missing now',
      schemaOf({ id: Type.Optional(members.id) }),
      'data.id is no longer always there',
    ],
    [
      'an optional member that is required now',
      schemaOf({ extra: Type.String() }),
      'data.extra was optional and is required',
    ],
    ['another type', schemaOf({ id: Type.Integer() }), 'data.id: type was "string" and is "integer"'],
    [
      'a narrower range, which stored events may not keep',
      schemaOf({ id: Type.String({ maxLength: 32 }) }),
      'data.id: maxLength was 64 and is 32',
    ],
    [
      'a wider range, which consumers do not expect',
      schemaOf({ id: Type.String() }),
      'data.id: maxLength was 64 and is undefined',
    ],
    ['one value more', schemaOf({ kind: Type.Enum(['A', 'B', 'C']) }), 'data.kind: enum was'],
    [
      'one alternative more',
      schemaOf({ note: Type.Union([Type.String(), Type.Null(), Type.Integer()]) }),
      'data.note: anyOf was',
    ],
    [
      'another alternative',
      schemaOf({ note: Type.Union([Type.String(), Type.Integer()]) }),
      'data.note anyOf 1: type was "null"',
    ],
    [
      'a new required member further inside',
      schemaOf({ lines: Type.Array(Type.Object({ ...line, lot: Type.String() }, closed), { minItems: 1 }) }),
      'data.lines[].lot is new and required',
    ],
    ['shorter lists', schemaOf({ lines: Type.Array(Type.Object(line, closed)) }), 'data.lines: minItems was 1'],
  ])('may not have %s', (_, now, problem) => {
    expect(incompatibilities(before, now).join('\n')).toContain(problem);
  });

  it('is published open, for consumers pass over what they do not know, and applied closed', () => {
    expect(JSON.stringify(before)).not.toContain('additionalProperties');
    expect(JSON.stringify(events.map(({ payload }) => payload))).toContain('"additionalProperties":false');
  });
});
