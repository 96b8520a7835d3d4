import { type Query, QueryBus } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.ts';
import { Sweeper } from '../../src/modules/reservation/sweeper.ts';
import { exchangeFor } from '../../simulation/model/exchange.ts';
import { WriteDoor } from '../../src/shared/http/write-door.ts';
import { Clock } from '../../src/shared/kernel/clock.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import { DomainError } from '../../src/shared/kernel/domain-error.ts';
import { type Engine as DatabaseEngine, StaleVersion } from '../../src/shared/persistence/engine/engine.ts';
import { Reader } from '../../src/shared/persistence/reader.ts';
import { UnitOfWork } from '../../src/shared/persistence/unit-of-work.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { type Fault, FaultyEngine } from '../support/faulty-engine.ts';
import type { Engine } from '../support/services.ts';
import { TestClock } from '../support/test-clock.ts';
import { IDEMPOTENCY_KEY_HOURS } from '../../simulation/model/model.ts';
import { type Outcome, type Sent, toCommand } from '../../simulation/model/requests.ts';
import { HOLD_LIFETIME_MAX_SECONDS, HOLD_TTL_SECONDS } from '../../simulation/model/reservation-rules.ts';
import type { FaultName } from './stories.ts';

/** The real application without its HTTP server: requests enter by the door behind the controllers. */
export class ShopUnderTest {
  readonly clock = new TestClock();
  private readonly door: WriteDoor;
  private readonly queries: QueryBus;
  private readonly reader: Reader;
  private readonly engine: FaultyEngine;

  private constructor(
    private readonly app: NestFastifyApplication,
    private readonly database: FreshDatabase,
  ) {
    const find = { strict: false };
    this.door = app.get(WriteDoor, find);
    this.queries = app.get(QueryBus, find);
    this.reader = app.get(Reader, find);
    app.get(Clock, find).now = () => this.clock.now();
    // Sweeping is one of the requests here: it has to happen when the story says so, not when a timer rings.
    app.get(Sweeper, find).sweep = () => Promise.resolve();
    const unitOfWork = app.get(UnitOfWork, find);
    this.engine = new FaultyEngine(Reflect.get(unitOfWork, 'engine') as DatabaseEngine);
    Reflect.set(unitOfWork, 'engine', this.engine);
  }

  static async open(engine: Engine): Promise<ShopUnderTest> {
    const database = await freshDatabase(engine);
    const settings = readSettings({
      DATABASE_URL: database.url,
      LOG_LEVEL: 'silent',
      AUTH: 'off',
      AUDIT: 'off',
      HOLD_TTL_SECONDS: String(HOLD_TTL_SECONDS),
      HOLD_LIFETIME_MAX_SECONDS: String(HOLD_LIFETIME_MAX_SECONDS),
      IDEMPOTENCY_KEY_HOURS: String(IDEMPOTENCY_KEY_HOURS),
    });
    const app = await createApp(settings);
    await app.init();
    return new ShopUnderTest(app, database);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.database.drop();
  }

  /** Sends the requests at the same moment, so that they share a batch, with something going wrong below it. */
  async sendTogether(tenantId: string, requests: readonly Sent[], fault: FaultName): Promise<Outcome[]> {
    this.engine.fault = faultNamed(fault);
    this.engine.steps.length = 0;
    try {
      return await Promise.all(requests.map((sent) => this.send(tenantId, sent)));
    } finally {
      this.engine.fault = undefined;
    }
  }

  ask<Result>(tenantId: string, query: Query<Result>): Promise<Result> {
    return this.inTenant(tenantId, 'reader', () => this.queries.execute(query));
  }

  /** Rows as they are stored; the SQL has to name `:tenant`. */
  select<Row>(tenantId: string, sql: string, parameters: Record<string, string | number> = {}): Promise<Row[]> {
    return this.inTenant(tenantId, 'reader', () => this.reader.select<Row>(sql, parameters));
  }

  private async send(tenantId: string, { request, key, correlationId }: Sent): Promise<Outcome> {
    const { exchange, sentHeaders } = exchangeFor(request, key);
    try {
      const text = await this.inTenant(tenantId, correlationId, () =>
        this.door.write(exchange, toCommand(request), (body) => ({ status: 200, body: body as object })),
      );
      return { kind: 'answer', body: JSON.parse(text), replayed: sentHeaders.has('idempotency-replayed') };
    } catch (error) {
      if (error instanceof Poison) return { kind: 'unavailable' };
      if (!(error instanceof DomainError)) throw error;
      if (error.code === 'UNAVAILABLE') return { kind: 'unavailable' };
      const details = CODES_WITH_DETAILS.includes(error.code) ? error.details : {};
      return { kind: 'refusal', code: error.code, details };
    }
  }

  private inTenant<T>(tenantId: string, correlationId: string, work: () => Promise<T>): Promise<T> {
    return runInContext({ tenantId, clientId: 'default', correlationId, traceparent: null }, work);
  }
}

/** Of these the caller is told more than the code by which to act. */
const CODES_WITH_DETAILS = ['INSUFFICIENT_STOCK', 'CART_ALREADY_RESERVED'];

/** A request that is alone in its batch gets 500; several are tried again one by one, and by then the fault is over. */
class Poison extends Error {}

/** Neither engine knows then whether COMMIT was done. */
function connectionLost(): Error {
  return Object.assign(new Error('The connection is gone'), { code: 'SQLITE_IOERR' });
}

function faultNamed(name: FaultName): Fault | undefined {
  switch (name) {
    case 'none':
      return undefined;
    case 'answer lost':
      return { step: 'commit', error: connectionLost(), after: true };
    case 'commit lost':
      return { step: 'commit', error: connectionLost() };
    case 'stale events':
      return { step: 'appendEvents', error: new StaleVersion('stock_items', 1, 0) };
    case 'stale rows':
      return { step: 'update', error: new StaleVersion('stock_items', 1, 0) };
    case 'poison':
      return { step: 'insert', error: new Poison('A statement that is wrong in itself') };
  }
}
