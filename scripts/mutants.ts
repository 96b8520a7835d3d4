import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Mutant, readMutants } from './mutants/mutant.ts';
import { tableOf, type Trial, withTable } from './mutants/page.ts';
import { Workshop } from './mutants/workshop.ts';
import { runMain, UsageError } from './run-main.ts';

const PAGE = 'docs/mutants.md';
const USAGE = `usage: npm run mutants -- [--only name,name] [--list] [--no-baseline]

Puts each mutant of test/mutants into a copy of the project, one at a time, and runs the suites that should find it. First
those suites are run without any. A run of all mutants is written to ${PAGE}.

  --only         some of them, by name
  --list         names them and stops
  --no-baseline  believes that the suites pass as they are
  --help

Exit codes: 0 all are killed, 1 some survived, 2 wrong arguments.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      'no-baseline': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const all = readMutants('.');
  const mutants = chosen(all, values.only);
  if (values.list) {
    mutants.forEach(({ name, story }) => {
      console.log(`${name}: ${story}`);
    });
    return 0;
  }
  const workshop = new Workshop(process.cwd());
  try {
    if (!values['no-baseline']) await assertSound(workshop, mutants);
    const trials = await tryAll(workshop, mutants);
    const table = tableOf(trials, new Date().toISOString().slice(0, 10));
    if (mutants.length === all.length) writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), table));
    const survivors = trials.filter(({ killed }) => killed === null).length;
    console.log(`${trials.length - survivors} of ${trials.length} mutants were killed`);
    return survivors === 0 ? 0 : 1;
  } finally {
    workshop.close();
  }
}

/** @throws UsageError when one is named that there is not */
function chosen(all: readonly Mutant[], only: string | undefined): readonly Mutant[] {
  if (only === undefined) return all;
  return only.split(',').map((name) => {
    const mutant = all.find((one) => one.name === name);
    if (mutant === undefined) throw new UsageError(`There is no mutant ${name}`);
    return mutant;
  });
}

/** @throws Error when a suite fails as it is: then it would seem to kill everything */
async function assertSound(workshop: Workshop, mutants: readonly Mutant[]): Promise<void> {
  const suites = [...new Set(mutants.flatMap((mutant) => mutant.suites))].sort();
  console.log(`${suites.length} suites without any mutant`);
  const failed = await workshop.run(suites);
  if (failed !== null) throw new Error(`${failed.suite} fails without any mutant: ${failed.by}`);
}

async function tryAll(workshop: Workshop, mutants: readonly Mutant[]): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const mutant of mutants) {
    const from = performance.now();
    workshop.apply(mutant.patch);
    const killed = await workshop.run(mutant.suites);
    workshop.undo(mutant.patch);
    const seconds = (performance.now() - from) / 1000;
    trials.push({ mutant, killed, seconds });
    console.log(`${mutant.name}: ${killed === null ? 'SURVIVED' : `killed by ${killed.by}`} (${seconds.toFixed(0)} s)`);
  }
  return trials;
}

await runMain(main, USAGE);
