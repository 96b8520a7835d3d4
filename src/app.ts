import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.ts';
import { type AppPart, createHttpApp } from './shared/http/http-app.ts';
import type { Settings } from './shared/settings.ts';

/**
 * The whole application, not listening yet.
 * @param extraParts modules besides our own, e.g. probes of a test
 */
export function createApp(settings: Settings, extraParts: readonly AppPart[] = []): Promise<NestFastifyApplication> {
  return createHttpApp(settings, [AppModule.forRoot(settings), ...extraParts]);
}
