import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.ts';
import { runServer } from './server-process.ts';
import { FirstKey } from './shared/access/first-key.ts';
import { loadSettings } from './shared/settings.ts';

await runServer(() => {
  const settings = loadSettings();
  return { name: 'Holdfast', settings, createApp: () => createApp(settings), greeting: placeOfFirstKey };
});

/** Nothing when this start made no key. Its place only: the output of a server is kept where its keys must not be. */
function placeOfFirstKey(app: NestFastifyApplication): string {
  const { writtenTo } = app.get(FirstKey, { strict: false });
  return writtenTo === null ? '' : `Callers need a key, sent as X-Api-Key. The first one is in ${writtenTo}\n`;
}
