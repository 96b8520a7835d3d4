import type { QueryRunner } from 'typeorm';

/** The few words in which the DDL of the two engines differs. Every migration is written once, with these. */
export interface Dialect {
  /** Compared by code units on both engines, so that lists have one order. */
  readonly text: string;
  /** 64 bits; also instants, as epoch milliseconds. */
  readonly integer: string;
  readonly boolean: string;
  /** A primary key that the database counts up and never gives twice. */
  readonly position: string;
  /** Behind a table whose rows live in their primary key: small rows that are always found by it. */
  readonly clustered: string;
  /** Behind every other table. */
  readonly plain: string;
  /** Whether the database keeps tenants apart by itself: see tenant-wall.ts, which every new table needs. */
  readonly hasTenantWall: boolean;
}

const SQLITE: Dialect = {
  text: 'TEXT',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  position: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  clustered: 'STRICT, WITHOUT ROWID',
  plain: 'STRICT',
  hasTenantWall: false,
};

const POSTGRES: Dialect = {
  text: 'TEXT COLLATE "C"',
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  position: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  clustered: '',
  plain: '',
  hasTenantWall: true,
};

export function dialectOf(runner: QueryRunner): Dialect {
  return runner.dataSource.options.type === 'postgres' ? POSTGRES : SQLITE;
}
