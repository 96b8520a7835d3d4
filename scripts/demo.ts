import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Chain, STORES } from './demo/chain.ts';
import { type Screen, screenFor } from './demo/screen.ts';
import { stepsOf } from './demo/steps.ts';
import { Story } from './demo/story.ts';
import { differences, lagsOf, lagTable, untilQuiet } from './demo/verdict.ts';
import { lookAt } from './demo/watch.ts';
import { readSales } from './replay/read-sales.ts';
import { runMain, UsageError } from './run-main.ts';

const USAGE = `usage: npm run demo -- [file.csv] [options]

Starts a centre and the agents of three stores, replays real sales through their tills and reservations through the
storefront, cuts one store off, brings it back, kills the centre once, and ends with all balances compared to the unit.
The file is one that npm run replay takes; without one it is the excerpt that comes with the project.

  --sales <n>     what happens in all, the file over and over     (2000)
  --rate <n>      how much of it in a second                       (80)
  --help

Exit codes: 0 all balances are equal, 1 they are not or the demo broke off, 2 wrong arguments.`;

/** A look costs the centre a walk through all stock. */
const SHOW_EVERY_MS = 500;

interface Options {
  readonly file: string;
  readonly sales: number;
  readonly rate: number;
}

/** @throws UsageError, and what node:util throws for unknown options */
function readOptions(args: string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      sales: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '80' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (positionals.length > 1) throw new UsageError('name one file, or none');
  const file = positionals[0] ?? join(projectRoot(), 'scripts', 'replay', 'sample', 'online-retail-excerpt.csv');
  return { file, sales: wholeNumber('sales', values.sales, 1_000_000), rate: wholeNumber('rate', values.rate, 10_000) };
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= max)) throw new UsageError(`--${name} takes a whole number 1 to ${max}`);
  return value;
}

/** Sources and build lie at different depths below the project. */
function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const { rows } = await readSales(options.file);
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
  const screen = screenFor(process.stdout);
  console.log('Starting a centre and three stores ...');
  const chain = await Chain.start(folder);
  try {
    const steps = stepsOf(rows, STORES, options.sales);
    const story = new Story(chain, steps, options.rate, (text) => {
      screen.tell(text);
    });
    await story.prepare();
    await tellAndShow(chain, story, screen);
    return await judge(chain, story);
  } finally {
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function tellAndShow(chain: Chain, story: Story, screen: Screen): Promise<void> {
  screen.begin(story.stepsTotal);
  const end = new AbortController();
  const showing = showUntil(end.signal, chain, story, screen);
  try {
    await story.tell();
    screen.tell('all has happened; the stores tell what is left');
    await untilQuiet(chain);
  } finally {
    end.abort();
    await showing;
  }
  screen.show(story.stepsDone, await lookAt(chain, story));
  screen.end();
}

async function showUntil(end: AbortSignal, chain: Chain, story: Story, screen: Screen): Promise<void> {
  while (!end.aborted) {
    screen.show(story.stepsDone, await lookAt(chain, story));
    await pause(SHOW_EVERY_MS);
  }
}

/** @returns the exit code */
async function judge(chain: Chain, story: Story): Promise<number> {
  const found = await differences(chain, story);
  console.log(`\n${lagTable(await lagsOf(chain, story.recorded))}\n`);
  if (story.webRefused > 0) console.log(`${story.webRefused} web orders were refused for want of units.`);
  if (found.length === 0) {
    console.log(`All ${story.expected.size} balances are equal at stores and centre, to the unit.`);
    return 0;
  }
  console.log(`${found.length} of ${story.expected.size} balances differ:\n${found.join('\n')}`);
  return 1;
}

await runMain(main, USAGE, 'The demo broke off: ');
