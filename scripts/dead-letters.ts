import { apiKeyOf } from './api-key.ts';
import { readOptions, USAGE } from './dead-letters/options.ts';
import { runDeadLetters } from './dead-letters/run.ts';
import { ApiClient, worldWithKey } from './replay/api-client.ts';
import { runMain } from './run-main.ts';

/** @returns the exit code: 0 well, 1 something is still dead or the server said no, 2 wrong arguments */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const client = new ApiClient(options.central, worldWithKey(apiKeyOf(process.env)));
  return (await runDeadLetters(options, client, console.log)) ? 0 : 1;
}

await runMain(main, USAGE);
