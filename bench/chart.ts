import type { Finding } from './page.ts';
import { type Goal, meets } from './row.ts';

/** Beside the page. */
export const CHART_FILE = 'benchmarks.svg';

const ROW_HEIGHT = 22;
const TOP = 40;
const NAMES_WIDTH = 210;
const BARS_WIDTH = 460;
const VALUES_WIDTH = 130;
/** The scale is logarithmic: half of a goal is as far to the left as twice the goal is to the right. */
const SHARE_MIN = 1 / 8;
const SHARE_MAX = 8;
const GOOD = '#2f7d4f';
const MISSED = '#b5482f';
const GREY = '#888888';

/** One bar for each row: how far its result is beyond its goal, or short of it. */
export function chartOf(findings: readonly Finding[]): string {
  const height = TOP + findings.length * ROW_HEIGHT + 12;
  const width = NAMES_WIDTH + BARS_WIDTH + VALUES_WIDTH;
  const marks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((share) => markAt(share, height)).join('\n');
  const bars = findings.map((finding, index) => barOf(finding, TOP + index * ROW_HEIGHT)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>Each row's result as a share of its goal; right of the line the goal is met</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${marks}
${bars}
</svg>
`;
}

function markAt(share: number, height: number): string {
  const x = xOf(share);
  const text = share < 1 ? `1/${1 / share}` : String(share);
  const [colour, strokeWidth] = share === 1 ? ['#222222', 2] : ['#dddddd', 1];
  return `<line x1="${x}" y1="${TOP - 10}" x2="${x}" y2="${height - 8}" stroke="${colour}" stroke-width="${strokeWidth}"/>
<text x="${x}" y="${TOP - 16}" text-anchor="middle" fill="${GREY}">${share === 1 ? 'goal' : text}</text>`;
}

function barOf({ row, result }: Finding, y: number): string {
  const name = `<text x="${NAMES_WIDTH - 8}" y="${y + 15}" text-anchor="end">${row.id}</text>`;
  const value = (text: string): string =>
    `<text x="${NAMES_WIDTH + BARS_WIDTH + 8}" y="${y + 15}" fill="${GREY}">${text}</text>`;
  if (result instanceof Error || result.invalid !== null || !(result.value > 0)) return `${name}\n${value('not run')}`;
  const [from, to] = [xOf(1), xOf(shareOfGoal(result.value, row.goal))].sort((a, b) => a - b) as [number, number];
  const colour = meets(result.value, row.goal) ? GOOD : MISSED;
  // A result that is just the goal has to be seen, too.
  const bar = `<rect x="${from}" y="${y + 4}" width="${Math.max(2, to - from)}" height="${ROW_HEIGHT - 8}" fill="${colour}"/>`;
  const limit = 'atLeast' in row.goal ? `≥ ${row.goal.atLeast}` : `≤ ${row.goal.atMost}`;
  return `${name}\n${bar}\n${value(`${result.value.toFixed(2)} (${limit})`)}`;
}

/** Above 1: better than the goal. */
function shareOfGoal(value: number, goal: Goal): number {
  return 'atLeast' in goal ? value / goal.atLeast : goal.atMost / value;
}

function xOf(share: number): number {
  const bounded = Math.min(SHARE_MAX, Math.max(SHARE_MIN, share));
  const part = Math.log(bounded / SHARE_MIN) / Math.log(SHARE_MAX / SHARE_MIN);
  return Math.round(NAMES_WIDTH + part * BARS_WIDTH);
}
