import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { RouteAccess } from '../../../src/shared/access/allows.ts';
import { isDocumentation } from '../../../src/shared/access/open-paths.ts';
import { withRoleTable } from '../../../scripts/openapi/role-table.ts';
import { problemOf } from '../../support/http.ts';
import { type GuardedApp, startGuardedApp } from '../../support/guarded-app.ts';

interface Route {
  readonly name: string;
  readonly path: string;
  readonly access: RouteAccess | undefined;
}

/** Every route that the server has, whoever made it. */
@Injectable()
class RouteLog {
  readonly routes: Route[] = [];

  constructor(host: HttpAdapterHost) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('onRoute', ({ method, url, config }) => {
      for (const one of [method].flat().filter((name) => name !== 'HEAD')) {
        this.routes.push({ name: `${one} ${url}`, path: url, access: config?.access });
      }
    });
  }
}

@ApiExcludeController()
@Controller('v1/forgotten')
class ForgottenController {
  @Get()
  forgotten(): string {
    return '{}';
  }
}

@Module({ providers: [RouteLog], controllers: [ForgottenController] })
class RouteLogModule {}

/** Pages about the API come from Swagger, which takes no decorator; a setting decides about them (open-paths.ts). */
function undecided(routes: readonly Route[]): string[] {
  return routes.filter(({ path, access }) => access === undefined && !isDocumentation(path)).map(({ name }) => name);
}

const ROOT = join(__dirname, '../../..');

/** Without what only aligns the columns. */
function asLaidOut(page: string): string {
  return page.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---');
}

describe('Every route', () => {
  let app: GuardedApp;
  let routes: readonly Route[];
  const own = () => routes.filter(({ path }) => path !== '/v1/forgotten');

  beforeAll(async () => {
    app = await startGuardedApp('sqlite', {}, [RouteLogModule]);
    ({ routes } = app.running.app.get(RouteLog, { strict: false }));
  });

  afterAll(() => app.close());

  it('says who may call it', () => {
    expect(routes.length).toBeGreaterThan(40);
    expect(undecided(own())).toEqual([]);
  });

  it('stands in docs/access.md with its roles; if not: npm run openapi', () => {
    const page = readFileSync(join(ROOT, 'docs/access.md'), 'utf8');
    const document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as { paths: object };
    const written = withRoleTable(page, document as Parameters<typeof withRoleTable>[1]);
    expect(asLaidOut(written)).toBe(asLaidOut(page));
    expect(page.match(/^\| `(?:GET|POST|PUT|DELETE) /gm)?.length).toBeGreaterThan(40);
  });

  it('is found when it says nothing, and is refused to everybody', async () => {
    expect(undecided(routes)).toEqual(['GET /v1/forgotten']);
    problemOf(await app.anonymous.get('/v1/forgotten'), 401, 'UNAUTHENTICATED');
    problemOf(await app.admin.get('/v1/forgotten'), 403, 'FORBIDDEN');
    expect((await app.admin.send('HEAD', '/v1/forgotten')).status).toBe(403);
  });
});
