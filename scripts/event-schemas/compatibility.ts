import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from './published-schema.ts';

/** What says nothing about which values are valid. */
const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'examples',
  'default',
  'deprecated',
]);
/** Keywords whose schemas are compared one by one instead of as a whole. */
const LISTS_OF_SCHEMAS = ['anyOf', 'allOf', 'oneOf', 'prefixItems'];

/**
 * What a schema changes about a published one of the same version that its consumers, or the events that are stored
 * already, do not bear. The one change that both bear is a new optional member: stored events do not have it, and
 * consumers pass over what they do not know.
 * @returns each problem with its place; nothing when the change may be made without a new version
 */
export function incompatibilities(published: JsonSchema, current: JsonSchema, place = 'data'): string[] {
  const problems: string[] = [];
  for (const keyword of keywordsOf(published, current)) {
    const before = published[keyword];
    const now = current[keyword];
    if (keyword === 'properties') {
      problems.push(...ofMembers(asSchemas(before), asSchemas(now), current, place));
    } else if (keyword === 'required') {
      problems.push(...ofRequired(asList(before), asList(now), asSchemas(published['properties']), place));
    } else if (keyword === 'items' && isSchema(before) && isSchema(now)) {
      problems.push(...incompatibilities(before, now, `${place}[]`));
    } else if (LISTS_OF_SCHEMAS.includes(keyword) && isSameLength(before, now)) {
      problems.push(...ofAlternatives(before, now as JsonSchema[], `${place} ${keyword}`));
    } else if (!isDeepStrictEqual(before, now)) {
      problems.push(`${place}: ${keyword} was ${JSON.stringify(before)} and is ${JSON.stringify(now)}`);
    }
  }
  return problems;
}

function ofMembers(before: Schemas, now: Schemas, current: JsonSchema, place: string): string[] {
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(before)) {
    const still = now[name];
    if (still === undefined) problems.push(`${place}.${name} is gone`);
    else problems.push(...incompatibilities(schema, still, `${place}.${name}`));
  }
  for (const name of Object.keys(now)) {
    if (!Object.hasOwn(before, name) && asList(current['required']).includes(name)) {
      problems.push(`${place}.${name} is new and required; events that are stored do not have it`);
    }
  }
  return problems;
}

/** New members are judged where they are found. */
function ofRequired(before: string[], now: string[], known: Schemas, place: string): string[] {
  return [
    ...before.filter((name) => !now.includes(name)).map((name) => `${place}.${name} is no longer always there`),
    ...now
      .filter((name) => !before.includes(name) && Object.hasOwn(known, name))
      .map((name) => `${place}.${name} was optional and is required`),
  ];
}

function ofAlternatives(before: JsonSchema[], now: JsonSchema[], place: string): string[] {
  return before.flatMap((schema, index) => incompatibilities(schema, now[index] ?? {}, `${place} ${index}`));
}

type Schemas = Readonly<Record<string, JsonSchema>>;

function keywordsOf(...schemas: readonly JsonSchema[]): string[] {
  return [...new Set(schemas.flatMap((schema) => Object.keys(schema)))].filter((keyword) => !ANNOTATIONS.has(keyword));
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSameLength(before: unknown, now: unknown): before is JsonSchema[] {
  return Array.isArray(before) && Array.isArray(now) && before.length === now.length;
}

function asSchemas(value: unknown): Schemas {
  return isSchema(value) ? (value as Schemas) : {};
}

function asList(value: unknown): string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}
