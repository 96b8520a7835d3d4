import type { EntitySchema, MigrationInterface } from 'typeorm';
import type { Engine } from './engine/engine.ts';
import type { WallKeeper } from './engine/postgres-roles.ts';
import type { Reader } from './reader.ts';

/** One writer, and a reader of its own connection: a read must never see what a batch has not committed. */
export interface Databases {
  readonly engine: Engine;
  readonly reader: Reader;
  /** Who keeps the second wall between tenants. */
  readonly wallKeeper: WallKeeper;
}

/** In order, forward only. */
export type Migrations = readonly (new () => MigrationInterface)[];

/** What TypeORM has to know of the tables and of how they come about. */
export interface Schema {
  readonly entities: EntitySchema[];
  readonly migrations: (new () => MigrationInterface)[];
  readonly migrationsTableName: string;
}
