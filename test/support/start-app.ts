import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.ts';
import type { AppPart } from '../../src/shared/http/http-app.ts';
import { Clock } from '../../src/shared/kernel/clock.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { freshDatabase } from './databases.ts';
import { Api } from './http.ts';
import type { Engine } from './services.ts';
import { TestClock } from './test-clock.ts';

export interface RunningApp {
  readonly url: string;
  readonly api: Api;
  readonly clock: TestClock;
  /** The DATABASE_URL in use, for a second app on the same database. */
  readonly databaseUrl: string;
  readonly app: NestFastifyApplication;
  close(): Promise<void>;
}

/**
 * The environment on top of the defaults. Sweeping and purging rest, so that what reads free again is free before any
 * sweep; callers need no key, except where a suite is about that (guarded-app.ts).
 */
const TEST_ENVIRONMENT = {
  LOG_LEVEL: 'silent',
  PORT: '0',
  AUTH: 'off',
  SWEEP_INTERVAL_MS: '60000',
  PURGE_INTERVAL_MS: '3600000',
};

/**
 * The real application on a free port and a database of its own, with a clock that the test moves.
 * @param extraParts modules besides our own, e.g. a reaction of a test
 */
export async function startApp(
  engine: Engine,
  env: Readonly<Record<string, string>> = {},
  extraParts: readonly AppPart[] = [],
): Promise<RunningApp> {
  const database = await freshDatabase(engine);
  const settings = readSettings({ ...TEST_ENVIRONMENT, DATABASE_URL: database.url, ...env });
  const app = await createApp(settings, extraParts);
  const clock = new TestClock();
  // The same instance is injected everywhere, so giving it another answer reaches every handler.
  app.get(Clock, { strict: false }).now = () => clock.now();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const api = new Api(url);
  return {
    url,
    api,
    clock,
    databaseUrl: settings.databaseUrl,
    app,
    close: async () => {
      api.close();
      // Connections that a failed test has left open would keep the server waiting.
      app.getHttpServer().closeAllConnections();
      await app.close();
      await database.drop();
    },
  };
}
