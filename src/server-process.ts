import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { drainHttp } from './shared/http/drain.ts';
import { Lifecycle } from './shared/operations/lifecycle.ts';
import { type Settings, SettingsError } from './shared/settings.ts';

/** Of the time for stopping, the part in which requests may finish; the rest is for flushing and closing. */
const DRAIN_SHARE = 0.8;

const logger = new Logger('Main');

/** A program that serves HTTP until it is told to stop. */
export interface ServerProgram {
  /** What people call it. */
  readonly name: string;
  readonly settings: Settings;
  createApp(): Promise<NestFastifyApplication>;
  /** More lines for whoever has just started it. */
  greeting?(app: NestFastifyApplication): string;
  /** Runs last of all, when everything is closed. */
  closed?(): void;
}

/**
 * Runs a program from its settings to its graceful stop.
 * @param read gives the program, or null when there is nothing to run
 */
export async function runServer(read: () => ServerProgram | null): Promise<void> {
  try {
    const program = read();
    if (program !== null) await serve(program);
  } catch (error) {
    // The log may not be there yet, so this goes out in plain text.
    const text = error instanceof SettingsError ? error.message : `Holdfast could not start: ${inspect(error)}`;
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}

async function serve(program: ServerProgram): Promise<void> {
  exitOnBug();
  const app = await program.createApp();
  stopOnSignal(app, program);
  await app.listen(program.settings.port, program.settings.host);
  const url = await app.getUrl();
  const more = program.greeting?.(app) ?? '';
  process.stdout.write(`${program.name} listens on ${url}\nTry the API in a browser: ${url}/docs\n${more}`);
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
function stopOnSignal(app: NestFastifyApplication, program: ServerProgram): void {
  const { shutdownMaxMs } = program.settings;
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      logger.error(`Not stopped within ${shutdownMaxMs} ms; leaving as it is`);
      process.exit(1);
    }, shutdownMaxMs);
    void stop(app, signal, program);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** HTTP first, while everything behind it still runs; then the hooks of the modules close in their order. */
async function stop(app: NestFastifyApplication, signal: NodeJS.Signals, program: ServerProgram): Promise<void> {
  logger.log(`${signal}: finishing what is in flight`);
  app.get(Lifecycle).startDraining();
  const complete = await drainHttp(app.getHttpServer(), program.settings.shutdownMaxMs * DRAIN_SHARE);
  if (!complete) {
    logger.warn('Closed connections whose requests were not finished in time');
  }
  await app.close();
  program.closed?.();
  logger.log('Stopped');
  process.exit(0);
}
