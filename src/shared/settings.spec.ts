import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadSettings, readSettings, SETTINGS, SettingsError } from './settings.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

/** `HOLD_TTL_SECONDS` is the field `holdTtlSeconds`. */
function fieldOf(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

describe('readSettings', () => {
  it('needs nothing: an empty environment gives every default', () => {
    const settings = readSettings({}) as unknown as Record<string, unknown>;

    for (const [name, { initial }] of Object.entries(SETTINGS)) {
      expect([name, settings[fieldOf(name)]]).toEqual([name, initial]);
    }
  });

  it('takes the lower and the upper end of every range, and nothing beyond', () => {
    for (const [name, { range }] of Object.entries(SETTINGS)) {
      const ends = /^(\d+)\.\.(\d+)$/.exec(range);
      if (ends === null) continue;
      const [min, max] = [Number(ends[1]), Number(ends[2])];
      const beside: Record<string, string> = {
        HOLD_LIFETIME_MAX_SECONDS: '2592000',
        QUEUE_WORKS_MAX: '1000000',
        RESERVATION_KEEP_DAYS: '36500',
        REQUEST_TIMEOUT_MS: '600000',
      };

      for (const end of [min, max]) {
        const settings = readSettings({ ...beside, [name]: `${end}` }) as unknown as Record<string, unknown>;
        expect([name, settings[fieldOf(name)]]).toEqual([name, end]);
      }
      for (const outside of [min - 1, max + 1]) {
        expect(problemsOf({ ...beside, [name]: `${outside}` })).toEqual([
          expect.stringMatching(
            new RegExp(`^${name} is "${outside}"; it must be a whole number from ${min} to ${max}`),
          ),
        ]);
      }
    }
  });

  it.each(['', ' 5', '5 ', '5.0', '1e3', '0x10', '-0', 'NaN', '١٢', '99999999999999999999'])(
    'refuses %j as a whole number',
    (given) => {
      expect(problemsOf({ QUEUE_WAIT_MAX_MS: given })).toHaveLength(1);
    },
  );

  it('lists everything that is wrong, with what was given and what is allowed', () => {
    const env = {
      PORT: '70000',
      HOST: 'no host',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://db/x',
      SHUTDOWN_MAX_MS: '',
    };

    expect(problemsOf(env)).toEqual([
      'PORT is "70000"; it must be a whole number from 0 to 65535 (TCP port)',
      'HOST is "no host"; it must be an IP address or a host name',
      expect.stringContaining('DATABASE_URL starts with neither sqlite: nor postgres://'),
      'LOG_LEVEL is "loud"; it must be one of silent, fatal, error, warn, info, debug, trace',
      'SHUTDOWN_MAX_MS is empty; it must be a whole number from 100 to 600000 (ms)',
    ]);
    expect(() => readSettings(env)).toThrow(
      /^The settings are wrong .*\n {2}- PORT is [^]*\n {2}- SHUTDOWN_MAX_MS is empty/,
    );
  });

  it('ignores names that it does not know', () => {
    expect(problemsOf({ HOLD_TTL_MINUTES: 'x', PATH: '/bin', NODE_ENV: 'production' })).toEqual([]);
  });

  it('refuses limits that contradict each other', () => {
    expect(problemsOf({ HOLD_TTL_SECONDS: '900', HOLD_LIFETIME_MAX_SECONDS: '60' })).toEqual([
      'HOLD_TTL_SECONDS is 900; it must not be more than HOLD_LIFETIME_MAX_SECONDS, which is 60',
    ]);
    expect(problemsOf({ READY_QUEUE_WORKS_MAX: '11', QUEUE_WORKS_MAX: '10' })).toHaveLength(1);
  });

  it('lets a default give way to a lower limit that was given', () => {
    const settings = readSettings({ HOLD_LIFETIME_MAX_SECONDS: '60', QUEUE_WORKS_MAX: '10' });

    expect([settings.holdTtlSeconds, settings.readyQueueWorksMax]).toEqual([60, 10]);
  });

  it.each(['0.0.0.0', '::', '::1', 'localhost', 'shop-1.example.org'])('listens on %s', (given) => {
    expect(readSettings({ HOST: given }).host).toBe(given);
  });

  it.each(['', '256.0.0.1', '1.2.3', 'a_b', '-a', 'a..b', 'http://localhost', '[::1]', 'localhost:3000'])(
    'does not listen on %j',
    (given) => {
      expect(problemsOf({ HOST: given })).toHaveLength(1);
    },
  );
});

describe('DATABASE_URL', () => {
  it('names an SQLite file', () => {
    const settings = readSettings({ DATABASE_URL: 'sqlite:/var/lib/holdfast/stock.sqlite' });

    expect([settings.databaseEngine, settings.sqlitePath]).toEqual(['sqlite', '/var/lib/holdfast/stock.sqlite']);
    expect(settings.databaseAddress).toBe('sqlite:/var/lib/holdfast/stock.sqlite');
  });

  it('names a PostgreSQL database', () => {
    const url = 'postgresql://holdfast:p%40ss@db.example.org:5433/stock?sslmode=require';
    const settings = readSettings({ DATABASE_URL: url });

    expect([settings.databaseEngine, settings.sqlitePath, settings.databaseUrl]).toEqual(['postgres', null, url]);
    expect(settings.databaseAddress).toBe('postgres://db.example.org:5433/stock');
  });

  it.each([
    ['', 'starts with neither'],
    ['sqlite:', 'names no file'],
    ['sqlite:./data/', 'names no file'],
    ['sqlite::memory:', 'in memory'],
    ['sqlite://data/x.sqlite', 'starts with sqlite://'],
    ['data/x.sqlite', 'starts with neither'],
    ['postgres://db', 'names no database'],
    ['postgres://db/', 'names no database'],
    ['postgres://u:50%@db/stock', 'not a valid address'],
    ['postgres://db:port/stock', 'not a valid address'],
  ])('refuses %j: %s', (given, reason) => {
    expect(problemsOf({ DATABASE_URL: given })).toEqual([
      expect.stringContaining(`DATABASE_URL ${reason}`.slice(0, 12)),
    ]);
    expect(problemsOf({ DATABASE_URL: given })[0]).toContain(reason);
  });

  it('shows its password nowhere', () => {
    const settings = readSettings({ DATABASE_URL: 'postgres://u:hunter2@db/stock?password=hunter2' });
    const [problem] = problemsOf({ DATABASE_URL: 'postgres://u:hunter2@db:port/stock' });

    for (const shown of [JSON.stringify(settings), inspect(settings), settings.databaseAddress, problem]) {
      expect(shown).not.toContain('hunter2');
    }
  });
});

describe('loadSettings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-settings-'));
  const before = { ...process.env };

  afterEach(() => {
    process.env = { ...before };
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('completes the environment by .env, and the environment wins', () => {
    const envFile = join(folder, '.env');
    writeFileSync(envFile, '# a comment\nSWEEP_INTERVAL_MS=750\nBULK_SLICE_MS="20"\n');
    process.env['BULK_SLICE_MS'] = '30';

    const settings = loadSettings(envFile);

    expect([settings.sweepIntervalMs, settings.bulkSliceMs]).toEqual([750, 30]);
  });

  it('does without .env', () => {
    expect(loadSettings(join(folder, 'absent')).sweepIntervalMs).toBe(500);
  });
});

describe('run.md', () => {
  it('shows exactly the settings that exist, with their defaults, ranges, units and descriptions', () => {
    const text = readFileSync(join(__dirname, '../../run.md'), 'utf8');
    const shown = text
      .split('\n')
      // Those of a store's agent have a table of their own (agent-settings.spec.ts).
      .filter((line) => /^\| `(?!STORE_)[A-Z_]+` +\|/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );

    const wanted = Object.entries(SETTINGS).map(([name, { initial, range, unit, desc }]) => [
      `\`${name}\``,
      initial === null ? '' : `\`${initial}\``,
      range,
      unit,
      desc,
    ]);
    expect(shown).toEqual(wanted);
  });
});
