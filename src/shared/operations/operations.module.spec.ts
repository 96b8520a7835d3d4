import { type ArgumentsHost, type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { Reader } from '../persistence/reader.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { readSettings } from '../settings.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { NotReady } from './health.controller.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog, ProcessLog, registerRequestLog } from './logging.ts';
import { Metrics } from './metrics.ts';
import { OperationsModule } from './operations.module.ts';

/** What readiness asks of the database, each answer of which a test may replace. */
interface FakeDatabase {
  pingWriter: () => Promise<void>;
  pingReader: () => Promise<void>;
  queuedWorks: number;
}

@Module({})
class FakePersistenceModule {
  static around(database: FakeDatabase): DynamicModule {
    const unitOfWork = {
      ping: () => database.pingWriter(),
      get queuedWorks() {
        return database.queuedWorks;
      },
    };
    return {
      module: FakePersistenceModule,
      global: true,
      providers: [
        { provide: UnitOfWork, useValue: unitOfWork },
        { provide: Reader, useValue: { ping: () => database.pingReader() } },
      ],
      exports: [UnitOfWork, Reader],
    };
  }
}

@Module({})
class RootModule {
  static of(...imports: DynamicModule[]): DynamicModule {
    return { module: RootModule, imports };
  }
}

/** Stands in for the filter of shared/http, so that this spec sees the refusal itself. */
const showRefusal = {
  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (!(error instanceof NotReady)) {
      void reply.code(500).send({ error: String(error) });
      return;
    }
    void reply.code(503).send({ code: error.code, detail: error.message, ...error.details });
  },
};

interface Answer {
  status: string;
  code: string;
  detail: string;
  checks: Record<string, { status: string; message?: string }>;
}

describe('OperationsModule', () => {
  let app: NestFastifyApplication;
  let database: FakeDatabase;

  async function startApp(env: Record<string, string> = {}): Promise<void> {
    const settings = readSettings({
      LOG_LEVEL: 'silent',
      DISK_FREE_BYTES_MIN: '0',
      DATABASE_URL: 'sqlite:./x',
      ...env,
    });
    const root = RootModule.of(OperationsModule.forRoot(settings), FakePersistenceModule.around(database));
    app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(showRefusal);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  }

  async function get(url: string): Promise<{ status: number; body: Answer }> {
    const { statusCode, body } = await app.inject(url);
    return { status: statusCode, body: JSON.parse(body) as Answer };
  }

  beforeEach(() => {
    database = { pingWriter: () => Promise.resolve(), pingReader: () => Promise.resolve(), queuedWorks: 0 };
  });
  afterEach(() => app.close());

  it('is live as long as it answers, whatever the database does', async () => {
    database.pingWriter = () => new Promise(() => undefined);
    await startApp();

    expect(await get('/health/live')).toEqual({ status: 200, body: { status: 'ok' } });
  });

  it('is ready when everything is, and shows each check', async () => {
    await startApp();

    const { status, body } = await get('/health/ready');

    expect([status, body.status]).toEqual([200, 'ok']);
    expect(Object.keys(body.checks).toSorted()).toEqual(['disk', 'eventLoop', 'queue', 'reader', 'writer']);
    expect(new Set(Object.values(body.checks).map((check) => check.status))).toEqual(new Set(['up']));
  });

  it('names the check that is down and says nothing of the driver', async () => {
    database.pingReader = () => Promise.reject(new Error('connect ECONNREFUSED postgres://u:hunter2@db'));
    await startApp();

    const { status, body } = await get('/health/ready');

    expect([status, body.code, body.detail]).toEqual([503, 'UNAVAILABLE', 'Not ready: reader']);
    expect(body.checks['reader']).toEqual(expect.objectContaining({ status: 'down', message: 'does not answer' }));
    expect(body.checks['writer']?.status).toBe('up');
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  it('answers when a database hangs', async () => {
    database.pingWriter = () => new Promise(() => undefined);
    await startApp();

    const { status, body } = await get('/health/ready');

    expect([status, body.detail]).toEqual([503, 'Not ready: writer']);
    expect(body.checks['writer']?.message).toMatch(/^timeout of \d+ms exceeded$/);
  });

  it('asks the database once for probes that come together', async () => {
    let pings = 0;
    database.pingWriter = () => Promise.resolve(void (pings += 1));
    await startApp();

    await Promise.all([get('/health/ready'), get('/health/ready'), get('/health/ready')]);

    expect(pings).toBe(1);
  });

  it('is not ready while it drains, and stays live', async () => {
    await startApp();
    app.get(Lifecycle).startDraining();

    expect((await get('/health/ready')).body.detail).toBe('Not ready: draining');
    expect((await get('/health/live')).status).toBe(200);
  });

  it('is not ready while too many works wait, and ready at the limit', async () => {
    await startApp({ READY_QUEUE_WORKS_MAX: '5' });

    database.queuedWorks = 6;
    expect((await get('/health/ready')).body.detail).toBe('Not ready: queue');
    database.queuedWorks = 5;
    expect((await get('/health/ready')).status).toBe(200);
  });

  it('is not ready when the disk is nearly full, and says by how much', async () => {
    await startApp({ DISK_FREE_BYTES_MIN: '1000000000000000' });

    const { body } = await get('/health/ready');

    expect(body.detail).toBe('Not ready: disk');
    expect(body.checks['disk']?.message).toMatch(/^\d+ bytes are free, 1000000000000000 are needed$/);
  });

  it('is not ready when the folder of the database is gone', async () => {
    await startApp({ DATABASE_URL: 'sqlite:/nowhere/at/all/x.sqlite' });

    expect((await get('/health/ready')).body.checks['disk']?.message).toBe('does not answer');
  });

  it('is not ready after the event loop stood still', async () => {
    await startApp({ EVENT_LOOP_DELAY_MAX_MS: '50' });
    Object.defineProperty(app.get(EventLoopDelay), 'maxMs', { value: 51 });

    expect((await get('/health/ready')).body.detail).toBe('Not ready: eventLoop');
  });

  it('names everything that is down', async () => {
    database.pingWriter = () => Promise.reject(new Error('gone'));
    database.pingReader = () => Promise.reject(new Error('gone'));
    await startApp();

    expect((await get('/health/ready')).body.detail).toBe('Not ready: writer, reader');
  });

  it('shows its metrics as text', async () => {
    await startApp();
    app.get(Metrics).countOversold();

    const answer = await app.inject('/metrics');

    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toContain('\ninventory_oversold_events_total 1\n');
    expect(answer.statusCode).toBe(200);
  });
});

describe('The log of an app', () => {
  it('takes the lines of its requests', async () => {
    const written: string[] = [];
    const settings = readSettings({ LOG_LEVEL: 'debug', DATABASE_URL: 'sqlite:./x', DISK_FREE_BYTES_MIN: '0' });
    const log = createLog(settings, { write: (text) => written.push(text) });
    const persistence = FakePersistenceModule.around({
      pingWriter: () => Promise.reject(new Error('disk I/O error')),
      pingReader: () => Promise.resolve(),
      queuedWorks: 0,
    });
    const root = RootModule.of(OperationsModule.forRoot(settings, log), persistence);
    const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false });
    registerRequestLog(app.getHttpAdapter().getInstance(), app.get(ProcessLog).pino);
    app.useGlobalFilters(showRefusal);
    await app.init();

    await app.inject('/health/ready');

    expect(written.map((text) => JSON.parse(text) as object)).toEqual([
      expect.objectContaining({ level: 'error', route: '/health/ready', url: '/health/ready', status: 503 }),
    ]);
    await app.close();
  });
});

describe('EventLoopDelay', () => {
  it('notices a stall', async () => {
    const delay = new EventLoopDelay();
    // The first tick of the probe has to pass, or there is nothing to compare with.
    await new Promise<void>((resolve) => {
      const look = () => (delay.maxMs > 0 ? resolve() : void setImmediate(look));
      look();
    });

    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    await new Promise<void>((resolve) => {
      const look = () => (delay.maxMs >= 200 ? resolve() : void setImmediate(look));
      look();
    });

    expect(delay.maxMs).toBeGreaterThanOrEqual(200);
    delay.onModuleDestroy();
  });
});
