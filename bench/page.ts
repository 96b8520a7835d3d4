import { type Goal, meets, type Row, type RowResult } from './row.ts';

/** A row with what came out: a result, or why there is none. */
export interface Finding {
  readonly row: Row;
  readonly result: RowResult | Error;
}

const BEGIN = '<!-- results: written by `npm run bench`, not by hand -->';
const END = '<!-- end of results -->';

const FIRST_PAGE = ['# Benchmarks', '', BEGIN, END, ''].join('\n');

/** The rows as a Markdown table. */
export function resultsTable(findings: readonly Finding[]): string {
  const header = ['measured', 'reference', 'goal', 'result', 'throughput', 'CPU per request', 'remarks'];
  const lines = findings.map(({ row, result }) =>
    result instanceof Error
      ? [row.measured, row.reference, goalText(row.goal), 'not run', '', '', result.message]
      : [
          row.measured,
          row.reference,
          goalText(row.goal),
          resultText(result, row.goal),
          result.throughput,
          result.cpuPerRequest,
          result.invalid ?? result.detail,
        ],
  );
  return [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.map(toCell).join(' | ')} |`).join('\n');
}

/**
 * The page with new results.
 * @param page the page as it is; null: there is none yet
 * @throws Error when someone took the marks out, between which the results stand
 */
export function withResults(page: string | null, results: string): string {
  const current = page ?? FIRST_PAGE;
  const [begin, end] = [current.indexOf(BEGIN), current.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/benchmarks.md lacks the lines ${BEGIN} and ${END}`);
  return `${current.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${current.slice(end)}`;
}

function goalText(goal: Goal): string {
  return 'atLeast' in goal ? `at least ${goal.atLeast.toFixed(2)}` : `at most ${goal.atMost.toFixed(2)}`;
}

function resultText({ value, invalid }: RowResult, goal: Goal): string {
  if (invalid !== null) return '**invalid**';
  return meets(value, goal) ? value.toFixed(2) : `**${value.toFixed(2)}** (missed)`;
}

/** A bar or a line end inside a cell would end it. */
function toCell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s+/g, ' ').trim();
}
