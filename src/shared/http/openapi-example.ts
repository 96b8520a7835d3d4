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
 * @returns undefined when a member has no example and none can be told from its schema
 */
export function exampleOf(schema: Schema, schemas: Schemas): unknown {
  const told = toldExample(schema);
  if (told !== undefined) return told;
  if (typeof schema.$ref === 'string') return exampleOf(schemaAt(schema.$ref, schemas), schemas);
  if (Array.isArray(schema.oneOf)) return exampleOf(schema.oneOf[0] as Schema, schemas);
  if (schema.properties !== undefined) return exampleOfObject(schema, schemas);
  if (schema.items !== undefined) {
    const item = exampleOf(schema.items as Schema, schemas);
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

function exampleOfObject(schema: Schema, schemas: Schemas): unknown {
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(schema.properties as Record<string, Schema>)) {
    const value = exampleOf(member, schemas);
    if (value === undefined) return undefined;
    values[name] = value;
  }
  return values;
}
