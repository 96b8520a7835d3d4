import { parseArgs } from 'node:util';
import { UsageError } from '../run-main.ts';

export const USAGE = `usage: npm run dead-letters -- <what> [id] [options]

Looks at the events that could not be processed, through the public HTTP API of a running server.

  list                       those that wait, oldest first; --status for the others
  replay <id>|--all          processes the event again; with --all each that waits, oldest first
  discard <id> --reason <R>  gives the event up

  --dry-run            with replay: tells what would change and changes nothing
  --reason <text>      why it is given up, 1 to 500 characters
  --status <status>    DEAD, REPLAYED or DISCARDED          (DEAD)
  --central <url>      the server                           (http://127.0.0.1:3000)
  --help

HOLDFAST_API_KEY is sent as X-Api-Key; the key of the first start is in data/admin.key.`;

export const VERBS = ['list', 'replay', 'discard'] as const;
export type Verb = (typeof VERBS)[number];

const STATUSES = ['DEAD', 'REPLAYED', 'DISCARDED'];

export interface Options {
  readonly verb: Verb;
  /** Null: list, or all that wait. */
  readonly id: string | null;
  readonly dryRun: boolean;
  readonly reason: string | null;
  readonly status: string;
  readonly central: string;
}

/** @throws UsageError, and what node:util throws for unknown options */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      reason: { type: 'string' },
      status: { type: 'string', default: 'DEAD' },
      central: { type: 'string', default: 'http://127.0.0.1:3000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [verb = '', id, ...more] = positionals;
  if (!isVerb(verb) || more.length > 0) throw new UsageError(`say one of ${VERBS.join(', ')}, and at most one id`);
  if (!/^https?:\/\//.test(values.central)) {
    throw new UsageError(`--central takes an http address, not "${values.central}"`);
  }
  if (!STATUSES.includes(values.status)) throw new UsageError(`--status takes one of ${STATUSES.join(', ')}`);
  const options = { verb, id: id ?? null, dryRun: values['dry-run'], reason: values.reason ?? null };
  checkOptions(options, values.all);
  return { ...options, status: values.status, central: values.central.replace(/\/+$/, '') };
}

function checkOptions(
  { verb, id, dryRun, reason }: Pick<Options, 'verb' | 'id' | 'dryRun' | 'reason'>,
  all: boolean,
): void {
  const wrong =
    (verb === 'list' && id !== null && 'list takes no id') ||
    (verb === 'replay' && (id === null) !== all && 'replay takes an id, or --all') ||
    (verb !== 'replay' && (all || dryRun) && '--all and --dry-run go with replay') ||
    (verb === 'discard' && id === null && 'discard takes an id: each is given up by itself') ||
    ((verb === 'discard') !== (reason !== null) && 'discard, and nothing else, takes a --reason');
  if (wrong !== false) throw new UsageError(wrong);
}

function isVerb(text: string): text is Verb {
  return (VERBS as readonly string[]).includes(text);
}
