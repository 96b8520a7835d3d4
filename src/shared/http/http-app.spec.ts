import { once } from 'node:events';
import { Module } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { OpenAPIObject } from '@nestjs/swagger';
import { eventually } from '../../../test/support/eventually.ts';
import { Api, problemOf } from '../../../test/support/http.ts';
import { CountUp, createProbeApp, type ProbeApp, startProbeApp } from '../../../test/support/probe-app.ts';
import { RawConnection } from '../../../test/support/raw-http.ts';
import { drainHttp } from './drain.ts';
import { ERROR_CODES } from './error-codes.ts';

@CommandHandler(CountUp)
class AnotherCountUpHandler {
  execute(): Promise<{ count: number }> {
    return Promise.resolve({ count: 0 });
  }
}

@Module({ providers: [AnotherCountUpHandler] })
class RivalModule {}

describe('the start', () => {
  it('fails when two handlers claim one command', async () => {
    const app = await createProbeApp({}, [RivalModule]);
    await expect(app.init()).rejects.toThrow('CountUpHandler and AnotherCountUpHandler both handle CountUp');
    await app.close();
  });
});

describe('the documentation', () => {
  let probe: ProbeApp;

  beforeAll(async () => {
    probe = await startProbeApp();
  });

  afterAll(() => probe.close());

  it('describes calls with their fields, errors and headers', async () => {
    const { status, body } = await probe.api.get<OpenAPIObject>('/openapi.json');
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    const operation = body.paths['/v1/probes/count']?.post;
    expect(Object.keys(operation?.responses ?? {})).toEqual(
      expect.arrayContaining(['400', '409', '422', '500', '503']),
    );
    expect(operation?.parameters).toContainEqual({ $ref: '#/components/parameters/Idempotency-Key' });
    expect(body.components?.parameters?.['Idempotency-Key']).toMatchObject({ in: 'header', required: true });
    expect(body.components?.schemas?.ProbeLine).toMatchObject({
      required: ['sku', 'quantity'],
      properties: {
        sku: { type: 'string', maxLength: 64 },
        quantity: { type: 'integer', minimum: 1, maximum: 1_000_000 },
      },
    });
    expect(body.components?.schemas?.InsufficientStockProblem).toBeDefined();
  });

  it('is served for people, and nothing but this', async () => {
    expect((await probe.api.get('/docs')).headers['content-type']).toMatch(/^text\/html/);
    expect((await probe.api.get('/docs/swagger-ui-bundle.js')).status).toBe(200);
    for (const path of ['/docs-json', '/docs-yaml', '/openapi.yaml', '/docs/nothing.js']) {
      problemOf(await probe.api.get(path), 404, 'NOT_FOUND');
    }
  });

  it('asks no other host for anything', async () => {
    const { text } = await probe.api.get('/docs');
    const asked = [...text.matchAll(/(?:src|href)=['"]([^'"]+)/g)].map(([, address]) => address ?? '');
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((address) => !/^(\.\/docs\/|data:|#)/.test(address))).toEqual([]);
  });

  it('fills in a new Idempotency-Key whenever the page is loaded, and only there', async () => {
    const filledIn = async (path: string) => {
      const { text } = await probe.api.get(path);
      return [...text.matchAll(/"name": ?"Idempotency-Key"[^}]*\}[^}]*"example": ?"([^"]+)"/g)].map(([, key]) => key);
    };
    const [first, second] = [await filledIn('/docs/swagger-ui-init.js'), await filledIn('/docs/swagger-ui-init.js')];
    expect(first).toHaveLength(1);
    expect(second).toHaveLength(1);
    expect(first).not.toEqual(second);
    expect(await filledIn('/openapi.json')).toEqual([]);
  });

  it('names no server software', async () => {
    const { headers } = await probe.api.get('/v1/probes/plain');
    expect([headers.server, headers['x-powered-by'], headers['x-content-type-options']]).toEqual([
      undefined,
      undefined,
      'nosniff',
    ]);
  });

  it('has a title and an error status for each code', () => {
    for (const [code, { status, title }] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toBe('');
    }
  });
});

describe('draining', () => {
  it('answers what is in flight, tells its client to leave, and closes idle connections', async () => {
    const probe = await startProbeApp();
    const idle = await RawConnection.open(probe.url);
    const used = await RawConnection.open(probe.url);
    used.write('GET /v1/probes/plain HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await used.answer()).headers.connection).toBe('keep-alive');

    const inFlight = probe.api.get('/v1/probes/gate');
    await probe.probes.gate.arrived;
    probe.lifecycle.startDraining();
    const drained = drainHttp(probe.app.getHttpServer(), 20_000);

    expect([await idle.rest(), await used.rest()]).toEqual(['', '']);
    await eventually('new connections are refused', async () => {
      const late = new Api(probe.url, 1);
      const refused = await late.get('/v1/probes/plain').then(
        () => false,
        () => true,
      );
      late.close();
      return refused;
    });
    probe.probes.gate.open();
    const answer = await inFlight;
    expect([answer.status, answer.body, answer.headers.connection]).toEqual([200, { passed: true }, 'close']);
    expect(await drained).toBe(true);
    await probe.close();
  });

  it('gives up on a request that never becomes whole', async () => {
    const probe = await startProbeApp();
    const begun = once(probe.app.getHttpServer(), 'request');
    const half = await RawConnection.open(probe.url);
    half.write(
      'POST /v1/probes/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    );
    await begun;
    expect(await drainHttp(probe.app.getHttpServer(), 100)).toBe(false);
    await probe.close();
  });
});
