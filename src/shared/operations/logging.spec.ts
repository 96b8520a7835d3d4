import { jest } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { runInContext } from '../kernel/context.ts';
import { readSettings } from '../settings.ts';
import { createLog, GatheredLines, registerRequestLog } from './logging.ts';

type Line = Record<string, unknown> & { err?: Record<string, unknown> };

function aLog(level = 'trace') {
  const written: string[] = [];
  const log = createLog(readSettings({ LOG_LEVEL: level }), { write: (text) => written.push(text) });
  return { log, lines: () => written.map((text) => JSON.parse(text) as Line), text: () => written.join('') };
}

const context = { tenantId: 'chain', clientId: 'till', correlationId: 'c-1', traceparent: null };

describe('createLog', () => {
  it('writes a JSON object per line, with level and time in words', () => {
    const { log, lines } = aLog();

    log.info('started');

    expect(lines()).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), pid: process.pid, msg: 'started' },
    ]);
  });

  it('adds correlation id, tenant and client to every line of a request or job', () => {
    const { log, lines } = aLog();

    runInContext(context, () => log.warn('something'));

    expect(lines()).toEqual([expect.objectContaining({ correlationId: 'c-1', tenant: 'chain', client: 'till' })]);
  });

  it('writes nothing below its level', () => {
    const { log, lines } = aLog('warn');

    log.info('too much');
    log.warn('enough');

    expect(lines().map(({ msg }) => msg)).toEqual(['enough']);
  });

  it('cannot be made to write a second line', () => {
    const { log, text } = aLog();

    log.info({ url: '/a\n{"level":"error","msg":"forged"}' }, 'x\r\n\u2028y');

    expect(text().trimEnd().split('\n')).toHaveLength(1);
  });

  it('blanks secret headers', () => {
    const { log, text, lines } = aLog();
    const headers = { authorization: 'Bearer hunter2', 'x-api-key': 'hunter2', cookie: 'hunter2', accept: '*/*' };

    log.info({ headers }, 'x');
    log.info({ req: { headers } }, 'x');

    expect(text()).not.toContain('hunter2');
    expect(lines()[0]?.['headers']).toEqual(expect.objectContaining({ accept: '*/*' }));
  });

  it('shows of an error where and why, with its causes, and not what a driver attached', () => {
    const { log, lines, text } = aLog();
    const driverError = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR', parameters: ['hunter2'] });
    const error = Object.assign(new Error('flush failed', { cause: driverError }), {
      query: 'INSERT hunter2',
      parameters: ['hunter2'],
    });

    log.error({ err: error }, 'failed');
    log.error(new AggregateError([driverError], 'no address answered'));

    expect(text()).not.toContain('hunter2');
    expect(lines()[0]?.err).toEqual({
      type: 'Error',
      message: 'flush failed',
      stack: expect.stringContaining('logging.spec'),
      cause: expect.objectContaining({ message: 'disk I/O error', code: 'SQLITE_IOERR' }),
    });
    expect(lines()[1]?.err).toEqual(
      expect.objectContaining({ type: 'AggregateError', errors: [expect.objectContaining({ code: 'SQLITE_IOERR' })] }),
    );
  });

  it('survives errors that are their own cause, and values that are no errors', () => {
    const { log, lines } = aLog();
    const error = new Error('loop');
    error.cause = error;

    log.error({ err: error });
    log.error({ err: 'a string' });

    expect(lines()).toHaveLength(2);
    expect(lines()[1]?.err).toEqual({ type: 'string', message: 'a string' });
  });
});

describe('registerRequestLog', () => {
  let fastify: FastifyInstance;

  function appWith(log: ReturnType<typeof aLog>['log']): FastifyInstance {
    fastify = Fastify();
    fastify.addHook('onRequest', (_request, _reply, done) => runInContext(context, done));
    registerRequestLog(fastify, log);
    fastify.post('/v1/items/:id', (_request, reply) => reply.code(409).send({ secret: 'hunter2' }));
    fastify.get('/broken', () => Promise.reject(new Error('a bug')));
    for (const path of ['/health/live', '/health/ready', '/metrics']) fastify.get(path, () => Promise.resolve('ok'));
    return fastify;
  }

  afterEach(() => fastify.close());

  it('writes one line with method, route, address, status and duration, and nothing of body and headers', async () => {
    const { log, lines, text } = aLog();

    await appWith(log).inject({
      method: 'POST',
      url: '/v1/items/7?x=1',
      headers: { authorization: 'hunter2' },
      payload: { note: 'hunter2' },
    });

    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        pid: process.pid,
        correlationId: 'c-1',
        tenant: 'chain',
        client: 'till',
        method: 'POST',
        route: '/v1/items/:id',
        url: '/v1/items/7?x=1',
        status: 409,
        durationMs: expect.any(Number),
        msg: 'request',
      },
    ]);
    expect(text()).not.toContain('hunter2');
  });

  it.each([
    ['/health/live', 'debug'],
    ['/health/ready', 'debug'],
    ['/metrics', 'debug'],
    ['/broken', 'error'],
    ['/nowhere', 'info'],
  ])('writes %s at level %s', async (url, level) => {
    const { log, lines } = aLog();

    await appWith(log).inject(url);

    expect(lines().map((line) => line['level'])).toEqual([level]);
  });

  it('cuts an address that is too long to read', async () => {
    const { log, lines } = aLog();

    await appWith(log).inject(`/nowhere?${'x'.repeat(5000)}`);

    expect(String(lines()[0]?.['url'])).toHaveLength(500);
  });

  it('is silent when told so', async () => {
    const { log, lines } = aLog('silent');

    await appWith(log).inject('/broken');

    expect(lines()).toEqual([]);
  });
});

describe('GatheredLines', () => {
  function gathering() {
    const pieces: string[] = [];
    const listeners = { exit: process.listeners('exit'), beforeExit: process.listeners('beforeExit') };
    const lines = new GatheredLines({
      write: (text) => pieces.push(text) > 0,
      flushSync: () => {
        pieces.push('(flushed)');
      },
    });
    const added = (event: 'exit' | 'beforeExit') =>
      process.listeners(event as 'exit').filter((listener) => !listeners[event].includes(listener as never));
    const end = (event: 'exit' | 'beforeExit'): void => {
      added(event).forEach((listener) => {
        listener(0);
      });
    };
    const forget = (): void => {
      for (const event of ['exit', 'beforeExit'] as const) {
        added(event).forEach((listener) => process.off(event, listener));
      }
    };
    return { lines, pieces, end, forget };
  }

  afterEach(() => jest.useRealTimers());

  it('hands lines on together after a quarter of a second', () => {
    jest.useFakeTimers();
    const { lines, pieces, forget } = gathering();

    lines.write('one\n');
    lines.write('two\n');
    expect(pieces).toEqual([]);
    jest.advanceTimersByTime(250);
    lines.write('three\n');
    jest.advanceTimersByTime(250);

    expect(pieces).toEqual(['one\ntwo\n', 'three\n']);
    forget();
  });

  it('hands them on at once when they are many', () => {
    const { lines, pieces, forget } = gathering();
    const line = `${'x'.repeat(1023)}\n`;

    for (let n = 0; n < 65; n += 1) lines.write(line);
    lines.flushSync();

    expect(pieces).toEqual([line.repeat(64), line, '(flushed)']);
    forget();
  });

  it.each(['beforeExit', 'exit'] as const)('keeps nothing back at %s', (event) => {
    const { lines, pieces, end, forget } = gathering();

    lines.write('the last words\n');
    end(event);

    expect(pieces[0]).toBe('the last words\n');
    forget();
  });
});
