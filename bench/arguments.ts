import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Row, Sizes } from './row.ts';
import { ROWS } from './rows.ts';

/** Everything that a run can be told, each a number. */
const SIZES = {
  seconds: { otherwise: 2, min: 1, max: 600, says: 'length of a measured round' },
  rounds: { otherwise: 3, min: 1, max: 100, says: 'rounds of each workload' },
  importRows: { otherwise: 1_000_000, min: 1000, max: 10_000_000, says: 'rows of the file that is imported' },
  items: { otherwise: 1_000_000, min: 1000, max: 10_000_000, says: 'stock items of the large file' },
  movements: { otherwise: 10_000_000, min: 1000, max: 100_000_000, says: 'movements in the large file' },
  holds: { otherwise: 100_000, min: 1000, max: 1_000_000, says: 'holds that fall due at once' },
  minutes: { otherwise: 10, min: 2, max: 120, says: 'length of the load after which memory is looked at' },
} as const;

type SizeName = keyof typeof SIZES;
const NAMES = Object.keys(SIZES) as SizeName[];

const USAGE = [
  'usage: npm run bench -- [options]',
  '',
  ...NAMES.map((name) => `--${flagOf(name).padEnd(12)} ${SIZES[name].says}, ${SIZES[name].otherwise} unless given`),
  '--only         some rows, by id, separated by commas; such a run is printed and not written to the page',
  '',
  `rows: ${ROWS.map(({ id }) => id).join(', ')}`,
].join('\n');

export interface Arguments {
  readonly options: Sizes;
  readonly rows: readonly Row[];
  /** What was run, for the page. */
  readonly command: string;
}

/** @throws Error with the usage when they cannot be read */
export function readArguments(args = process.argv.slice(2)): Arguments {
  const values = parse(args);
  const wanted = values.only?.split(',');
  const unknown = wanted?.filter((id) => !ROWS.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}\n\n${USAGE}`);
  const entries = NAMES.map((name) => [name, sizeOf(name, values[flagOf(name)])] as const);
  const given = entries.filter(([name, value]) => value !== SIZES[name].otherwise);
  const flags = given.map(([name, value]) => ` --${flagOf(name)} ${value}`).join('');
  return {
    options: Object.fromEntries(entries) as Record<SizeName, number>,
    rows: ROWS.filter(({ id }) => wanted === undefined || wanted.includes(id)),
    command: `npm run bench${flags === '' ? '' : ` --${flags}`}`,
  };
}

function parse(args: string[]): Readonly<Record<string, string | undefined>> {
  const flags = NAMES.map((name) => [flagOf(name), { type: 'string' as const }]);
  try {
    const options = Object.fromEntries([...flags, ['only', { type: 'string' as const }]]) as NonNullable<
      ParseArgsConfig['options']
    >;
    return parseArgs({ args, options }).values as Record<string, string | undefined>;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, { cause: error });
  }
}

function sizeOf(name: SizeName, text: string | undefined): number {
  const { otherwise, min, max } = SIZES[name];
  const value = text === undefined ? otherwise : Number(text);
  if (value >= min && value <= max) return name === 'seconds' ? value : Math.floor(value);
  throw new Error(`--${flagOf(name)} takes a number from ${min} to ${max}\n\n${USAGE}`);
}

/** `importRows` is `import-rows`. */
function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
