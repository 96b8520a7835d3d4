import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { type Arguments, readArguments } from './arguments.ts';
import { CHART_FILE, chartOf } from './chart.ts';
import { describeMachine } from './machine.ts';
import { type Finding, resultsTable, withResults } from './page.ts';
import { RowRuns } from './row-runs.ts';
import { ROWS } from './rows.ts';

const PAGE = 'docs/benchmarks.md';
const CHART = `docs/${CHART_FILE}`;

async function asMarkdown(text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}

/** Each row in a process of its own, with a time limit: one that cannot run does not keep the others from running. */
async function findAll({ rows, options }: Arguments): Promise<Finding[]> {
  const runs = new RowRuns(options);
  const stop = (): void => {
    runs.end();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const findings: Finding[] = [];
    for (const row of rows) {
      const startedAt = performance.now();
      console.log(`${row.id}: ${row.measured}`);
      const result = await runs.run(row);
      const told = result instanceof Error ? result.message : `${result.value.toFixed(2)}, ${result.detail}`;
      console.log(`  -> ${told} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
      findings.push({ row, result });
    }
    return findings;
  } finally {
    runs.end();
  }
}

async function writePage(findings: readonly Finding[], table: string, lines: readonly string[]): Promise<void> {
  const results = lines.map((line) => `- ${line}`).join('\n');
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : null;
  const chart = `![Each row's result as a share of its goal](${CHART_FILE})`;
  writeFileSync(PAGE, await asMarkdown(withResults(page, `${results}\n\n${chart}\n\n${table}`)));
  writeFileSync(CHART, chartOf(findings));
  console.log(`written to ${PAGE} and ${CHART}`);
}

/** @returns the exit code: 1 when a row could not run or is invalid; a missed goal is a result */
async function main(): Promise<number> {
  const chosen = readArguments();
  const machine = describeMachine();
  console.log(machine.join('\n'));
  const findings = await findAll(chosen);
  const table = resultsTable(findings);
  console.log(`\n${await asMarkdown(table)}`);
  if (chosen.rows.length === ROWS.length) {
    await writePage(findings, table, [`\`${chosen.command}\`, ${new Date().toISOString().slice(0, 10)}`, ...machine]);
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
