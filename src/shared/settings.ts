import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { cleanEnv, makeExactValidator } from 'envalid';
import { databaseUrl, migrationUrlProblem, postgresUrl, roleName, SQLITE_PREFIX } from './database-settings.ts';
import { LIMIT_SETTINGS, LimitSettings } from './limit-settings.ts';
import { quote, whole } from './setting-kinds.ts';
import { faultOfAddressRange } from './http/client-address.ts';

export const SWITCH = ['on', 'off'] as const;
export type Switch = (typeof SWITCH)[number];
export const METRICS_OPENINGS = ['loopback', 'on', 'off'] as const;
export type MetricsOpening = (typeof METRICS_OPENINGS)[number];
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type DatabaseEngine = 'sqlite' | 'postgres';

/**
 * Every setting: its default, its range and what it is for. The names end in their unit.
 * run.md shows the same table to the operator; a spec compares the two.
 */
export const SETTINGS = {
  PORT: whole(3000, 0, 65_535, 'TCP port', 'Where the server listens; 0 picks a free port.'),
  HOST: host('127.0.0.1', 'The address it listens on; `0.0.0.0` is every IPv4 address, `::` every address.'),
  TRUSTED_PROXIES: addressRanges('Proxies before the server; only their `X-Forwarded-For` is believed.'),
  DATABASE_URL: databaseUrl('sqlite:./data/holdfast.sqlite', 'The database. A password in it is never printed.'),
  DATABASE_MIGRATION_URL: postgresUrl('The same database as the role that makes its tables. Left out: DATABASE_URL.'),
  DATABASE_ROLE: roleName('holdfast_app', 'Whom connections work as, where their own role could see all tenants.'),
  AUTH: oneOf(SWITCH, 'on', 'Whether callers are asked for a key. `off` is for a loopback address only.'),
  HOLDFAST_ADMIN_KEY: secret(32, 200, 'The first key, of platform and operator. Left out, one is made: `admin.key`.'),
  DOCS_OPEN: oneOf(SWITCH, 'on', 'Whether `/docs` and `/openapi.json` are shown without a key.'),
  METRICS_OPEN: oneOf(
    METRICS_OPENINGS,
    'loopback',
    'Whether `/metrics` is shown without a key; `loopback`: if HOST is one.',
  ),
  ACCESS_TOKEN_SECONDS: whole(900, 60, 3600, 's', 'How long a token of `POST /v1/auth/token` is good for.'),
  SIGNING_KEY_HOURS: whole(24, 1, 720, 'h', 'How long a server signs tokens with the same key.'),
  AUDIT: oneOf(SWITCH, 'on', 'Whether what is done, and by whom, is written into the audit (docs/audit.md).'),
  AUDIT_KEEP_DAYS: whole(1_095, 1, 36_500, 'days', 'How long an entry of the audit is kept after what it tells of.'),
  AUDIT_REFUSED_GROUPS_MAX: whole(
    50,
    1,
    10_000,
    'groups',
    'Keys and addresses whose refused attempts are told apart, per minute and server.',
  ),
  HOLD_TTL_SECONDS: whole(900, 1, 14_400, 's', 'How long a reservation holds its units when the caller does not say.'),
  HOLD_LIFETIME_MAX_SECONDS: whole(86_400, 1, 2_592_000, 's', 'The oldest that renewals let a reservation become.'),
  IDEMPOTENCY_KEY_HOURS: whole(24, 1, 720, 'h', 'How long the answer to an `Idempotency-Key` is kept.'),
  LOG_LEVEL: oneOf(LOG_LEVELS, 'info', 'The least severe log line that is written.'),
  BATCH_WORKS_MAX: whole(256, 1, 4096, 'works', 'Most works that share one commit.'),
  QUEUE_WORKS_MAX: whole(10_000, 1, 1_000_000, 'works', 'Most works that wait for a commit; past it: 503 `BUSY`.'),
  QUEUE_WAIT_MAX_MS: whole(5000, 1, 60_000, 'ms', 'Longest wait of a work for its batch; past it: 503 `BUSY`.'),
  BATCH_ATTEMPTS_MAX: whole(8, 1, 100, 'attempts', 'Runs of a batch that meets newer versions; then 503 `BUSY`.'),
  BULK_SLICE_MS: whole(10, 1, 1000, 'ms', 'Time that bulk works may take in a batch while requests wait.'),
  DATABASE_BUSY_MAX_MS: whole(5000, 1, 60_000, 'ms', 'Longest wait for a lock or a connection of the database.'),
  DATABASE_STATEMENT_MAX_MS: whole(10_000, 100, 600_000, 'ms', 'Longest time one SQL statement may take.'),
  READER_CONNECTIONS_MAX: whole(4, 1, 100, 'connections', 'Connections for reads; PostgreSQL only.'),
  SWEEP_INTERVAL_MS: whole(500, 10, 60_000, 'ms', 'Pause between two looks for reservations that are due.'),
  SWEEP_CHUNK_RESERVATIONS: whole(25, 1, 1000, 'reservations', 'Most due reservations that expire in one work.'),
  RELAY_INTERVAL_MS: whole(
    250,
    10,
    60_000,
    'ms',
    'Pause between two looks for events of other servers and due retries.',
  ),
  RELAY_BATCH_EVENTS_MAX: whole(500, 1, 5000, 'events', 'Most events that a consumer handles in one commit.'),
  RELAY_ATTEMPTS_MAX: whole(10, 1, 100, 'attempts', 'Attempts at an event that fails; then it is a dead letter.'),
  RELAY_BACKOFF_FIRST_MS: whole(500, 1, 60_000, 'ms', 'Longest pause after the first failure; doubled each time.'),
  RELAY_BACKOFF_MAX_MS: whole(60_000, 1, 3_600_000, 'ms', 'Longest pause before an event is tried again.'),
  RELAY_RETRYING_SUBJECTS_MAX: whole(
    1000,
    1,
    100_000,
    'subjects',
    'A consumer with more subjects to try again takes no new events.',
  ),
  EVENT_KEEP_DAYS: whole(30, 1, 36_500, 'days', 'How long events are kept after they happened.'),
  RESERVATION_KEEP_DAYS: whole(400, 31, 36_500, 'days', 'How long an ended reservation is kept, with its events.'),
  PURGE_INTERVAL_MS: whole(10_000, 10, 3_600_000, 'ms', 'Pause between two looks for what has been kept long enough.'),
  PURGE_CHUNK_ROWS: whole(100, 10, 10_000, 'rows', 'Most rows that are purged in one work.'),
  SYNC_PARKED_MAX: whole(10_000, 0, 1_000_000, 'events', 'Most events of a store that wait for earlier ones.'),
  SYNC_CLOCK_TOLERANCE_SECONDS: whole(
    300,
    0,
    86_400,
    's',
    'How far the clock of a store may be off before results say so.',
  ),
  SYNC_EVENTS_KEEP_DAYS: whole(
    90,
    1,
    36_500,
    'days',
    'How long the id of an event of a store or an order is known, so that a repeat is one.',
  ),
  BODY_BYTES_MAX: whole(1_048_576, 1024, 104_857_600, 'bytes', 'Largest request body; past it: 413.'),
  IMPORTS_MAX: whole(8, 1, 1000, 'imports', 'Imports that run at a time; past it: 503 `BUSY`.'),
  IMPORT_LINE_BYTES_MAX: whole(
    16_384,
    1024,
    1_048_576,
    'bytes',
    'Longest line of an import; a longer one is a refused row.',
  ),
  IMPORT_UNREAD_MAX_MS: whole(
    300_000,
    1_000,
    3_600_000,
    'ms',
    'Longest wait for a client that takes no results of its import; past it: cut.',
  ),
  FEEDS_MAX: whole(1000, 1, 100_000, 'feeds', 'Waiting polls and open streams at a time; past it: 503 `BUSY`.'),
  FEED_UNREAD_MAX_MS: whole(
    10_000,
    100,
    3_600_000,
    'ms',
    'Longest wait for a reader of a stream that takes nothing; past it: cut.',
  ),
  FEED_HEARTBEAT_MS: whole(
    15_000,
    100,
    600_000,
    'ms',
    'Pause after which a stream with no news says that it is there.',
  ),
  SYNC_CONTACT_WRITE_MS: whole(1000, 10, 60_000, 'ms', 'Least pause between two notes of when a store was heard from.'),
  URL_BYTES_MAX: whole(8192, 1024, 65_536, 'bytes', 'Longest path with its query; past it: 414.'),
  HEADER_BYTES_MAX: whole(16_384, 1024, 65_536, 'bytes', 'All request headers together; past it: 431.'),
  JSON_DEPTH_MAX: whole(16, 2, 64, 'levels', 'Deepest nesting of a JSON body.'),
  REQUEST_TIMEOUT_MS: whole(30_000, 1000, 600_000, 'ms', 'Longest time a request may take to arrive; past it: 408.'),
  HEADERS_TIMEOUT_MS: whole(
    10_000,
    1000,
    600_000,
    'ms',
    'Longest time the headers of a request may take; past it: 408.',
  ),
  KEEP_ALIVE_TIMEOUT_MS: whole(72_000, 0, 600_000, 'ms', 'How long an idle connection stays open; 0 never ends it.'),
  SHUTDOWN_MAX_MS: whole(10_000, 100, 600_000, 'ms', 'Longest graceful stop; past it the process exits with 1.'),
  ...LIMIT_SETTINGS,
  DISK_FREE_BYTES_MIN: whole(104_857_600, 0, 1e15, 'bytes', 'Not ready while a file system has less space left.'),
  EVENT_LOOP_DELAY_MAX_MS: whole(1000, 1, 60_000, 'ms', 'Not ready while the event loop was blocked longer.'),
  READY_QUEUE_WORKS_MAX: whole(8000, 1, 1_000_000, 'works', 'Not ready while more works wait for a commit.'),
};

/** Limits that contain each other. A limit left at its default gives way; one that was given must fit. */
const AT_MOST: readonly (readonly [lower: WholeNumberName, upper: WholeNumberName])[] = [
  ['HOLD_TTL_SECONDS', 'HOLD_LIFETIME_MAX_SECONDS'],
  ['READY_QUEUE_WORKS_MAX', 'QUEUE_WORKS_MAX'],
  ['RELAY_BACKOFF_FIRST_MS', 'RELAY_BACKOFF_MAX_MS'],
  ['EVENT_KEEP_DAYS', 'RESERVATION_KEEP_DAYS'],
  ['HEADERS_TIMEOUT_MS', 'REQUEST_TIMEOUT_MS'],
];

type SettingName = keyof typeof SETTINGS;
type OtherSettings = {
  HOST: string;
  TRUSTED_PROXIES: readonly string[];
  DATABASE_URL: string;
  DATABASE_MIGRATION_URL: string | undefined;
  DATABASE_ROLE: string;
  LOG_LEVEL: LogLevel;
  AUTH: Switch;
  HOLDFAST_ADMIN_KEY: string | undefined;
  AUDIT: Switch;
  DOCS_OPEN: Switch;
  METRICS_OPEN: MetricsOpening;
};
type WholeNumberName = Exclude<SettingName, keyof OtherSettings>;
type SettingValues = Record<WholeNumberName, number> & OtherSettings;

/** All settings, validated. `SETTINGS` says what each is for, in which unit and range. */
export class Settings extends LimitSettings {
  readonly port: number;
  readonly host: string;
  /** Addresses and CIDR ranges; null: none. */
  readonly trustedProxies: readonly string[] | null;
  readonly auth: Switch;
  readonly docsOpen: Switch;
  readonly metricsOpen: MetricsOpening;
  readonly accessTokenSeconds: number;
  readonly signingKeyHours: number;
  readonly audit: Switch;
  readonly auditKeepDays: number;
  readonly auditRefusedGroupsMax: number;
  readonly holdTtlSeconds: number;
  readonly holdLifetimeMaxSeconds: number;
  readonly idempotencyKeyHours: number;
  readonly logLevel: LogLevel;
  readonly batchWorksMax: number;
  readonly queueWorksMax: number;
  readonly queueWaitMaxMs: number;
  readonly batchAttemptsMax: number;
  readonly bulkSliceMs: number;
  readonly databaseBusyMaxMs: number;
  readonly databaseStatementMaxMs: number;
  readonly readerConnectionsMax: number;
  readonly sweepIntervalMs: number;
  readonly sweepChunkReservations: number;
  readonly relayIntervalMs: number;
  readonly relayBatchEventsMax: number;
  readonly relayAttemptsMax: number;
  readonly relayBackoffFirstMs: number;
  readonly relayBackoffMaxMs: number;
  readonly relayRetryingSubjectsMax: number;
  readonly eventKeepDays: number;
  readonly reservationKeepDays: number;
  readonly purgeIntervalMs: number;
  readonly purgeChunkRows: number;
  readonly syncParkedMax: number;
  readonly syncClockToleranceSeconds: number;
  readonly syncEventsKeepDays: number;
  readonly bodyBytesMax: number;
  readonly importsMax: number;
  readonly importLineBytesMax: number;
  readonly importUnreadMaxMs: number;
  readonly feedsMax: number;
  readonly feedUnreadMaxMs: number;
  readonly feedHeartbeatMs: number;
  readonly syncContactWriteMs: number;
  readonly urlBytesMax: number;
  readonly headerBytesMax: number;
  readonly jsonDepthMax: number;
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly shutdownMaxMs: number;
  readonly diskFreeBytesMin: number;
  readonly eventLoopDelayMaxMs: number;
  readonly readyQueueWorksMax: number;
  readonly databaseRole: string;
  /** Private fields, so that neither JSON.stringify nor a log line of the settings shows what is secret. */
  readonly #databaseUrl: string;
  readonly #databaseMigrationUrl: string | null;
  readonly #holdfastAdminKey: string | null;

  constructor(values: SettingValues) {
    super(values);
    this.port = values.PORT;
    this.host = values.HOST;
    this.trustedProxies = values.TRUSTED_PROXIES.length > 0 ? values.TRUSTED_PROXIES : null;
    this.databaseRole = values.DATABASE_ROLE;
    this.#databaseUrl = values.DATABASE_URL;
    this.#databaseMigrationUrl = values.DATABASE_MIGRATION_URL ?? null;
    this.#holdfastAdminKey = values.HOLDFAST_ADMIN_KEY ?? null;
    this.auth = values.AUTH;
    this.docsOpen = values.DOCS_OPEN;
    this.metricsOpen = values.METRICS_OPEN;
    this.accessTokenSeconds = values.ACCESS_TOKEN_SECONDS;
    this.signingKeyHours = values.SIGNING_KEY_HOURS;
    this.audit = values.AUDIT;
    this.auditKeepDays = values.AUDIT_KEEP_DAYS;
    this.auditRefusedGroupsMax = values.AUDIT_REFUSED_GROUPS_MAX;
    this.holdTtlSeconds = values.HOLD_TTL_SECONDS;
    this.holdLifetimeMaxSeconds = values.HOLD_LIFETIME_MAX_SECONDS;
    this.idempotencyKeyHours = values.IDEMPOTENCY_KEY_HOURS;
    this.logLevel = values.LOG_LEVEL;
    this.batchWorksMax = values.BATCH_WORKS_MAX;
    this.queueWorksMax = values.QUEUE_WORKS_MAX;
    this.queueWaitMaxMs = values.QUEUE_WAIT_MAX_MS;
    this.batchAttemptsMax = values.BATCH_ATTEMPTS_MAX;
    this.bulkSliceMs = values.BULK_SLICE_MS;
    this.databaseBusyMaxMs = values.DATABASE_BUSY_MAX_MS;
    this.databaseStatementMaxMs = values.DATABASE_STATEMENT_MAX_MS;
    this.readerConnectionsMax = values.READER_CONNECTIONS_MAX;
    this.sweepIntervalMs = values.SWEEP_INTERVAL_MS;
    this.sweepChunkReservations = values.SWEEP_CHUNK_RESERVATIONS;
    this.relayIntervalMs = values.RELAY_INTERVAL_MS;
    this.relayBatchEventsMax = values.RELAY_BATCH_EVENTS_MAX;
    this.relayAttemptsMax = values.RELAY_ATTEMPTS_MAX;
    this.relayBackoffFirstMs = values.RELAY_BACKOFF_FIRST_MS;
    this.relayBackoffMaxMs = values.RELAY_BACKOFF_MAX_MS;
    this.relayRetryingSubjectsMax = values.RELAY_RETRYING_SUBJECTS_MAX;
    this.eventKeepDays = values.EVENT_KEEP_DAYS;
    this.reservationKeepDays = values.RESERVATION_KEEP_DAYS;
    this.purgeIntervalMs = values.PURGE_INTERVAL_MS;
    this.purgeChunkRows = values.PURGE_CHUNK_ROWS;
    this.syncParkedMax = values.SYNC_PARKED_MAX;
    this.syncClockToleranceSeconds = values.SYNC_CLOCK_TOLERANCE_SECONDS;
    this.syncEventsKeepDays = values.SYNC_EVENTS_KEEP_DAYS;
    this.bodyBytesMax = values.BODY_BYTES_MAX;
    this.importsMax = values.IMPORTS_MAX;
    this.importLineBytesMax = values.IMPORT_LINE_BYTES_MAX;
    this.importUnreadMaxMs = values.IMPORT_UNREAD_MAX_MS;
    this.feedsMax = values.FEEDS_MAX;
    this.feedUnreadMaxMs = values.FEED_UNREAD_MAX_MS;
    this.feedHeartbeatMs = values.FEED_HEARTBEAT_MS;
    this.syncContactWriteMs = values.SYNC_CONTACT_WRITE_MS;
    this.urlBytesMax = values.URL_BYTES_MAX;
    this.headerBytesMax = values.HEADER_BYTES_MAX;
    this.jsonDepthMax = values.JSON_DEPTH_MAX;
    this.requestTimeoutMs = values.REQUEST_TIMEOUT_MS;
    this.headersTimeoutMs = values.HEADERS_TIMEOUT_MS;
    this.keepAliveTimeoutMs = values.KEEP_ALIVE_TIMEOUT_MS;
    this.shutdownMaxMs = values.SHUTDOWN_MAX_MS;
    this.diskFreeBytesMin = values.DISK_FREE_BYTES_MIN;
    this.eventLoopDelayMaxMs = values.EVENT_LOOP_DELAY_MAX_MS;
    this.readyQueueWorksMax = values.READY_QUEUE_WORKS_MAX;
  }

  /** With its password: for the driver only. */
  get databaseUrl(): string {
    return this.#databaseUrl;
  }

  /** As `databaseUrl`; null: the role of `databaseUrl` migrates as well. */
  get databaseMigrationUrl(): string | null {
    return this.#databaseMigrationUrl;
  }

  /** Null: none was given. */
  get holdfastAdminKey(): string | null {
    return this.#holdfastAdminKey;
  }

  get databaseEngine(): DatabaseEngine {
    return this.#databaseUrl.startsWith(SQLITE_PREFIX) ? 'sqlite' : 'postgres';
  }

  /** The file of the SQLite database as it was given, relative to the working directory; null on PostgreSQL. */
  get sqlitePath(): string | null {
    return this.databaseEngine === 'sqlite' ? this.#databaseUrl.slice(SQLITE_PREFIX.length) : null;
  }

  /** The database in words that may be printed: path or host, port and name; no user, no password, no options. */
  get databaseAddress(): string {
    if (this.databaseEngine === 'sqlite') return this.#databaseUrl;
    const { host, pathname } = new URL(this.#databaseUrl);
    return `postgres://${host}${pathname}`;
  }
}

/** The environment does not make sense; the message lists everything that is wrong with it, a line each. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings are wrong (run.md explains each):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/**
 * @param env names that are not in `SETTINGS` are ignored
 * @throws SettingsError naming all that is wrong at once, so that it is mended in one go
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  const values = cleanEnv(env, SETTINGS, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.push(`${name} ${error.message}`);
    },
  });
  if (problems.length > 0) throw new SettingsError(problems);

  const fitting: SettingValues = { ...values };
  for (const [lower, upper] of AT_MOST) {
    if (fitting[lower] <= fitting[upper]) continue;
    if (env[lower] === undefined) fitting[lower] = fitting[upper];
    else problems.push(`${lower} is ${fitting[lower]}; it must not be more than ${upper}, which is ${fitting[upper]}`);
  }
  const migrationProblem = migrationUrlProblem(fitting.DATABASE_URL, fitting.DATABASE_MIGRATION_URL);
  if (migrationProblem !== null) problems.push(migrationProblem);
  if (fitting.AUTH === 'off' && !isLoopback(fitting.HOST)) {
    problems.push(`AUTH is off; it must be on unless HOST is a loopback address, and HOST is ${fitting.HOST}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return new Settings(fitting);
}

/**
 * The settings of this process, by its environment.
 * @throws SettingsError as `readSettings` does
 */
export function loadSettings(envFile = '.env'): Settings {
  return readSettings(readEnvironment(envFile));
}

/** The environment of this process, completed by `.env` in the working directory when there is one. */
export function readEnvironment(envFile = '.env'): Readonly<Record<string, string | undefined>> {
  const fromFile = existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {};
  return { ...fromFile, ...process.env };
}

/** @returns whether only this machine can reach a server that listens there */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.toLowerCase() === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));
}

// ---------------------------------------------------------------- kinds of settings

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

function oneOf<const T extends string>(allowed: readonly T[], defaultValue: NoInfer<T>, desc: string) {
  const parse = makeExactValidator<T>((given) => {
    const found = allowed.find((one) => one === given);
    if (found !== undefined) return found;
    throw new Error(`is ${quote(given)}; it must be one of ${allowed.join(', ')}`);
  });
  return { ...parse({ default: defaultValue, desc }), unit: '', range: allowed.join(', '), initial: defaultValue };
}

function host(defaultValue: string, desc: string) {
  const parse = makeExactValidator<string>((given) => {
    // Digits and dots alone are a mistyped IPv4 address, which would pass as a host name.
    if (isIP(given) > 0 || (HOST_NAME.test(given) && !/^[\d.]+$/.test(given))) return given;
    throw new Error(`is ${quote(given)}; it must be an IP address or a host name`);
  });
  return {
    ...parse({ default: defaultValue, desc }),
    unit: '',
    range: 'IP address or host name',
    initial: defaultValue,
  };
}

/** Several, with commas between them. Left out or empty, there are none. */
function addressRanges(desc: string) {
  const parse = makeExactValidator<readonly string[]>((given) => {
    const ranges = given === '' ? [] : given.split(',').map((range) => range.trim());
    for (const range of ranges) {
      const fault = faultOfAddressRange(range);
      if (fault !== null) throw new Error(`names ${quote(range)}, which ${fault}`);
    }
    return ranges;
  });
  const range = 'IP addresses and CIDR ranges';
  return { ...parse({ default: [], desc }), unit: '', range, initial: null };
}

/** A text that is shown nowhere: neither when it is right nor when it is wrong. Left out, there is none. */
function secret(charactersMin: number, charactersMax: number, desc: string) {
  const range = `${charactersMin}..${charactersMax} printable characters`;
  const parse = makeExactValidator<string>((given) => {
    // As a header can carry it: printable ASCII, and no space at either end.
    const printable = /^[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]$/.test(given);
    if (printable && given.length >= charactersMin && given.length <= charactersMax) return given;
    throw new Error(`must be ${range}, without spaces at its ends`);
  });
  return { ...parse({ default: undefined, desc }), unit: '', range, initial: null };
}
