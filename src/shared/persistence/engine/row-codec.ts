import type { Column, Table } from '../table.ts';
import type { Row } from './engine.ts';

/** A property's value as it goes to the database; booleans are left to the engine. */
export function encodeValue(column: Column, value: unknown): unknown {
  if (value === undefined || value === null) {
    return null;
  }
  return column.type === 'json' ? JSON.stringify(value) : value;
}

/** A row of column values (in the order of the table's columns) as an object with the table's property names. */
export function decodeRow(table: Table, values: readonly unknown[]): Row {
  const row: Record<string, unknown> = {};
  table.columns.forEach((column, index) => {
    row[column.property] = decodeValue(column, values[index]);
  });
  return row;
}

function decodeValue(column: Column, value: unknown): unknown {
  if (value === null) {
    return null;
  }
  if (column.type === 'json') {
    return JSON.parse(value as string) as unknown;
  }
  return column.type === 'boolean' ? Boolean(value) : value;
}

export function columnList(table: Table, alias = ''): string {
  return table.columns.map((column) => alias + column.name).join(', ');
}

/** The columns behind the given properties. */
export function columnsOf(table: Table, properties: readonly string[]): Column[] {
  return properties.map((property) => {
    const column = table.columns.find((candidate) => candidate.property === property);
    if (column === undefined) {
      throw new Error(`${table.name} has no column for ${property}`);
    }
    return column;
  });
}
