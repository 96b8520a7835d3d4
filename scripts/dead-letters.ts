import { setTimeout } from 'node:timers/promises';
import { readOptions, USAGE } from './dead-letters/options.ts';
import { runDeadLetters } from './dead-letters/run.ts';
import { ApiClient } from './replay/api-client.ts';
import { runMain } from './run-main.ts';

/** @returns the exit code: 0 well, 1 something is still dead or the server said no, 2 wrong arguments */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const apiKey = process.env['HOLDFAST_API_KEY'];
  const client = new ApiClient(options.central, {
    fetch: globalThis.fetch,
    wait: (ms) => setTimeout(ms),
    random: Math.random,
    headers: apiKey === undefined || apiKey === '' ? {} : { 'x-api-key': apiKey },
  });
  return (await runDeadLetters(options, client, console.log)) ? 0 : 1;
}

await runMain(main, USAGE);
