import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AgentConfiguration } from './modules/agent/agent-settings.ts';
import type { ApiDescription } from './shared/http/openapi/document.ts';
import { type AppPart, createHttpApp } from './shared/http/http-app.ts';
import { StoreModule } from './store.module.ts';

/** What the documentation of the agent says besides its calls. */
export const STORE_API: ApiDescription = {
  title: 'Holdfast: the agent of a store',
  guarded: false,
  description: `One store beside its tills. Everything here works while the centre is away: 201 means that it is on the disk of the store, and the
centre is told as soon as it is there.

* Nothing that happened is refused, not even below zero or for a sku that nobody knows: only what is not well formed is.
* With an \`Idempotency-Key\` a repeat is recorded once and answered as the first time.
* Errors are problem documents (RFC 9457), as at the centre.`,
  tags: [
    ['Till', 'What happened in the store'],
    ['Shelf', 'What the store knows of its stock'],
    ['Operations', 'Health and metrics of this process'],
  ],
};

/**
 * The agent of one store, whole, not listening yet. It has begun to look for the centre when it listens.
 * @param extraParts modules besides our own, e.g. probes of a test
 */
export function createStoreApp(
  configuration: AgentConfiguration,
  extraParts: readonly AppPart[] = [],
): Promise<NestFastifyApplication> {
  return createHttpApp(configuration.settings, [StoreModule.forRoot(configuration), ...extraParts], STORE_API);
}
