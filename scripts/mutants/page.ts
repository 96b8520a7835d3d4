import type { Mutant } from './mutant.ts';
import type { Killed } from './workshop.ts';

export interface Trial {
  readonly mutant: Mutant;
  readonly killed: Killed;
  readonly seconds: number;
}

const BEGIN = '<!-- results: written by `npm run mutants`, not by hand -->';
const END = '<!-- end of results -->';

/** The table of a whole run, in the order of the names. */
export function tableOf(trials: readonly Trial[], on: string): string {
  const killed = trials.filter((trial) => trial.killed !== null).length;
  const rows = trials.map(
    ({ mutant, killed: end }) =>
      `| \`${mutant.name}\` | ${cell(mutant.story)} | ${end === null ? '**survived**' : `${cell(end.by)} (\`${end.suite}\`)`} |`,
  );
  return [
    `${on}: ${killed} of ${trials.length} killed.`,
    '',
    '| mutant | what it would do | the test that found it first |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** @throws Error when the page has no place for results */
export function withTable(page: string, table: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) throw new Error('The page has lost the marks between which results stand');
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
