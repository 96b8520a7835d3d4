import type Database from 'better-sqlite3';
import type { Pool, PoolClient } from 'pg';
import { type DataSource, QueryFailedError, QueryRunnerAlreadyReleasedError, type SelectQueryBuilder } from 'typeorm';
import { currentContext } from '../kernel/context.ts';
import type { Page } from '../kernel/page.ts';
import type { Failure, SqlParameters } from './engine/engine.ts';
import { numbered } from './engine/named-parameters.ts';
import { classifyPostgres } from './engine/postgres.ts';
import { lend, type TenantConnections, type WallCheck } from './engine/postgres-tenants.ts';
import { bindable, classifySqlite } from './engine/sqlite.ts';
import { Unavailable } from './persistence.errors.ts';
import type { Table } from './table.ts';

/** How an engine carries out a read; a tenant of null: it is about all of them. */
interface Reads {
  /** How long a failed read speaks against the database, in milliseconds. */
  readonly doubtMs: number;
  /** Closes what is not of the data source. */
  close(): Promise<void>;
  /** At once where the database is part of the process: a promise that nobody has to wait for costs a microsecond. */
  select(sql: string, parameters: SqlParameters, tenantId: string | null): unknown[] | Promise<unknown[]>;
  /** Carries out a query of TypeORM's where there is nothing but the tenant's rows. */
  within<Row extends object, T>(
    query: SelectQueryBuilder<Row>,
    tenantId: string,
    read: (query: SelectQueryBuilder<Row>) => Promise<T>,
  ): Promise<T>;
}

/** What is known of a statement. */
interface Shape {
  readonly namesTenant: boolean;
  /** A table in it of which some callers see a part only. */
  readonly partlyVisible: string | undefined;
}

/** Connections of PostgreSQL that see the rows of all tenants. */
export interface AllTenants {
  readonly pool: Pool;
  readonly wall: WallCheck;
}

/**
 * How long a failed read of a SQLite file speaks against it, in milliseconds. A trivial read is answered from memory,
 * whatever the disk does; but the relay and the sweeper read several times a second, so a fault that lasts is met again.
 */
const SQLITE_DOUBT_MS = 2_000;

/**
 * Reads of what is committed, through read-only connections of their own: on the writer's they would see the rows of a
 * batch in flight. Every read is limited to the tenant of the context.
 */
export class Reader {
  private readonly partlyVisible: readonly { readonly name: string; readonly pattern: RegExp }[];
  private readonly shapes = new Map<string, Shape>();
  /** On the monotonic clock, in milliseconds. */
  private failedAt = -Infinity;

  private constructor(
    private readonly dataSource: DataSource,
    private readonly reads: Reads,
    private readonly classify: (error: unknown) => Failure,
    tables: readonly Table[],
  ) {
    this.partlyVisible = tables
      .filter(({ visible }) => visible !== null)
      .map(({ name }) => ({ name, pattern: new RegExp(`\\b${name}\\b`) }));
  }

  /** @param tables all that there are */
  static onSqlite(dataSource: DataSource, connection: Database.Database, tables: readonly Table[]): Reader {
    const statements = new Map<string, Database.Statement<unknown[]>>();
    const select = (sql: string, parameters: SqlParameters): unknown[] => {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = connection.prepare(sql);
        statements.set(sql, statement);
      }
      return statement.all(bindable(parameters));
    };
    const reads: Reads = {
      doubtMs: SQLITE_DOUBT_MS,
      select,
      within: (query, _, read) => read(query),
      close: () => Promise.resolve(),
    };
    return new Reader(dataSource, reads, classifySqlite, tables);
  }

  /**
   * @param dataSource whose connections `connections` hands out
   * @param allTenants for what is about no single tenant
   */
  static onPostgres(
    dataSource: DataSource,
    connections: TenantConnections,
    allTenants: AllTenants,
    tables: readonly Table[],
  ): Reader {
    const reads: Reads = {
      // There, a trivial read asks the server, and a read that took too long says nothing about it.
      doubtMs: 0,
      close: () => allTenants.pool.end(),
      async select(sql, parameters, tenantId) {
        const { text, names } = numbered(sql);
        const values = names.map((name) => parameters[name]);
        return tenantId === null ? readAll(allTenants, text, values) : connections.query(tenantId, text, values);
      },
      async within(query, tenantId, read) {
        const runner = dataSource.createQueryRunner();
        try {
          await connections.turnTo((await runner.connect()) as PoolClient, tenantId);
          return await read(query.setQueryRunner(runner));
        } finally {
          await runner.release();
        }
      },
    };
    return new Reader(dataSource, reads, classifyPostgres, tables);
  }

  /**
   * The hot reads: SQL with `:name` parameters; `:tenant` is bound from the context.
   * @throws Error when the SQL does not mention `:tenant`, so that no read forgets it
   * @throws Unavailable (503) when the database cannot be read now
   */
  select<T>(sql: string, parameters: SqlParameters = {}): Promise<T[]> {
    return this.guard(() => {
      const { tenantId, reach } = currentContext();
      const { namesTenant, partlyVisible } = this.shapeOf(sql);
      if (!namesTenant) {
        throw new Error('A read has to name :tenant');
      }
      // A statement of a table of which the caller sees a part would tell it of the rest.
      if (reach != null && partlyVisible !== undefined) {
        throw new Error(`Bug: read ${partlyVisible} with rows(), which keeps to what the caller sees`);
      }
      return this.found<T>(sql, { ...parameters, tenant: tenantId }, tenantId);
    });
  }

  /** What concerns all tenants: for jobs that then go on tenant by tenant, and for what comes before a tenant is known. */
  selectAcrossTenants<T>(sql: string, parameters: SqlParameters = {}): Promise<T[]> {
    return this.guard(() => this.found<T>(sql, parameters, null));
  }

  /**
   * The cold reads: TypeORM's query builder over a table, limited to the tenant and to what the caller sees of it. Add conditions with `andWhere`, then
   * hand it to `many` or `one`.
   * @param leads whether what the caller sees is what should find the rows, where it is only a part
   */
  rows<Row extends object>(table: Table<Row>, alias: string, leads = true): SelectQueryBuilder<Row> {
    const { tenantId, reach } = currentContext();
    const rows = this.dataSource
      .getRepository(table.schema)
      .createQueryBuilder(alias)
      .where(`${alias}.tenantId = :tenant`, { tenant: tenantId });
    if (reach == null || table.visible === null) return rows;
    const { sql, parameters } = table.visible.condition(alias, reach, leads);
    return rows.andWhere(sql, parameters);
  }

  /** @throws Unavailable (503) as `select` */
  many<Row extends object>(query: SelectQueryBuilder<Row>): Promise<Row[]> {
    return this.guard(() => this.reads.within(query, currentContext().tenantId, (own) => own.getMany()));
  }

  /** @throws Unavailable (503) as `select` */
  async one<Row extends object>(query: SelectQueryBuilder<Row>): Promise<Row | undefined> {
    const { tenantId } = currentContext();
    return (await this.guard(() => this.reads.within(query, tenantId, (own) => own.getOne()))) ?? undefined;
  }

  /** For readiness. @throws Unavailable when nothing can be read, or a read of the file has just failed */
  async ping(): Promise<void> {
    await this.selectAcrossTenants('SELECT 1');
    if (performance.now() - this.failedAt < this.reads.doubtMs) throw new Unavailable('A read has just failed');
  }

  async close(): Promise<void> {
    await Promise.all([this.dataSource.destroy(), this.reads.close()]);
  }

  private found<T>(sql: string, parameters: SqlParameters, tenantId: string | null): T[] | Promise<T[]> {
    return this.reads.select(sql, parameters, tenantId) as T[] | Promise<T[]>;
  }

  private shapeOf(sql: string): Shape {
    let shape = this.shapes.get(sql);
    if (shape === undefined) {
      const table = this.partlyVisible.find(({ pattern }) => pattern.test(sql));
      shape = { namesTenant: sql.includes(':tenant'), partlyVisible: table?.name };
      this.shapes.set(sql, shape);
    }
    return shape;
  }

  private failureOf(error: unknown): Failure {
    // TypeORM lets go of a connection that breaks before its query is sent.
    if (error instanceof QueryRunnerAlreadyReleasedError) return 'unavailable';
    return this.classify(error instanceof QueryFailedError ? error.driverError : error);
  }

  private guard<T>(read: () => T | Promise<T>): Promise<T> {
    try {
      const found = read();
      if (!(found instanceof Promise)) return Promise.resolve(found);
      return found.catch((error: unknown) => {
        throw this.toldOf(error);
      });
    } catch (error) {
      return Promise.reject(this.toldOf(error));
    }
  }

  /** A database that cannot be read now is no bug of ours: the caller may ask again. */
  private toldOf(error: unknown): Error {
    if (this.failureOf(error) === 'poison') return error as Error;
    this.failedAt = performance.now();
    return new Unavailable('The database cannot be read now', {}, error);
  }
}

function readAll({ pool, wall }: AllTenants, text: string, values: readonly unknown[]): Promise<object[]> {
  return lend(pool, async (client) => {
    await wall.look(client);
    return (await client.query<object>(text, [...values])).rows;
  });
}

/**
 * A page from one row more than it shows: the row too many tells that there is a next page.
 * @param toCursor names the place behind a row
 */
export function pageOf<Row>(rows: readonly Row[], limit: number, toCursor: (last: Row) => string): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? toCursor(last) : null };
}
