/** A JSON Schema as the document holds it. */
export type Schema = Record<string, unknown>;
export type Schemas = Readonly<Record<string, Schema>>;

const SCHEMA_PATH = '#/components/schemas/';

/** @throws Error when a reference leads nowhere */
export function schemaAt(reference: string, schemas: Schemas): Schema {
  const schema = schemas[reference.slice(SCHEMA_PATH.length)];
  if (schema === undefined) throw new Error(`There is no ${reference}`);
  return schema;
}

/**
 * A value of the schema, put together from the examples of its members; of alternatives the first.
 * @param members those that are always there, or also those that may be left out
 * @returns undefined when a member has no example and none can be told from its schema
 */
export function exampleOf(schema: Schema, schemas: Schemas, members: 'all' | 'required' = 'all'): unknown {
  const told = toldExample(schema);
  if (told !== undefined) return told;
  if (typeof schema.$ref === 'string') return exampleOf(schemaAt(schema.$ref, schemas), schemas, members);
  if (Array.isArray(schema.oneOf)) return exampleOf(schema.oneOf[0] as Schema, schemas, members);
  if (schema.properties !== undefined) return exampleOfObject(schema, schemas, members);
  if (schema.items !== undefined) {
    const item = exampleOf(schema.items as Schema, schemas, members);
    return item === undefined ? undefined : [item];
  }
  return undefined;
}

function toldExample(schema: Schema): unknown {
  const { const: only, default: usual, examples, enum: allowed } = schema;
  if (only !== undefined) return only;
  for (const list of [examples, allowed]) {
    if (Array.isArray(list) && list.length > 0) return list[0];
  }
  return usual;
}

function exampleOfObject(schema: Schema, schemas: Schemas, members: 'all' | 'required'): unknown {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, Schema>; required?: string[] };
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(properties)) {
    if (members === 'required' && !required.includes(name)) continue;
    const value = exampleOf(member, schemas, members);
    if (value === undefined) return undefined;
    values[name] = value;
  }
  return values;
}
