import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { Reach } from '../kernel/context.ts';

/** How a value is stored. The same on both engines: instants are `integer` (epoch milliseconds), JSON is text. */
export type ColumnType = 'text' | 'integer' | 'boolean' | 'json';

export interface Column {
  readonly property: string;
  /** snake_case, the name in SQL. */
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

/** Rows that share the values of some columns, e.g. all stock items of one sku; loaded and remembered together. */
export interface Group {
  readonly properties: readonly string[];
  /** Restricts what is loaded from the database, e.g. `status = 'ACTIVE'`. Rows in the batch are not restricted by it. */
  readonly where?: string;
}

/**
 * Which rows of a table a caller sees that may touch only a part of its tenant. To others it is as if the rest were not
 * there: the transaction and the reader pass them over, so an id of somebody else's is answered as one that there is not.
 */
export interface VisibleRows<Row> {
  sees(row: Row, reach: Reach): boolean;
  /**
   * The same as a condition on the rows that go by `alias` in a statement.
   * @param leads false: something else finds the rows, and this is only looked at in each of them
   */
  condition(
    alias: string,
    reach: Reach,
    leads: boolean,
  ): { readonly sql: string; readonly parameters: Readonly<Record<string, string>> };
}

/**
 * One table as the unit of work sees it. The tenant is not a property of the rows: the unit of work and the reader
 * add it from the context to every statement, so that forgetting it is not possible.
 */
export interface Table<Row extends object = object> {
  readonly name: string;
  /** In the order in which rows are written, without `tenant_id`. */
  readonly columns: readonly Column[];
  /** Properties of the primary key, without the tenant. */
  readonly key: readonly string[];
  readonly groups: Readonly<Record<string, Group>>;
  /** True where rows carry `version`: an update or delete then demands the version that was loaded. */
  readonly versioned: boolean;
  /** Null: whoever may touch anything of the tenant sees all of its rows. */
  readonly visible: VisibleRows<Row> | null;
  /** The same table for TypeORM's repositories and query builder (cold reads). */
  readonly schema: EntitySchema<Row>;
}

export interface TableDefinition<Row> {
  readonly name: string;
  readonly key: readonly (keyof Row & string)[];
  readonly columns: Readonly<Record<keyof Row & string, ColumnType | `${ColumnType}?`>>;
  readonly groups?: Readonly<Record<string, { by: readonly (keyof Row & string)[]; where?: string }>>;
  readonly visible?: VisibleRows<Row>;
}

/** Describes a table once, for the write path and for TypeORM. `?` behind a type allows NULL. */
export function defineTable<Row extends object>(definition: TableDefinition<Row>): Table<Row> {
  const columns = Object.entries<ColumnType | `${ColumnType}?`>(definition.columns).map(([property, type]) => ({
    property,
    name: toSnakeCase(property),
    type: type.replace('?', '') as ColumnType,
    nullable: type.endsWith('?'),
  }));
  const groups: Record<string, Group> = {};
  for (const [name, group] of Object.entries(definition.groups ?? {})) {
    groups[name] = { properties: group.by, where: group.where };
  }
  return {
    name: definition.name,
    columns,
    key: definition.key,
    groups,
    versioned: columns.some((column) => column.property === 'version'),
    visible: definition.visible ?? null,
    schema: toEntitySchema<Row>(definition.name, columns, definition.key),
  };
}

function toEntitySchema<Row extends object>(
  name: string,
  columns: readonly Column[],
  key: readonly string[],
): EntitySchema<Row> {
  const schemaColumns: Record<string, EntitySchemaColumnOptions> = {
    tenantId: { name: 'tenant_id', type: 'text', primary: true },
  };
  for (const column of columns) {
    schemaColumns[column.property] = {
      name: column.name,
      type: TYPEORM_TYPES[column.type],
      nullable: column.nullable,
      primary: key.includes(column.property),
      // PostgreSQL hands 64-bit integers out as text; every integer here is far below 2^53.
      transformer: column.type === 'integer' ? { to: (value) => value as unknown, from: toNumber } : undefined,
    };
  }
  return new EntitySchema<Row>({ name, tableName: name, columns: schemaColumns });
}

const TYPEORM_TYPES = { text: 'text', integer: 'bigint', boolean: 'boolean', json: 'simple-json' } as const;

function toNumber(value: unknown): unknown {
  return typeof value === 'string' ? Number(value) : value;
}

function toSnakeCase(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
