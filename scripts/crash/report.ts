import { textTable } from '../replay/text-table.ts';
import type { CrashLoop } from './loop.ts';
import type { Count } from './task.ts';

/** Violations that are shown; one mistake breaks many rules. */
const VIOLATIONS_SHOWN = 20;

/** What a run has seen, for a person. */
export function report(loop: CrashLoop): string {
  const { kills, killsWhileStarting, recoveriesMs, databaseRecoveriesMs, violations } = loop;
  const kinds = [...loop.world.journal.byKind].sort(([a], [b]) => a.localeCompare(b));
  const rows = [...kinds.map(([kind, count]) => [kind, ...cells(count)]), ['all', ...cells(sumOf(kinds))]];
  return [
    '',
    textTable(['requests', 'sent', 'answered', 'refused', 'put off', 'cut off', 'of these done'], rows),
    '',
    `${kills} kills of servers, ${killsWhileStarting} of them while they started`,
    ...(databaseRecoveriesMs.length === 0 ? [] : [`${databaseRecoveriesMs.length} kills of PostgreSQL`]),
    `from a start after a kill until it was ready: ${spread(recoveriesMs)}`,
    ...(databaseRecoveriesMs.length === 0
      ? []
      : [`from PostgreSQL's first answer until all servers were ready: ${spread(databaseRecoveriesMs)}`]),
    violations.length === 0 ? 'violations: none' : `violations: ${violations.length}`,
    ...violations.slice(0, VIOLATIONS_SHOWN).map((violation) => `- ${violation}`),
  ].join('\n');
}

function cells({ sent, answered, refused, putOff, cutOff, foundDone }: Count): number[] {
  return [sent, answered, refused, putOff, cutOff, foundDone];
}

function sumOf(kinds: readonly (readonly [string, Count])[]): Count {
  const sum: Count = { sent: 0, answered: 0, refused: 0, putOff: 0, cutOff: 0, foundDone: 0 };
  for (const [, count] of kinds) {
    for (const name of Object.keys(sum) as (keyof Count)[]) sum[name] += count[name];
  }
  return sum;
}

function spread(ms: readonly number[]): string {
  if (ms.length === 0) return 'never';
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)} ms`;
  return `median ${at(0.5)}, 95 of 100 within ${at(0.95)}, longest ${at(1)}`;
}
