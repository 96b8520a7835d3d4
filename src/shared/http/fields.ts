import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { ValidateBy, type ValidationArguments } from 'class-validator';
import type { FieldError } from './http-error.ts';
import { OPTIONAL_IN_REQUESTS } from './openapi.ts';

/*
 * What a field of a request may hold. Each decorator says it twice from one source: to class-validator, which checks
 * it, and to the OpenAPI document, which tells it. validation.ts applies them.
 */

/** Says what is wrong with a value that is there, to be read after the field's name, or null. */
export type Rule = (value: unknown) => string | null;

/** A class of fields. */
export type FieldsClass = new () => object;

export interface Presence {
  /** The field may be left out. A property initialiser is its default. */
  readonly optional?: boolean;
  /** The field may be left out or null, which mean the same. For fields that the answers themselves show as null. */
  readonly nullable?: boolean;
  /** For the OpenAPI document. */
  readonly description?: string;
  readonly example?: unknown;
}

/** What validation.ts has to know of a field beyond its class-validator rule. */
export interface FieldShape {
  readonly nullable: boolean;
  /** The rule with what is absent or null taken care of: all that class-validator is told. */
  readonly verdict: Rule;
  /** Makes the value of a query parameter's text; text that it cannot read stays as it is and fails its rule. */
  readonly read?: (text: string) => unknown;
  /** The class of each item of a list. */
  readonly items?: () => FieldsClass;
  /** The rule for each item of a list of plain values. */
  readonly eachItem?: Rule;
  /** Of a list whose items stand each for themselves: what is wrong with one so that it refuses the request. */
  readonly openItem?: (item: unknown) => readonly FieldError[];
  /** Most items of a list. Those beyond are not looked at: the list is refused, and telling of each would cost more. */
  readonly itemsMax?: number;
}

const shapes = new WeakMap<object, Map<string, FieldShape>>();

/** @returns the fields of a class and of those that it extends, by name */
export function fieldsOf(type: FieldsClass): ReadonlyMap<string, FieldShape> {
  const fields = new Map<string, FieldShape>();
  for (let prototype: unknown = type.prototype; prototype instanceof Object;) {
    for (const [name, shape] of shapes.get(prototype) ?? []) {
      if (!fields.has(name)) fields.set(name, shape);
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return fields;
}

function field(
  rule: Rule,
  presence: Presence,
  schema: ApiPropertyOptions,
  shape: Omit<FieldShape, 'nullable' | 'verdict'> = {},
): PropertyDecorator {
  const nullable = presence.nullable ?? false;
  const optional = nullable || (presence.optional ?? false);
  const verdict: Rule = (value) => {
    if (value === undefined) return optional ? null : 'is required';
    if (value === null) return nullable ? null : 'must not be null';
    return rule(value);
  };
  const remember: PropertyDecorator = (prototype, name) => {
    const fields = shapes.get(prototype) ?? new Map<string, FieldShape>();
    shapes.set(prototype, fields.set(String(name), { nullable, verdict, ...shape }));
  };
  return applyDecorators(
    remember,
    ValidateBy({
      name: 'field',
      validator: {
        validate: (value: unknown) => verdict(value) === null,
        defaultMessage: (argument?: ValidationArguments) => verdict(argument?.value) ?? '',
      },
    }),
    ApiProperty({
      ...schema,
      required: !optional,
      ...(optional ? { [OPTIONAL_IN_REQUESTS]: true } : {}),
      ...(nullable ? { nullable: true } : {}),
      ...(presence.description === undefined ? {} : { description: presence.description }),
      ...(presence.example === undefined ? {} : { example: presence.example }),
    } as ApiPropertyOptions),
  );
}

// ---------------------------------------------------------------- ids and texts

/** Skus and ids (DESIGN section 4); `.` and `..` would be folded away in a path. */
const ID = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,64}$/;
export const ID_PATTERN = ID.source;

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

const idRule: Rule = (value) =>
  isId(value) ? null : 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ : - and not . or ..';

const ID_SCHEMA = { type: 'string', pattern: ID_PATTERN, minLength: 1, maxLength: 64 } as const;

/** A sku or an id. */
export function IdField(presence: Presence = {}): PropertyDecorator {
  return field(idRule, presence, { ...ID_SCHEMA });
}

/** Most characters of a text. Code points, as JSON Schema and both databases count them: an emoji is one. */
export const TEXT_CHARACTERS_MAX = 500;

/** Control characters (C0 and C1) and the line ends that JavaScript and some log viewers know besides. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** A name that somebody else has chosen, as it may be stored, shown and logged: without control characters. */
export function printable(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd');
}

/** @returns whether the text is what DESIGN section 4 allows in names and reasons */
export function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && textRule(value) === null;
}

const textRule: Rule = (value) => {
  if (typeof value !== 'string') return 'must be a text';
  // First, so that nothing else looks at a megabyte.
  if (hasMoreCharactersThan(value, TEXT_CHARACTERS_MAX)) return `must have at most ${TEXT_CHARACTERS_MAX} characters`;
  if (value.trim() === '') return 'must not be empty or blank';
  if (!value.isWellFormed()) return 'has a lone surrogate, which is no character';
  return CONTROL.test(value) ? 'must not have control characters' : null;
};

function hasMoreCharactersThan(text: string, max: number): boolean {
  if (text.length <= max) return false;
  return text.length > 2 * max || [...text].length > max;
}

/** A name, a reason, a reference: 1 to 500 characters, no control characters, not blank. */
export function TextField(presence: Presence = {}): PropertyDecorator {
  return field(textRule, presence, { type: 'string', minLength: 1, maxLength: TEXT_CHARACTERS_MAX });
}

export function EnumField(allowed: readonly string[], presence: Presence & { name?: string } = {}): PropertyDecorator {
  return field(
    (value) => (typeof value === 'string' && allowed.includes(value) ? null : `must be one of ${allowed.join(', ')}`),
    presence,
    { type: 'string', enum: [...allowed], ...(presence.name === undefined ? {} : { enumName: presence.name }) },
  );
}

/** As all times of the API; a request may leave out the milliseconds. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;

const instantRule: Rule = (value) =>
  typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value))
    ? null
    : 'must be a time in UTC such as 2026-11-22T09:00:00.000Z';

/** A time in UTC, ISO-8601. */
export function InstantField(presence: Presence = {}): PropertyDecorator {
  return field(instantRule, presence, { type: 'string', format: 'date-time' });
}

// ---------------------------------------------------------------- numbers and switches

/** A whole number as a JSON number; 1.0 and 1e2 are whole, "1" is a text. Both bounds belong to the range. */
export function QuantityField(range: { min: number; max: number } & Presence): PropertyDecorator {
  const { min, max } = range;
  return field(
    (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max && !Object.is(value, -0)
        ? null
        : `must be a whole number from ${min} to ${max}`,
    range,
    { type: 'integer', minimum: min, maximum: max },
  );
}

export function BooleanField(presence: Presence = {}): PropertyDecorator {
  return field((value) => (typeof value === 'boolean' ? null : 'must be true or false'), presence, { type: 'boolean' });
}

// ---------------------------------------------------------------- lists in a body

interface Length {
  readonly min: number;
  readonly max: number;
}

function lengthRule({ min, max }: Length): Rule {
  return (value) =>
    Array.isArray(value) && value.length >= min && value.length <= max ? null : `must be a list of ${min} to ${max}`;
}

/** A list of objects, e.g. the lines of a reservation. @param items the class of one, deferred so that order is free */
export function ListField(items: () => FieldsClass, length: Length & Presence): PropertyDecorator {
  // Swagger knows a deferred class by the function's name, `type`.
  const schema = { type: () => items(), isArray: true, minItems: length.min, maxItems: length.max };
  return field(lengthRule(length), length, schema, { items, itemsMax: length.max });
}

/** A list of skus or ids. */
export function IdListField(length: Length & Presence): PropertyDecorator {
  const schema: ApiPropertyOptions = {
    type: 'array',
    items: { ...ID_SCHEMA },
    minItems: length.min,
    maxItems: length.max,
  };
  return field(lengthRule(length), length, schema, { eachItem: idRule, itemsMax: length.max });
}

/**
 * A list whose items stand each for themselves: one that is wrong does not refuse the request, its handler judges it.
 * What is wrong with how an item is written tells `faultOfItem`.
 * @param refusalsOf what is so wrong with an item that the request is refused after all; fields are told from the item on
 * @param schema of an item, for the OpenAPI document
 */
export function OpenListField(
  refusalsOf: (item: unknown) => readonly FieldError[],
  schema: object,
  length: Length & Presence,
): PropertyDecorator {
  const { min, max } = length;
  const listSchema = { type: 'array', items: schema, minItems: min, maxItems: max } as ApiPropertyOptions;
  return field(lengthRule(length), length, listSchema, { openItem: refusalsOf, itemsMax: max });
}

// ---------------------------------------------------------------- query parameters

/** A query parameter with ids separated by commas: `skus=a,b`. Read as a list of texts. */
export function IdListQuery(length: Length & Presence): PropertyDecorator {
  const schema: ApiPropertyOptions = { type: 'string', pattern: ID_LIST_PATTERN };
  const presence = { description: `${length.min} to ${length.max} ids, separated by commas.`, ...length };
  return field(lengthRule(length), presence, schema, {
    read: splitAtCommas,
    eachItem: idRule,
    itemsMax: length.max,
  });
}

const ID_LIST_PATTERN = '^[A-Za-z0-9._:-]{1,64}(,[A-Za-z0-9._:-]{1,64})*$';

function splitAtCommas(text: string): string[] {
  return text.split(',');
}

/** A query parameter that is `true` or `false`. */
export function FlagQuery(presence: Presence = {}): PropertyDecorator {
  return field(
    (value) => (typeof value === 'boolean' ? null : 'must be true or false'),
    presence,
    { type: 'boolean' },
    { read: (text) => (text === 'true' ? true : text === 'false' ? false : text) },
  );
}

/** A query parameter that is a whole number; decimal digits only. Both bounds belong to the range, `otherwise` is the default. */
export function WholeNumberQuery(range: { min: number; max: number; otherwise: number } & Presence): PropertyDecorator {
  const { min, max, otherwise } = range;
  return field(
    (value) =>
      typeof value === 'number' && value >= min && value <= max ? null : `must be a whole number from ${min} to ${max}`,
    { ...range, optional: true },
    { type: 'integer', minimum: min, maximum: max, default: otherwise },
    { read: (text) => (/^[0-9]{1,9}$/.test(text) ? Number(text) : text) },
  );
}

/** A query parameter that is a text of a certain form. @param what it has to be, to be read after the field's name */
export function PatternQuery(pattern: RegExp, what: string, presence: Presence = {}): PropertyDecorator {
  return field((value) => (typeof value === 'string' && pattern.test(value) ? null : what), presence, {
    type: 'string',
    pattern: pattern.source,
  });
}

export const PAGE_LIMIT_MAX = 200;
export const PAGE_LIMIT_DEFAULT = 50;

/** Items of one page. */
export function LimitQuery(): PropertyDecorator {
  return WholeNumberQuery({
    min: 1,
    max: PAGE_LIMIT_MAX,
    otherwise: PAGE_LIMIT_DEFAULT,
    description: 'Items of one page.',
  });
}

/** Generous: a cursor holds ids of at most 64 characters and two hashes. */
const CURSOR = /^[A-Za-z0-9_-]{1,1024}$/;

/** A `nextCursor` of the page before. */
export function CursorQuery(): PropertyDecorator {
  return field(
    (value) => (typeof value === 'string' && CURSOR.test(value) ? null : 'must be a nextCursor of this list'),
    {
      optional: true,
      description: 'The nextCursor of the page before; valid under the same filters only.',
      example: 'eyJhZnRlciI6WyJTMSJdfQ',
    },
    { type: 'string', maxLength: 1024 },
  );
}

/** The query of every list. Lists with filters extend it. */
export class PageQuery {
  @LimitQuery()
  limit: number = PAGE_LIMIT_DEFAULT;

  @CursorQuery()
  cursor?: string;
}
