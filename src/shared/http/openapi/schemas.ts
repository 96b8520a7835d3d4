import { MARKS, OPTIONAL_IN_REQUESTS } from '../openapi.ts';
import type { Schema, Schemas } from './example.ts';
import { PAGE_DESCRIPTION, WORDS } from './words.ts';

/** Since OpenAPI 3.1 schemas are JSON Schema: it has a list of examples, and a reference may have a description. */
export function useJsonSchema(schema: Schema): void {
  if (Object.hasOwn(schema, 'example')) {
    schema.examples = [schema.example];
    delete schema.example;
  }
  const {
    properties = {},
    items,
    allOf,
  } = schema as { properties?: Record<string, Schema>; items?: Schema; allOf?: Schema[] };
  if (allOf?.length === 1) {
    Object.assign(schema, allOf[0]);
    delete schema.allOf;
  }
  Object.values(properties).forEach(useJsonSchema);
  if (items !== undefined) useJsonSchema(items);
}

/** Says what has a meaning of its own nowhere, and the same everywhere. */
export function explain(schema: Schema): void {
  const { properties = {} } = schema as { properties?: Record<string, Schema> };
  if (properties.nextCursor !== undefined) schema.description ??= PAGE_DESCRIPTION;
  for (const [name, member] of Object.entries(properties)) {
    if (member.$ref === undefined && WORDS[name] !== undefined) member.description ??= WORDS[name];
  }
}

/**
 * Answers are often made of the fields of a request, of which some may be left out there; an answer has them all.
 * @param requests the bodies of all requests: what they refer to stays as it is
 */
export function requireInAnswers(requests: readonly unknown[], schemas: Schemas): void {
  const asked = reachable(requests, schemas);
  for (const [name, schema] of Object.entries(schemas)) {
    if (asked.has(name)) continue;
    const { properties = {}, required = [] } = schema as { properties?: Record<string, Schema>; required?: string[] };
    const always = Object.entries(properties).filter(
      ([member, { [OPTIONAL_IN_REQUESTS]: left }]) => left === true || required.includes(member),
    );
    if (always.length > 0) schema.required = always.map(([member]) => member);
  }
}

/** Names of the schemas that something refers to, directly or through others. */
function reachable(from: unknown, schemas: Schemas, found = new Set<string>()): Set<string> {
  for (const [, name = ''] of JSON.stringify(from).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    reachable(schemas[name] ?? {}, schemas, found);
  }
  return found;
}

const ALL_MARKS: ReadonlySet<string> = new Set([...Object.values(MARKS), OPTIONAL_IN_REQUESTS]);

/** A copy without the marks, which have done their work. */
export function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !ALL_MARKS.has(name));
  return Object.fromEntries(kept.map(([name, part]) => [name, unmarked(part)]));
}
