import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SettingsError } from '../../shared/settings.ts';
import { AGENT_SETTINGS, type AgentConfiguration, readAgentConfiguration } from './agent-settings.ts';

function read(args: readonly string[], env: Readonly<Record<string, string>> = {}): AgentConfiguration {
  const configuration = readAgentConfiguration(args, env);
  if (configuration === 'help') throw new Error('Nobody asked for help');
  return configuration;
}

describe('readAgentConfiguration', () => {
  it('takes the options of the command line, and keeps its data apart by location', () => {
    const { settings, agent } = read(['--location', 'S1', '--central', 'http://centre:3000/', '--port', '4002']);
    expect(agent).toMatchObject({ locationId: 'S1', centralUrl: 'http://centre:3000' });
    expect(agent.dataFolder).toMatch(/data\/store-S1$/);
    expect(settings).toMatchObject({ port: 4002, host: '127.0.0.1', databaseEngine: 'sqlite' });
    expect(settings.sqlitePath).toMatch(/data\/store-S1\/store\.sqlite$/);
  });

  it('takes settings of the environment, over which an option wins', () => {
    const env = { STORE_LOCATION: 'S1', STORE_PORT: '4003', STORE_POLL_SECONDS: '5', LOG_LEVEL: 'warn' };
    const { settings, agent } = read(['--location', 'S2'], env);
    expect(agent).toMatchObject({ locationId: 'S2', pollSeconds: 5, centralUrl: 'http://127.0.0.1:3000' });
    expect(settings).toMatchObject({ port: 4003, logLevel: 'warn' });
  });

  it('does not take the port and the database of a centre with the same environment', () => {
    const env = { PORT: '3000', DATABASE_URL: 'postgres://root@127.0.0.1:5432/holdfast' };
    const { settings } = read(['--location', 'S1', '--data', 'elsewhere'], env);
    expect(settings.port).toBe(4001);
    expect(settings.sqlitePath).toMatch(/elsewhere\/store\.sqlite$/);
  });

  it('keeps its key to itself', () => {
    const { agent } = read(['--location', 'S1'], { STORE_API_KEY: 'hunter2-hunter2' });
    expect(agent.apiKey).toBe('hunter2-hunter2');
    expect(JSON.stringify(agent)).not.toContain('hunter2');
    expect(() => read(['--location', 'S1'], { STORE_API_KEY: 'hunter 2' })).toThrow('STORE_API_KEY must be');
    expect(read(['--location', 'S1']).agent.apiKey).toBeNull();
  });

  it.each([
    [[], 'STORE_LOCATION is missing'],
    [['--location', 'a b'], 'STORE_LOCATION is "a b"'],
    [['--location', 'S1', '--central', 'ftp://centre'], 'STORE_CENTRAL_URL is "ftp://centre"'],
    [['--location', 'S1', '--port', '99999'], 'STORE_PORT is "99999"'],
  ])('refuses %j', (args, problem) => {
    expect(() => read(args)).toThrow(SettingsError);
    expect(() => read(args)).toThrow(problem);
  });

  it('refuses options that it does not know, and helps', () => {
    expect(() => read(['--locaton', 'S1'])).toThrow(SettingsError);
    expect(() => read(['--locaton', 'S1'])).toThrow('--locaton');
    expect(readAgentConfiguration(['--help'], {})).toBe('help');
  });
});

describe('run.md', () => {
  it("shows the settings of a store's agent with their defaults, ranges, units and descriptions", () => {
    const shown = readFileSync(join(__dirname, '../../../run.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| `STORE_[A-Z_]+` +\|/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
    const wanted = Object.entries(AGENT_SETTINGS).map(([name, { initial, range, unit, desc }]) => [
      `\`${name}\``,
      initial === '' ? '' : `\`${initial}\``,
      range,
      unit,
      desc,
    ]);
    expect(shown).toEqual(wanted);
  });
});
