import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { describeOnPostgres, superuserUrl } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';
import { OPENING_UNITS, type Sent, Shoppers } from '../support/shoppers.ts';
import { runScript, ServerProcess } from '../support/start-process.ts';

const SHOPPERS = 16;
/** Answers before the backup begins, and after it has begun. */
const ANSWERS = 150;

/** What a backup and its restore have to keep: everything that was answered before the backup began. */
class Loss {
  private readonly sent: Sent[] = [];
  private readonly before: Sent[] = [];

  /** Runs a mixed load, has a backup taken in the middle of it, and stops the server when more was answered since. */
  async record(server: ServerProcess, takeBackup: () => Promise<void>): Promise<void> {
    const shop = new ShopClient(server.api);
    const place = await shop.location();
    const sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
    const shoppers = new Shoppers(server.api, place, sku, this.sent);
    const answered = (enough: number) =>
      eventually('enough is answered', async () => shoppers.answeredCount >= enough, 60_000);
    shoppers.start(SHOPPERS);
    await answered(ANSWERS);
    this.before.push(...this.sent.filter(({ answer }) => answer !== undefined));
    await takeBackup();
    await answered(shoppers.answeredCount + ANSWERS);
    await shoppers.stop();
    expect(this.sent.filter(({ answer }) => answer === undefined || answer.status >= 300)).toEqual([]);
  }

  /** @returns what was answered before the backup began and is not replayed as it was answered */
  async lost(server: ServerProcess): Promise<string[]> {
    expect(this.before.length).toBeGreaterThanOrEqual(ANSWERS);
    const answers = await Promise.all(
      this.before.map(({ method, path, body, key }) => server.api.send(method, path, body, { key })),
    );
    return this.before.flatMap(({ method, path, answer }, index) => {
      const again = answers[index];
      const same = again?.text === answer?.text && again?.headers['idempotency-replayed'] === 'true';
      return same ? [] : [`${method} ${path}: ${answer?.text} and now ${again?.text}`];
    });
  }
}

describe('A backup that is taken under load (SQLite)', () => {
  let database: FreshDatabase;
  let folder: string;
  let server: ServerProcess | undefined;

  beforeEach(async () => {
    database = await freshDatabase('sqlite', 'disk');
    folder = await mkdtemp(join(tmpdir(), 'holdfast-restored-'));
  });

  afterEach(async () => {
    await server?.kill();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has everything that was answered before it began, and every sum agrees when it is restored', async () => {
    const env = { DATABASE_URL: database.url };
    const file = join(folder, 'backup.sqlite');
    const loss = new Loss();
    server = await ServerProcess.start(env);
    await loss.record(server, async () => {
      expect(await runScript('backup', [file], env)).toMatchObject({ code: 0 });
      expect(await runScript('restore', [file], env)).toMatchObject({ code: 2 });
    });
    await server.kill();

    const restored = await runScript('restore', [file], env);
    expect(restored).toMatchObject({ code: 0, output: expect.stringContaining('is kept as') });

    server = await ServerProcess.start({ ...env, PORT: server.port });
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
    expect(await loss.lost(server)).toEqual([]);
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
  });
});

describeOnPostgres('A dump that is taken under load', () => {
  const run = promisify(execFile);
  // In CI their absence is a failure: a skipped test would pass for a proof.
  const withTools = process.env['CI'] === 'true' || toolsOfPostgres() ? it : it.skip;
  let database: FreshDatabase;
  let other: FreshDatabase;
  let folder: string;
  let server: ServerProcess | undefined;

  beforeEach(async () => {
    database = await freshDatabase('postgres');
    other = await freshDatabase('postgres');
    folder = await mkdtemp(join(tmpdir(), 'holdfast-restored-'));
  });

  afterEach(async () => {
    await server?.kill();
    await database.drop();
    await other.drop();
    await rm(folder, { recursive: true, force: true });
  });

  // The commands are those of run.md.
  withTools('has everything that was answered before it began, and every sum agrees when it is restored', async () => {
    const file = join(folder, 'holdfast.dump');
    const loss = new Loss();
    server = await ServerProcess.start({ DATABASE_URL: database.url });
    await loss.record(server, async () => {
      await run('pg_dump', ['--format=custom', `--file=${file}`, superuserUrl(database.url)]);
    });
    await server.kill();

    await run('pg_restore', [
      '--clean',
      '--if-exists',
      '--no-owner',
      '--no-privileges',
      '--exit-on-error',
      `--dbname=${other.url}`,
      file,
    ]);
    await run('psql', ['--quiet', '--set=ON_ERROR_STOP=1', `--command=${statementOfRunMd()}`, other.url]);

    server = await ServerProcess.start({ DATABASE_URL: other.url, PORT: server.port });
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
    expect(await loss.lost(server)).toEqual([]);
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
  });
});

function toolsOfPostgres(): boolean {
  return ['pg_dump', 'pg_restore', 'psql'].every((tool) => spawnSync(tool, ['--version']).status === 0);
}

/** The one statement that run.md has the operator send after a restore. */
function statementOfRunMd(): string {
  const [statement] =
    /SET holdfast[^;]+;\s+SELECT setval\([^;]+;/.exec(readFileSync(join(__dirname, '../../run.md'), 'utf8')) ?? [];
  return statement ?? 'run.md has no such statement';
}
