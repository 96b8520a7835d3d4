import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { runInContext } from '../kernel/context.ts';
import { registerHttpMetrics } from './http-metrics.ts';
import { Metrics } from './metrics.ts';
import { CALLER_GONE, onRequestEnd, type RequestEnd, UNMATCHED_ROUTE } from './request-end.ts';

describe('onRequestEnd', () => {
  let fastify: FastifyInstance;
  let ends: RequestEnd[];
  let nextEnd: Promise<void>;

  beforeEach(async () => {
    ends = [];
    fastify = Fastify();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const correlationId = String(request.headers['x-correlation-id'] ?? 'none');
      runInContext({ tenantId: 'default', clientId: 'default', correlationId, traceparent: null }, done);
    });
    nextEnd = new Promise((resolve) => {
      onRequestEnd(fastify, (end) => {
        ends.push(end);
        resolve();
      });
    });
    fastify.get('/items/:id', () => Promise.resolve({ found: true }));
    fastify.get('/broken', () => Promise.reject(new Error('a bug')));
    fastify.all('/never', () => new Promise(() => undefined));
    await fastify.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => fastify.close());

  function urlOf(path: string): string {
    return `http://127.0.0.1:${(fastify.server.address() as AddressInfo).port}${path}`;
  }

  it('knows the route by its pattern, the status and the context of the request', async () => {
    await fetch(urlOf('/items/42?x=1'), { headers: { 'x-correlation-id': 'c-1', connection: 'close' } });
    await nextEnd;

    expect(ends).toEqual([expect.objectContaining({ route: '/items/:id', status: 200 })]);
    expect(ends[0]?.context?.correlationId).toBe('c-1');
    expect(ends[0]?.durationMs).toBeGreaterThan(0);
  });

  it.each([
    ['/nowhere/1', UNMATCHED_ROUTE, 404],
    ['/broken', '/broken', 500],
  ])('sees %s, which is answered by an error', async (path, route, status) => {
    await fetch(urlOf(path));
    await nextEnd;

    expect(ends).toEqual([expect.objectContaining({ route, status })]);
  });

  it.each(['GET', 'POST'])('sees a %s whose caller hangs up, once', async (method) => {
    const body = method === 'POST' ? '{}' : undefined;
    const call = httpRequest(urlOf('/never'), { method, headers: body && { 'content-type': 'application/json' } });
    call.on('error', () => undefined);
    const arrived = new Promise<void>((resolve) => fastify.server.once('request', () => resolve()));
    call.end(body);
    await arrived;
    call.destroy();
    await nextEnd;

    expect(ends).toEqual([expect.objectContaining({ route: '/never', status: CALLER_GONE })]);
  });

  it('keeps the contexts of requests apart that end at the same moment', async () => {
    const ids = Array.from({ length: 50 }, (_, n) => `c-${n}`);
    const calls = ids.map((id) => fastify.inject({ url: `/items/${id}`, headers: { 'x-correlation-id': id } }));
    await Promise.all(calls);

    expect(ends.map(({ request, context }) => [request.url, context?.correlationId])).toEqual(
      expect.arrayContaining(ids.map((id) => [`/items/${id}`, id])),
    );
  });
});

describe('registerHttpMetrics', () => {
  it('measures every request by route pattern and status, and unknown routes under one label', async () => {
    const metrics = new Metrics();
    const fastify = Fastify();
    registerHttpMetrics(fastify, metrics);
    fastify.get('/items/:id', () => Promise.resolve({}));

    for (const url of ['/items/1', '/items/2', '/nowhere/1', '/nowhere/2']) await fastify.inject(url);

    const counts = (await metrics.exposition()).split('\n').filter((line) => line.includes('duration_seconds_count'));
    expect(counts).toEqual(
      expect.arrayContaining([
        'http_request_duration_seconds_count{method="GET",route="/items/:id",status="200"} 2',
        'http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 2',
      ]),
    );
  });
});
