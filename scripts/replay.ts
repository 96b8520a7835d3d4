import { parseArgs } from 'node:util';
import { apiKeyOf } from './api-key.ts';
import { barProgress } from './replay/progress.ts';
import { replayFile, type ReplayOptions } from './replay/replay-file.ts';
import { faultsOf, renderReport } from './replay/report.ts';
import { runMain, UsageError } from './run-main.ts';

const USAGE = `usage: npm run replay -- <file.csv> [options]

Sends real sales to a running server through its public HTTP API, then proves that ledger = balances.

  --url <url>          the server                          (http://127.0.0.1:3000)
  --opening <units>    opening stock of every stock item   (as many as the file sells there)
  --concurrency <n>    invoices in flight at once          (16)
  --run <id>           name of the run; the same name again continues it and doubles nothing
  --help

HOLDFAST_API_KEY is sent as X-Api-Key; the key of the first start is in data/admin.key.`;

/** Beyond this the load comes from the queue and not from the sales. */
const CONCURRENCY_MAX = 512;
const OPENING_UNITS_MAX = 1_000_000_000;

function readOptions(args: string[]): ReplayOptions | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:3000' },
      opening: { type: 'string' },
      concurrency: { type: 'string', default: '16' },
      run: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError('name one file');
  if (!/^https?:\/\//.test(values.url)) throw new UsageError(`--url takes an http address, not "${values.url}"`);
  return {
    file,
    url: values.url,
    apiKey: apiKeyOf(process.env),
    openingUnits: values.opening === undefined ? null : wholeNumber('opening', values.opening, 0, OPENING_UNITS_MAX),
    concurrency: wholeNumber('concurrency', values.concurrency, 1, CONCURRENCY_MAX),
    runId: values.run ?? null,
  };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`--${name} takes a whole number ${min} to ${max}`);
  return value;
}

/** @returns the exit code: 0 the proof holds, 1 it does not or the replay broke off, 2 wrong arguments */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const outcome = await replayFile(options, barProgress(process.stderr));
  console.log(`\n${renderReport(outcome)}`);
  return faultsOf(outcome).length === 0 ? 0 : 1;
}

await runMain(main, USAGE, 'The replay broke off: ');
