/**
 * Names rows that a work will touch, so that a batch can load each table once (DESIGN: "declared keys").
 * Plain data, because contracts hand keys across module borders without showing a table.
 */
export interface EntityKey {
  /** The table's name. */
  readonly table: string;
  /** Absent: `values` is the primary key (without the tenant). Else the name of one of the table's groups. */
  readonly group?: string;
  readonly values: readonly string[];
}

/** A command that says beforehand which rows it will touch. */
export interface Keyed {
  readonly keys: readonly EntityKey[];
}
