import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.ts';
import { drainHttp } from './shared/http/drain.ts';
import { Lifecycle } from './shared/operations/lifecycle.ts';
import { loadSettings, type Settings, SettingsError } from './shared/settings.ts';

/** Of the time for stopping, the part in which requests may finish; the rest is for flushing and closing. */
const DRAIN_SHARE = 0.8;

const logger = new Logger('Main');

try {
  await start();
} catch (error) {
  // The log may not be there yet, so this goes out in plain text.
  process.stderr.write(`Holdfast could not start: ${inspect(error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const settings = readSettingsOrExit();
  exitOnBug();
  const app = await createApp(settings);
  stopOnSignal(app, settings);
  await app.listen(settings.port, settings.host);
  const url = await app.getUrl();
  process.stdout.write(`Holdfast listens on ${url}\nTry the API in a browser: ${url}/docs\n`);
}

function readSettingsOrExit(): Settings {
  try {
    return loadSettings();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** After an error that nobody caught, nobody knows what state the process is in; what was answered is on disk. */
function exitOnBug(): void {
  const exit = (error: unknown): void => {
    logger.fatal(error instanceof Error ? error : new Error('Something that is no Error was thrown', { cause: error }));
    process.exit(1);
  };
  process.on('uncaughtException', exit);
  process.on('unhandledRejection', exit);
}

/** SIGTERM and SIGINT stop the server once; further signals change nothing, or they would cut off what is finishing. */
function stopOnSignal(app: NestFastifyApplication, settings: Settings): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      logger.error(`Not stopped within ${settings.shutdownMaxMs} ms; leaving as it is`);
      process.exit(1);
    }, settings.shutdownMaxMs);
    void stop(app, signal, settings.shutdownMaxMs * DRAIN_SHARE);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** HTTP first, while everything behind it still runs; then the hooks of the modules close in their order. */
async function stop(app: NestFastifyApplication, signal: NodeJS.Signals, drainMaxMs: number): Promise<void> {
  logger.log(`${signal}: finishing what is in flight`);
  app.get(Lifecycle).startDraining();
  const complete = await drainHttp(app.getHttpServer(), drainMaxMs);
  if (!complete) {
    logger.warn('Closed connections whose requests were not finished in time');
  }
  await app.close();
  logger.log('Stopped');
  process.exit(0);
}
