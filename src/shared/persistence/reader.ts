import type Database from 'better-sqlite3';
import type { Pool } from 'pg';
import type { DataSource, SelectQueryBuilder } from 'typeorm';
import { currentContext } from '../kernel/context.ts';
import type { Page } from '../kernel/page.ts';
import type { SqlParameters } from './engine/engine.ts';
import { numbered } from './engine/named-parameters.ts';
import { bindable } from './engine/sqlite.ts';
import type { Table } from './table.ts';

/**
 * Reads of what is committed, through read-only connections of their own: on the writer's they would see the rows of a
 * batch in flight. Every read is limited to the tenant of the context.
 */
export class Reader {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly execute: (sql: string, parameters: SqlParameters) => Promise<unknown[]>,
  ) {}

  static onSqlite(dataSource: DataSource, connection: Database.Database): Reader {
    const statements = new Map<string, Database.Statement<unknown[]>>();
    return new Reader(dataSource, (sql, parameters) => {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = connection.prepare(sql);
        statements.set(sql, statement);
      }
      return Promise.resolve(statement.all(bindable(parameters)));
    });
  }

  static onPostgres(dataSource: DataSource, pool: Pool): Reader {
    return new Reader(dataSource, async (sql, parameters) => {
      const { text, names } = numbered(sql);
      const result = await pool.query<object>(
        text,
        names.map((name) => parameters[name]),
      );
      return result.rows;
    });
  }

  /**
   * The hot reads: SQL with `:name` parameters; `:tenant` is bound from the context.
   * @throws Error when the SQL does not mention `:tenant`, so that no read forgets it
   */
  async select<T>(sql: string, parameters: SqlParameters = {}): Promise<T[]> {
    if (!sql.includes(':tenant')) {
      throw new Error('A read has to name :tenant');
    }
    return (await this.execute(sql, { ...parameters, tenant: currentContext().tenantId })) as T[];
  }

  /** What concerns all tenants: only for jobs that then go on tenant by tenant. */
  async selectAcrossTenants<T>(sql: string, parameters: SqlParameters = {}): Promise<T[]> {
    return (await this.execute(sql, parameters)) as T[];
  }

  /** The cold reads: TypeORM's query builder over a table, limited to the tenant. Add conditions with `andWhere`. */
  rows<Row extends object>(table: Table<Row>, alias: string): SelectQueryBuilder<Row> {
    return this.dataSource
      .getRepository(table.schema)
      .createQueryBuilder(alias)
      .where(`${alias}.tenantId = :tenant`, { tenant: currentContext().tenantId });
  }

  async ping(): Promise<void> {
    await this.execute('SELECT 1', {});
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }
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
