import { setTimeout } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import { apiKeyOf } from './api-key.ts';
import { readOptions, USAGE } from './import/options.ts';
import { sendFile } from './import/send-file.ts';
import { runMain } from './run-main.ts';

const FORMAT = 'import [{bar}] {percentage}%  {value}/{total} bytes  {duration_formatted}';

/** @returns the exit code: 0 every row is applied, 1 some were refused or it did not finish, 2 wrong arguments */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const bar = new SingleBar(
    { stream: process.stderr, format: FORMAT, hideCursor: true, noTTYOutput: false },
    Presets.shades_classic,
  );
  const complete = await sendFile(options, {
    wait: (ms) => setTimeout(ms),
    random: Math.random,
    say: (line) => {
      bar.stop();
      console.log(line);
    },
    progress: (bytes, total) => {
      if (bar.isActive) bar.update(bytes);
      else bar.start(total, bytes);
    },
    apiKey: apiKeyOf(process.env),
  });
  return complete ? 0 : 1;
}

await runMain(main, USAGE);
