import { AGENT_USAGE, readAgentConfiguration } from './modules/agent/agent-settings.ts';
import { runServer } from './server-process.ts';
import { lockFolder } from './shared/persistence/folder-lock.ts';
import { readEnvironment } from './shared/settings.ts';
import { createStoreApp } from './store-app.ts';

await runServer(() => {
  const configuration = readAgentConfiguration(process.argv.slice(2), readEnvironment());
  if (configuration === 'help') {
    process.stdout.write(`${AGENT_USAGE}\n`);
    return null;
  }
  const { settings, agent } = configuration;
  const unlock = lockFolder(agent.dataFolder);
  return {
    name: `The agent of ${agent.locationId}`,
    settings,
    createApp: () => createStoreApp(configuration),
    closed: unlock,
  };
});
