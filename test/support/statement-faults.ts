import type Database from 'better-sqlite3';
import pg, { type Pool, type PoolClient } from 'pg';
import { SqliteEngine } from '../../src/shared/persistence/engine/sqlite.ts';
import type { Reader } from '../../src/shared/persistence/reader.ts';
import type { UnitOfWork } from '../../src/shared/persistence/unit-of-work.ts';
import type { Engine } from './services.ts';

/** How a statement fails. */
export interface StatementFault {
  /** The first one that fails, counted from 1. */
  readonly from: number;
  /** How many fail from there on; Infinity: until it is lifted. */
  readonly count: number;
  readonly error: () => Error;
  /** It is carried out, and only its answer is lost. */
  readonly answerLost: boolean;
}

/** A disk or a server that cannot be used, as the drivers tell it. */
export function unusable(engine: Engine): Error {
  return Object.assign(new Error('planted'), { code: engine === 'sqlite' ? 'SQLITE_IOERR' : 'ECONNRESET' });
}

/** Another writer was faster, or has the database. */
export function raced(engine: Engine): Error {
  if (engine === 'sqlite') return Object.assign(new Error('planted'), { code: 'SQLITE_BUSY' });
  return Object.assign(new pg.DatabaseError('planted', 0, 'error'), { code: '40001', severity: 'ERROR' });
}

/** A statement that is wrong in itself. */
export function wrong(): Error {
  return new Error('planted');
}

/**
 * Stands where the statements of a running server go to the driver: BEGIN, COMMIT and ROLLBACK as any other, of the writer
 * and of the reader. It counts them and lets some fail.
 */
export class StatementFaults {
  /** Since `arm`. */
  readonly statements: string[] = [];
  struck = 0;
  private fault: StatementFault | undefined;

  private constructor() {
    // Made by `install`.
  }

  static install(unitOfWork: UnitOfWork, reader: Reader): StatementFaults {
    const faults = new StatementFaults();
    const engine = unitOfWork['engine'];
    if (engine instanceof SqliteEngine) faults.standBeforeSqlite(engine);
    else faults.standBeforePostgres((engine as unknown as { pool: Pool }).pool);
    const guard = reader['guard'].bind(reader);
    reader['guard'] = (read) => guard(() => faults.pass('read', read));
    return faults;
  }

  arm(fault?: StatementFault): void {
    this.statements.length = 0;
    this.struck = 0;
    this.fault = fault;
  }

  heal(): void {
    this.fault = undefined;
  }

  private standBeforeSqlite(engine: SqliteEngine): void {
    const database = engine['database'];
    const prepare = database.prepare.bind(database);
    // What was prepared until now goes past us.
    engine['statements'].clear();
    Object.assign(database, {
      prepare: (sql: string) => this.around(prepare(sql) as Database.Statement<unknown[]>, sql),
    });
  }

  private around(real: Database.Statement<unknown[]>, sql: string): object {
    const statement = {
      reader: real.reader,
      raw: (on: boolean) => {
        real.raw(on);
        return statement;
      },
      run: (...values: unknown[]) => this.passSync(sql, () => real.run(...values)),
      get: (...values: unknown[]) => this.passSync(sql, () => real.get(...values)),
      all: (...values: unknown[]) => this.passSync(sql, () => real.all(...values)),
    };
    return statement;
  }

  private standBeforePostgres(pool: Pool): void {
    const connect = pool.connect.bind(pool) as (...callback: unknown[]) => Promise<PoolClient>;
    const known = new WeakSet();
    const ours = async (...callback: unknown[]): Promise<PoolClient> => {
      // The pool's own `query`, which is for readiness.
      if (callback.length > 0) return connect(...callback);
      const client = await this.pass('CONNECT', () => connect(), true);
      if (!known.has(client)) {
        known.add(client);
        const query = client.query.bind(client) as (...query: unknown[]) => Promise<unknown>;
        Object.assign(client, {
          query: (...asked: unknown[]) => this.pass(textOf(asked[0]), () => query(...asked)),
        });
      }
      return client;
    };
    Object.assign(pool, { connect: ours });
  }

  /** @param neverLost it has no answer that could be lost alone */
  private async pass<T>(statement: string, act: () => T | Promise<T>, neverLost = false): Promise<T> {
    const error = this.strikeAt(statement);
    if (error === undefined) return act();
    if (this.fault?.answerLost === true && !neverLost) await act();
    throw error;
  }

  private passSync<T>(statement: string, act: () => T): T {
    const error = this.strikeAt(statement);
    if (error === undefined) return act();
    if (this.fault?.answerLost === true) act();
    throw error;
  }

  private strikeAt(statement: string): Error | undefined {
    this.statements.push(statement);
    const { fault } = this;
    const number = this.statements.length;
    if (fault === undefined || number < fault.from || number >= fault.from + fault.count) return undefined;
    this.struck += 1;
    return fault.error();
  }
}

function textOf(asked: unknown): string {
  return typeof asked === 'string' ? asked : (asked as { text: string }).text;
}
