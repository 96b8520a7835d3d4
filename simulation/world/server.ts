import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { type Command, CommandBus, type Query, QueryBus } from '@nestjs/cqrs';
import { NestFactory } from '@nestjs/core';
import SqliteDatabase from 'better-sqlite3';
import { AppModule } from '../../src/app.module.ts';
import { Sweeper } from '../../src/modules/reservation/sweeper.ts';
import { exchangeFor } from '../model/exchange.ts';
import { WriteDoor } from '../../src/shared/http/write-door.ts';
import { type Context, runInContext } from '../../src/shared/kernel/context.ts';
import { DomainError } from '../../src/shared/kernel/domain-error.ts';
import { RefusedAttempts } from '../../src/shared/audit/refused-attempts.ts';
import { Retention } from '../../src/shared/housekeeping/retention.ts';
import { EventLoopDelay } from '../../src/shared/operations/event-loop-delay.ts';
import { Relay } from '../../src/shared/outbox/relay.ts';
import { openDatabases } from '../../src/shared/persistence/data-source.ts';
import { Reader } from '../../src/shared/persistence/reader.ts';
import type { Engine } from '../../src/shared/persistence/engine/engine.ts';
import { SqliteEngine } from '../../src/shared/persistence/engine/sqlite.ts';
import { Checkpoints } from '../../src/shared/persistence/engine/sqlite-checkpoints.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { Chance } from '../chance.ts';
import { IDEMPOTENCY_KEY_HOURS } from '../model/model.ts';
import { type Outcome, type Sent, toCommand } from '../model/requests.ts';
import { HOLD_LIFETIME_MAX_SECONDS, HOLD_TTL_SECONDS } from '../model/reservation-rules.ts';
import type { Isolation } from '../model/observed.ts';
import { SimulatedEngine } from './engine.ts';
import { type Faults, WrongStatement } from './faults.ts';
import { type Decide, NotesModule } from './notes.ts';
import type { RowTimes } from './row-times.ts';
import { SimulatedIds, SimulatedPace, type Time } from './time.ts';
import type { Life, Turns } from './turns.ts';

export const TENANT = 'chain';

/** Of the model, or long enough to be no part of any story; the others are drawn for each story. */
const SETTINGS = {
  AUTH: 'off',
  // A story has its own consumers; the audit has suites of its own.
  AUDIT: 'off',
  LOG_LEVEL: 'silent',
  HOLD_TTL_SECONDS: String(HOLD_TTL_SECONDS),
  HOLD_LIFETIME_MAX_SECONDS: String(HOLD_LIFETIME_MAX_SECONDS),
  IDEMPOTENCY_KEY_HOURS: String(IDEMPOTENCY_KEY_HOURS),
  PURGE_INTERVAL_MS: '3600000',
  QUEUE_WAIT_MAX_MS: '60000',
};

export interface ServerParts {
  readonly file: string;
  readonly rowTimes: RowTimes;
  readonly settings: Readonly<Record<string, string>>;
  readonly isolation: Isolation;
  readonly slownessMs: number;
  readonly time: Time;
  readonly turns: Turns;
  readonly faults: Faults;
  readonly notes: Decide;
  readonly seed: number;
}

/** What came of a call. `lost`: 500, 503 or a broken connection, from which nobody can tell whether it was done. */
export type Called<R> =
  | { readonly kind: 'answer'; readonly answer: R }
  | { readonly kind: 'refusal'; readonly error: DomainError }
  | { readonly kind: 'lost' };

/** One life of one server: the real application without its HTTP server, on a database that others use as well. */
export class Server {
  private readonly onKilled = new Set<() => void>();

  private constructor(
    private readonly app: INestApplicationContext,
    private readonly engine: Engine,
    private readonly closeGlances: () => void,
    private readonly life: Life,
  ) {}

  static async start({
    file,
    rowTimes,
    isolation,
    slownessMs,
    time,
    turns,
    faults,
    notes,
    seed,
    ...parts
  }: ServerParts): Promise<Server> {
    const random = new Chance(seed);
    const life: Life = { isOver: false };
    const settings = readSettings({ ...SETTINGS, ...parts.settings, DATABASE_URL: `sqlite:${file}` });
    let engine: Engine | undefined;
    let closeGlances = (): void => undefined;
    const dying: { die: () => void } = { die: () => undefined };
    const surroundings = {
      clock: time,
      ids: new SimulatedIds(time, new Chance(random.seed())),
      pace: new SimulatedPace(time, turns, life, new Chance(random.seed()), slownessMs),
      open: async (...asked: Parameters<typeof openDatabases>) => {
        const opened = await openDatabases(...asked);
        engine = opened.engine;
        const world = {
          isolation,
          rowTimes,
          faults,
          turn: () => turns.wait(life),
          kill: () => {
            dying.die();
          },
        };
        const [glances, close] = openGlances(file);
        closeGlances = close;
        return { ...opened, engine: new SimulatedEngine(opened.engine, glances, world) };
      },
    };
    const app = await NestFactory.createApplicationContext(
      { module: Root, imports: [AppModule.forRoot(settings, surroundings), NotesModule.forRoot(notes)] },
      { logger: false, abortOnError: false },
    );
    if (engine === undefined) throw new Error('The application has opened no database');
    app.get(Relay, FIND).start();
    const server = new Server(app, engine, closeGlances, life);
    dying.die = () => {
      server.die();
    };
    return server;
  }

  get isDead(): boolean {
    return this.life.isOver;
  }

  /** What a client is told, as far as it can act on it. Whatever was on its way when the server dies, nobody is told. */
  async send({ request, key, correlationId }: Sent): Promise<Outcome> {
    const { exchange, sentHeaders } = exchangeFor(request, key);
    const door = this.app.get(WriteDoor, FIND);
    const called = await this.call(correlationId, async () => ({
      text: await door.write(exchange, toCommand(request), (body) => ({ status: 200, body: body as object })),
    }));
    if (called.kind === 'lost') return { kind: 'unavailable' };
    if (called.kind === 'refusal') {
      const { code, details } = called.error;
      return { kind: 'refusal', code, details: CODES_WITH_DETAILS.includes(code) ? details : {} };
    }
    return { kind: 'answer', body: JSON.parse(called.answer.text), replayed: sentHeaders.has('idempotency-replayed') };
  }

  command<R>(correlationId: string, command: Command<R>, context: Partial<Context> = {}): Promise<Called<R>> {
    return this.call(correlationId, () => this.app.get(CommandBus, FIND).execute(command), context);
  }

  query<R>(query: Query<R>): Promise<R> {
    return inTenant('reader', () => this.app.get(QueryBus, FIND).execute(query));
  }

  sweep(): Promise<void> {
    return this.untilKilled(this.app.get(Sweeper, FIND).sweep()).then(
      () => undefined,
      (error: unknown) => {
        if (!isTrouble(error)) throw error;
      },
    );
  }

  /** Its memory is gone, and its connections with it. */
  die(): void {
    if (this.life.isOver) return;
    this.life.isOver = true;
    this.onKilled.forEach((tell) => {
      tell();
    });
    this.closeGlances();
    void this.engine.close();
    void this.app.get(Reader, FIND).close();
    // They have timers of the real time, which would keep the dead in memory.
    this.app.get(EventLoopDelay, FIND).onModuleDestroy();
    void this.app.get(Retention, FIND).onModuleDestroy();
    void this.app.get(RefusedAttempts, FIND).onModuleDestroy();
  }

  private async call<R>(
    correlationId: string,
    work: () => Promise<R>,
    context: Partial<Context> = {},
  ): Promise<Called<R>> {
    try {
      const answer = await this.untilKilled(inTenant(correlationId, work, context));
      return answer === KILLED ? { kind: 'lost' } : { kind: 'answer', answer };
    } catch (error) {
      if (isTrouble(error)) return { kind: 'lost' };
      if (!(error instanceof DomainError)) throw error;
      return { kind: 'refusal', error };
    }
  }

  /** Who waits for a dead server is told by the broken connection. */
  private untilKilled<R>(work: Promise<R>): Promise<R | typeof KILLED> {
    return new Promise((resolve, reject) => {
      const killed = (): void => {
        resolve(KILLED);
      };
      this.onKilled.add(killed);
      work.then(resolve, reject).finally(() => this.onKilled.delete(killed));
    });
  }
}

const KILLED: unique symbol = Symbol('killed');
const FIND = { strict: false };

/** Holds the parts together. */
class Root {}

/** Of these the caller is told more than the code by which to act. */
const CODES_WITH_DETAILS = ['INSUFFICIENT_STOCK', 'CART_ALREADY_RESERVED'];

/** 500 for what we have made wrong on purpose, or 503: the caller does not know whether it was done. */
function isTrouble(error: unknown): boolean {
  if (error instanceof WrongStatement) return true;
  return error instanceof DomainError && (error.kind === 'busy' || error.code === 'IDEMPOTENCY_KEY_IN_FLIGHT');
}

function inTenant<T>(correlationId: string, work: () => Promise<T>, context: Partial<Context> = {}): Promise<T> {
  return runInContext({ tenantId: TENANT, clientId: 'default', correlationId, traceparent: null, ...context }, work);
}

/** Transactions on a connection of their own that take no lock: all that they read is as it was at their first statement. */
function openGlances(file: string): [Engine, () => void] {
  const connection = new SqliteDatabase(file, { readonly: true });
  const lockless = {
    prepare: (sql: string) => connection.prepare(sql === 'BEGIN IMMEDIATE' ? 'BEGIN' : sql),
    get inTransaction() {
      return connection.inTransaction;
    },
  };
  const close = (): void => {
    connection.close();
  };
  const engine = new SqliteEngine(lockless as unknown as SqliteDatabase.Database, 0, new Checkpoints(file), () =>
    Promise.resolve(),
  );
  return [engine, close];
}

/** Makes a database with all its tables and nothing in them. */
export async function openTemplate(file: string): Promise<void> {
  const settings = readSettings({ ...SETTINGS, DATABASE_URL: `sqlite:${file}` });
  const app = await NestFactory.createApplicationContext(
    { module: Root, imports: [AppModule.forRoot(settings)] },
    { logger: false, abortOnError: false },
  );
  await app.close();
}
