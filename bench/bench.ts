import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { describeMachine } from './machine.ts';
import { type Finding, resultsTable, withResults } from './page.ts';
import type { BenchOptions, Row } from './row.ts';
import { ROWS } from './rows.ts';

const PAGE = 'docs/benchmarks.md';
const USAGE = `usage: npm run bench -- [--seconds 5] [--rounds 5] [--import-rows 1000000] [--only ${ROWS.map(({ id }) => id).join(',')}]

--seconds  length of a measured round    --rounds  rounds of each workload
--import-rows  rows of the file that is imported
--only     some rows, by id; a run of some rows is printed and not written to ${PAGE}`;

interface Arguments {
  readonly seconds: number;
  readonly rounds: number;
  readonly importRows: number;
  readonly rows: readonly Row[];
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '5' },
      'import-rows': { type: 'string', default: '1000000' },
      only: { type: 'string' },
    },
  });
  const wanted = values.only?.split(',');
  const unknown = wanted?.filter((id) => !ROWS.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}\n\n${USAGE}`);
  return {
    seconds: between('seconds', values.seconds, 1, 600),
    rounds: between('rounds', values.rounds, 1, 100),
    importRows: between('import-rows', values['import-rows'], 1000, 10_000_000),
    rows: ROWS.filter(({ id }) => wanted === undefined || wanted.includes(id)),
  };
}

function between(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!(value >= min && value <= max)) throw new Error(`--${name} takes a number from ${min} to ${max}\n\n${USAGE}`);
  return name === 'seconds' ? value : Math.floor(value);
}

/** A row that cannot run does not keep the others from running. */
async function find(row: Row, options: BenchOptions): Promise<Finding> {
  console.log(`${row.id}: ${row.measured}`);
  try {
    return { row, result: await row.run(options) };
  } catch (error) {
    console.error(error);
    return { row, result: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function asMarkdown(text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}

/** @returns the exit code: 1 when a row could not run or is invalid; a missed goal is a result */
async function main(): Promise<number> {
  const { seconds, rounds, importRows, rows } = readArguments();
  const machine = describeMachine();
  console.log(machine.join('\n'));
  const findings: Finding[] = [];
  const options = { seconds, rounds, importRows, say: (line: string) => console.log(line) };
  for (const row of rows) findings.push(await find(row, options));

  const table = resultsTable(findings);
  console.log(`\n${await asMarkdown(table)}`);
  if (rows.length === ROWS.length) {
    const run = `\`npm run bench -- --seconds ${seconds} --rounds ${rounds} --import-rows ${importRows}\`, ${new Date().toISOString().slice(0, 10)}`;
    const results = [run, ...machine].map((line) => `- ${line}`).join('\n');
    const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : null;
    writeFileSync(PAGE, await asMarkdown(withResults(page, `${results}\n\n${table}`)));
    console.log(`written to ${PAGE}`);
  }
  return findings.every(({ result }) => !(result instanceof Error) && result.invalid === null) ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  },
);
