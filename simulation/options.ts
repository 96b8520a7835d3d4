import { parseArgs } from 'node:util';
import { UsageError } from '../scripts/run-main.ts';

export const USAGE = `usage: npm run simulate -- [options]

Tells stories of a shop with two servers, stores and an outside shop, in which whatever can go wrong does, and looks after
each step whether the rules of the product still hold. A seed is a story: the same seed tells the same one. A story that
fails is told as short as it still fails.

  --seeds <n>            how many stories                                            (20)
  --seed <n>             the first of them; the others are the numbers behind it     (drawn, and printed)
  --shrink-seconds <n>   longest search for the shortest story                       (120)
  --transcript           tells what happened also when nothing fails

Exit codes: 0 all rules hold, 1 a story failed or the run has not met all that it has to, 2 wrong arguments.`;

export interface Options {
  readonly seeds: number;
  readonly firstSeed: number;
  /** One story that somebody wants to see again. */
  readonly isReplay: boolean;
  readonly shrinkSeconds: number;
  readonly transcript: boolean;
}

const SEED_MAX = 0xffff_ffff;

/**
 * @param drawn the first seed when none is given
 * @throws UsageError, and what node:util throws for unknown options
 */
export function readOptions(args: readonly string[], drawn: number): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      'shrink-seconds': { type: 'string', default: '120' },
      transcript: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const isReplay = values.seed !== undefined && values.seeds === undefined;
  return {
    seeds: isReplay ? 1 : whole('--seeds', values.seeds ?? '20', 1, 10_000_000),
    firstSeed: values.seed === undefined ? drawn : whole('--seed', values.seed, 0, SEED_MAX),
    isReplay,
    shrinkSeconds: whole('--shrink-seconds', values['shrink-seconds'], 0, 86_400),
    transcript: values.transcript,
  };
}

function whole(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not "${text}"`);
  }
  return number;
}
