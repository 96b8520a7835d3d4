import path from 'node:path';
import { parseArgs } from 'node:util';
import { cleanEnv, makeExactValidator } from 'envalid';
import { isId } from '../../shared/http/fields.ts';
import { whole } from '../../shared/setting-kinds.ts';
import { readSettings, type Settings, SettingsError } from '../../shared/settings.ts';

export const AGENT_USAGE = `usage: npm run store -- --location <id> --central <url> [--port <port>] [--data <folder>]

The agent of one store: it runs beside the tills, records what they sell while the centre is away, and tells it when it is
there. Each option can also be a setting of the environment (run.md).

  --location <id>    the store's location at the centre        (STORE_LOCATION)
  --central <url>    where the centre is                        (STORE_CENTRAL_URL, http://127.0.0.1:3000)
  --port <port>      where the agent listens                    (STORE_PORT, 4001)
  --data <folder>    where it keeps its data                    (STORE_DATA, ./data/store-<location>)
  --help`;

/** What only an agent has to know; run.md shows the same table. The settings of the platform (log, limits) hold, too. */
export const AGENT_SETTINGS = {
  STORE_LOCATION: text('', isId, 'a location id', 'The location of the store; there is no default.'),
  STORE_CENTRAL_URL: text('http://127.0.0.1:3000', isHttpUrl, 'an http address', 'Where the centre is.'),
  STORE_PORT: whole(4001, 0, 65_535, 'TCP port', 'Where the agent listens; 0 picks a free port.'),
  STORE_DATA: text('', () => true, 'a folder', 'Where the agent keeps its data.', './data/store-<location>'),
  STORE_API_KEY: secret("The store's key at a centre with `AUTH=on`; or `HOLDFAST_API_KEY`."),
  STORE_PUSH_EVENTS_MAX: whole(1000, 1, 1000, 'events', 'Most events that are sent at once.'),
  STORE_PUSH_BYTES_MAX: whole(524_288, 4096, 104_857_600, 'bytes', 'Largest body that is sent, about.'),
  STORE_CALL_MAX_MS: whole(10_000, 100, 600_000, 'ms', 'Longest wait for an answer of the centre.'),
  STORE_POLL_SECONDS: whole(10, 0, 30, 's', 'How long the centre may wait for a change before it answers.'),
  STORE_RETRY_FIRST_MS: whole(100, 1, 60_000, 'ms', 'About the pause after the first failed call.'),
  STORE_RETRY_MAX_MS: whole(2000, 1, 3_600_000, 'ms', 'Longest pause between two calls that fail.'),
  STORE_BREAKER_FAILURES: whole(5, 1, 1000, 'calls', 'Failures in a row after which the centre is left alone.'),
  STORE_BREAKER_PAUSE_MS: whole(1000, 1, 3_600_000, 'ms', 'How long it is left alone before one call tries again.'),
  STORE_TAKEOVERS_MAX: whole(3, 0, 1000, 'times', 'How often in an hour the stream is taken back from another agent.'),
  STORE_EVENT_KEEP_DAYS: whole(7, 1, 365, 'days', 'How long events are kept that the centre has, to send them again.'),
};

type AgentValues = { readonly [Name in keyof typeof AGENT_SETTINGS]: string | number };

/** Which store this is, where its centre is, and how patiently the two talk. */
export class AgentSettings {
  readonly locationId: string;
  /** Without a slash at its end. */
  readonly centralUrl: string;
  readonly dataFolder: string;
  readonly pushEventsMax: number;
  readonly pushBytesMax: number;
  readonly callMaxMs: number;
  readonly pollSeconds: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  readonly breakerFailures: number;
  readonly breakerPauseMs: number;
  readonly takeoversMax: number;
  readonly eventKeepDays: number;
  /** A private field, so that no log line of the settings shows it. */
  readonly #apiKey: string;

  constructor(values: AgentValues) {
    this.locationId = String(values.STORE_LOCATION);
    this.centralUrl = String(values.STORE_CENTRAL_URL).replace(/\/+$/, '');
    this.dataFolder = path.resolve(String(values.STORE_DATA) || path.join('data', `store-${this.locationId}`));
    this.#apiKey = String(values.STORE_API_KEY);
    this.pushEventsMax = Number(values.STORE_PUSH_EVENTS_MAX);
    this.pushBytesMax = Number(values.STORE_PUSH_BYTES_MAX);
    this.callMaxMs = Number(values.STORE_CALL_MAX_MS);
    this.pollSeconds = Number(values.STORE_POLL_SECONDS);
    this.retryFirstMs = Number(values.STORE_RETRY_FIRST_MS);
    this.retryMaxMs = Number(values.STORE_RETRY_MAX_MS);
    this.breakerFailures = Number(values.STORE_BREAKER_FAILURES);
    this.breakerPauseMs = Number(values.STORE_BREAKER_PAUSE_MS);
    this.takeoversMax = Number(values.STORE_TAKEOVERS_MAX);
    this.eventKeepDays = Number(values.STORE_EVENT_KEEP_DAYS);
  }

  /** For the header only; null: the centre asks for none. */
  get apiKey(): string | null {
    return this.#apiKey === '' ? null : this.#apiKey;
  }
}

export interface AgentConfiguration {
  /** Of the platform: where it listens, its database, its limits. */
  readonly settings: Settings;
  readonly agent: AgentSettings;
}

/**
 * @param args the command line; an option there wins over its setting
 * @throws SettingsError naming all that is wrong at once
 */
export function readAgentConfiguration(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AgentConfiguration | 'help' {
  const options = optionsOf(args);
  if (options.help) return 'help';
  const given = {
    // As every other program that speaks to a server.
    ...defined({ STORE_API_KEY: env.HOLDFAST_API_KEY }),
    ...env,
    ...defined({
      STORE_LOCATION: options.location,
      STORE_CENTRAL_URL: options.central,
      STORE_PORT: options.port,
      STORE_DATA: options.data,
    }),
  };
  const problems: string[] = [];
  const values = cleanEnv(given, AGENT_SETTINGS, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.push(`${name} ${error.message}`);
    },
  });
  if (problems.length === 0 && values.STORE_LOCATION === '') {
    problems.push('STORE_LOCATION is missing: say with --location which store this is');
  }
  if (problems.length > 0) throw new SettingsError(problems);
  const agent = new AgentSettings(values);
  // PORT, DATABASE_URL, DATABASE_MIGRATION_URL and AUTH are those of a centre that may run on the same machine with the same .env.
  const database = path.join(agent.dataFolder, 'store.sqlite');
  const own = {
    PORT: String(values.STORE_PORT),
    DATABASE_URL: `sqlite:${database}`,
    DATABASE_MIGRATION_URL: undefined,
    AUTH: undefined,
  };
  const settings = readSettings({ ...given, ...own });
  return { settings, agent };
}

function optionsOf(args: readonly string[]) {
  try {
    const string = { type: 'string' } as const;
    return parseArgs({
      args: [...args],
      options: {
        ...{ location: string, central: string, port: string, data: string },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new SettingsError([error instanceof Error ? error.message : String(error)]);
  }
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** @param shown the default in words, when it depends on others */
function text(initial: string, isGood: (value: string) => boolean, range: string, desc: string, shown = initial) {
  const parse = makeExactValidator<string>((given) => {
    if (isGood(given)) return given;
    throw new Error(`is "${given}"; it must be ${range}`);
  });
  return { ...parse({ default: initial, desc }), unit: '', range, initial: shown };
}

function secret(desc: string) {
  const range = '8 to 200 printable ASCII characters';
  const parse = makeExactValidator<string>((given) => {
    if (/^[\x21-\x7e]{8,200}$/.test(given)) return given;
    // What was given is not repeated: it may be a key with a slip in it.
    throw new Error(`must be ${range}`);
  });
  return { ...parse({ default: '', desc }), unit: '', range, initial: '' };
}
