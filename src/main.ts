import { createApp } from './app.ts';
import { runServer } from './server-process.ts';
import { loadSettings } from './shared/settings.ts';

await runServer(() => {
  const settings = loadSettings();
  return { name: 'Holdfast', settings, createApp: () => createApp(settings) };
});
