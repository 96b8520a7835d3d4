import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Global, HttpCode, Module, Param, Post, Put, Query, type Type } from '@nestjs/common';
import { Command, CommandHandler, CqrsModule } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { answerRead, parseIfMatch, timedTag, versionTag } from '../../src/shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../src/shared/http/exchange.ts';
import {
  BooleanField,
  EnumField,
  IdField,
  IdListQuery,
  ListField,
  PageQuery,
  QuantityField,
  TextField,
} from '../../src/shared/http/fields.ts';
import { createHttpApp } from '../../src/shared/http/http-app.ts';
import type { FieldError } from '../../src/shared/http/http-error.ts';
import { HttpModule } from '../../src/shared/http/http.module.ts';
import { RequiresIdempotencyKey } from '../../src/shared/http/idempotency-key.ts';
import { ApiProblems } from '../../src/shared/http/openapi.ts';
import type { CrossChecked } from '../../src/shared/http/validation.ts';
import { WriteDoor } from '../../src/shared/http/write-door.ts';
import { Clock } from '../../src/shared/kernel/clock.ts';
import { DomainError } from '../../src/shared/kernel/domain-error.ts';
import type { EntityKey, Keyed } from '../../src/shared/kernel/entity-key.ts';
import { Pace, SystemPace } from '../../src/shared/kernel/pace.ts';
import { assertVersionMatches } from '../../src/shared/kernel/version-match.ts';
import { Lifecycle } from '../../src/shared/operations/lifecycle.ts';
import { OperationsModule } from '../../src/shared/operations/operations.module.ts';
import { Reader } from '../../src/shared/persistence/reader.ts';
import type { Table } from '../../src/shared/persistence/table.ts';
import { UnitOfWork, type WorkOptions } from '../../src/shared/persistence/unit-of-work.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { Api } from './http.ts';
import { TestClock } from './test-clock.ts';

/*
 * A small application inside the real HTTP edge: its routes do next to nothing, so that whatever a test sees is the
 * edge's doing.
 */

// ---------------------------------------------------------------- a unit of work in memory

/** One row per key, one work at a time, undone when it throws: what WriteDoor needs of a unit of work, and no more. */
export class MemoryUnitOfWork {
  readonly rows = new Map<string, object>();
  readonly options: WorkOptions[] = [];
  readonly queuedWorks = 0;
  private last: Promise<unknown> = Promise.resolve();

  run<T>(options: WorkOptions, work: (tx: unknown) => Promise<T>): Promise<T> {
    this.options.push(options);
    const result = this.last.then(() => this.once(work));
    this.last = result.catch(() => undefined);
    return result;
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  private async once<T>(work: (tx: unknown) => Promise<T>): Promise<T> {
    const before = new Map(this.rows);
    const rowKey = (table: Table, values: readonly unknown[]) => JSON.stringify([table.name, ...values]);
    try {
      return await work({
        get: (table: Table, ...values: string[]) => Promise.resolve(this.rows.get(rowKey(table, values))),
        put: (table: Table, row: Record<string, unknown>) => {
          const values = table.key.map((property) => row[property]);
          this.rows.set(rowKey(table, values), row);
          return Promise.resolve();
        },
      });
    } catch (error) {
      this.rows.clear();
      before.forEach((row, key) => this.rows.set(key, row));
      throw error;
    }
  }
}

// ---------------------------------------------------------------- fields

export class ProbeLine {
  @IdField({ example: 'SKU-1' })
  sku!: string;

  @QuantityField({ min: 1, max: 1_000_000 })
  quantity!: number;

  @IdField({ nullable: true })
  locationId?: string | null;
}

export class ProbeBody {
  @ListField(() => ProbeLine, { min: 1, max: 3 })
  lines!: ProbeLine[];

  @QuantityField({ min: 1, max: 14_400, nullable: true })
  ttlSeconds?: number | null;

  @TextField({ nullable: true })
  reason?: string | null;

  @BooleanField({ optional: true })
  gift = false;

  @EnumField(['STORE', 'WAREHOUSE'], { optional: true })
  kind?: string;
}

export class ProbeCrossChecked implements CrossChecked {
  @QuantityField({ min: -10, max: 10 })
  quantity!: number;

  crossCheck(): FieldError[] {
    return this.quantity === 0 ? [{ field: 'quantity', message: 'must not be zero' }] : [];
  }
}

export class ProbeOptional {
  @TextField({ nullable: true })
  reason?: string | null;
}

export class ProbePath {
  @IdField()
  id!: string;
}

export class ProbeQuery extends PageQuery {
  @IdListQuery({ min: 1, max: 3, optional: true })
  skus?: string[];

  @EnumField(['low', 'out'], { optional: true })
  state?: string;
}

// ---------------------------------------------------------------- a command

export class ProbeRefusal extends DomainError {
  readonly code = 'INSUFFICIENT_STOCK';
  readonly kind = 'refused';
}

export class ProbeBusy extends DomainError {
  readonly code = 'BUSY';
  readonly kind = 'busy';
  readonly retryAfterSeconds = 7;
}

export class CountUp extends Command<{ count: number }> implements Keyed {
  constructor(readonly refuse: boolean) {
    super();
  }

  get keys(): EntityKey[] {
    return [{ table: 'counters', values: ['one'] }];
  }
}

@CommandHandler(CountUp)
export class CountUpHandler {
  count = 0;

  execute({ refuse }: CountUp): Promise<{ count: number }> {
    if (refuse) {
      return Promise.reject(new ProbeRefusal('too few', { shortages: [], code: 'not this one' }));
    }
    this.count += 1;
    return Promise.resolve({ count: this.count });
  }
}

// ---------------------------------------------------------------- routes

/** Lets a test decide when a request goes on. */
export class Gate {
  readonly arrived: Promise<void>;
  private arrive: () => void = () => undefined;
  open: () => void = () => undefined;

  constructor() {
    this.arrived = new Promise((resolve) => (this.arrive = resolve));
  }

  pass(): Promise<void> {
    this.arrive();
    return new Promise((resolve) => (this.open = resolve));
  }
}

@Controller('v1/probes')
export class ProbeController {
  gate = new Gate();
  handled = 0;

  constructor(private readonly writeDoor: WriteDoor) {}

  @Get()
  @ApiProblems()
  list(@Query() query: ProbeQuery): object {
    return { limit: query.limit, cursor: query.cursor ?? null, skus: query.skus ?? null, state: query.state ?? null };
  }

  @Get('plain')
  plain(): object {
    return { plain: true };
  }

  @Get('gate')
  async passGate(): Promise<object> {
    await this.gate.pass();
    return { passed: true };
  }

  @Get('fail/:id')
  fail(@Param() { id }: ProbePath): never {
    if (id === 'busy') throw new ProbeBusy('come back');
    if (id === 'object') throw { secret: 'hunter2' } as unknown as Error;
    throw new Error('SELECT secret FROM vault', { cause: new Error('SQLITE_IOERR') });
  }

  @Get('tagged/:id')
  tagged(@Param() { id }: ProbePath, @HttpExchange() exchange: Exchange): string | undefined {
    return answerRead(exchange, { id }, id === 'timed' ? timedTag(3) : versionTag(3));
  }

  @Put(':id')
  put(@Param() { id }: ProbePath, @HttpExchange() { request }: Exchange): object {
    assertVersionMatches(parseIfMatch(request.headers['if-match']), 3);
    return { id };
  }

  @Post('cross')
  @HttpCode(200)
  cross(@Body() body: ProbeCrossChecked): object {
    return body;
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@Param() { id }: ProbePath, @Body() body: ProbeOptional): object {
    this.handled += 1;
    return { id, reason: body.reason ?? null };
  }

  @Post('count')
  @RequiresIdempotencyKey()
  @ApiProblems('IDEMPOTENCY_KEY_MISSING', 'IDEMPOTENCY_KEY_REUSED', 'INSUFFICIENT_STOCK')
  count(@Body() body: ProbeOptional, @HttpExchange() exchange: Exchange): Promise<string> {
    return this.writeDoor.write(exchange, new CountUp(body.reason === 'refuse'), ({ count }) => ({
      status: 201,
      body: { count },
      etag: timedTag(count),
      location: `/v1/probes/${count}`,
    }));
  }

  @Post(':id')
  @HttpCode(200)
  echo(@Param() { id }: ProbePath, @Query() query: ProbeQuery, @Body() body: ProbeBody): object {
    this.handled += 1;
    return { id, limit: query.limit, body };
  }
}

@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [ProbeController],
  providers: [
    CountUpHandler,
    { provide: UnitOfWork, useClass: MemoryUnitOfWork },
    { provide: Reader, useValue: { ping: () => Promise.resolve() } },
    { provide: Clock, useClass: TestClock },
    { provide: Pace, useClass: SystemPace },
  ],
  exports: [UnitOfWork, Reader, Clock, Pace, CqrsModule],
})
export class ProbeModule {}

// ---------------------------------------------------------------- start

export interface ProbeApp {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly api: Api;
  readonly probes: ProbeController;
  readonly counter: CountUpHandler;
  readonly unitOfWork: MemoryUnitOfWork;
  readonly clock: TestClock;
  readonly lifecycle: Lifecycle;
  close(): Promise<void>;
}

/** Not listening yet; for what fails at the start. */
export function createProbeApp(
  env: Readonly<Record<string, string>> = {},
  extraParts: readonly Type[] = [],
): Promise<NestFastifyApplication> {
  const settings = readSettings({ LOG_LEVEL: 'silent', AUTH: 'off', ...env });
  return createHttpApp(settings, [OperationsModule.forRoot(settings), HttpModule, ProbeModule, ...extraParts]);
}

export async function startProbeApp(env: Readonly<Record<string, string>> = {}): Promise<ProbeApp> {
  const app = await createProbeApp(env);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const api = new Api(url, 64, null);
  return {
    app,
    url,
    api,
    probes: app.get(ProbeController, { strict: false }),
    counter: app.get(CountUpHandler, { strict: false }),
    unitOfWork: app.get<UnitOfWork, MemoryUnitOfWork>(UnitOfWork, { strict: false }),
    clock: app.get<Clock, TestClock>(Clock, { strict: false }),
    lifecycle: app.get(Lifecycle, { strict: false }),
    close: async () => {
      api.close();
      await app.close();
    },
  };
}
