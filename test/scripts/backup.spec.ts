import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jest } from '@jest/globals';
import Database from 'better-sqlite3';
import { Refused, runCommand, sqliteFileOfSettings } from '../../scripts/backup/command.ts';
import { UsageError } from '../../scripts/run-main.ts';
import { inspect, renderContents } from '../../scripts/backup/contents.ts';
import { POSITION_LEAP, restoreBackup } from '../../scripts/backup/restore-backup.ts';
import { takeBackup } from '../../scripts/backup/take-backup.ts';
import { ShopClient } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const QUIET = { force: false, onProgress: () => undefined };

describe('A backup', () => {
  let folder: string;
  let running: RunningApp;
  let source: string;
  let taken = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'));
    running = await startApp('sqlite');
    source = running.databaseUrl.slice('sqlite:'.length);
    const shop = new ShopClient(running.api);
    const sku = await shop.stocked({ [await shop.location()]: 40 });
    await shop.confirm((await shop.reserve([{ sku, quantity: 2 }])).id);
    await shop.reserve([{ sku, quantity: 3 }]);
  });

  afterAll(async () => {
    await running.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const place = (): string => join(folder, `copy-${(taken += 1)}.sqlite`);
  const aBackup = async (): Promise<string> => {
    const file = place();
    await takeBackup(source, file, QUIET);
    return file;
  };
  /** A damaged, changed or planted copy. */
  const changed = async (change: (database: Database.Database) => void): Promise<string> => {
    const file = await aBackup();
    const database = new Database(file);
    change(database);
    database.close();
    return file;
  };

  it('is one file with everything in it, while the server goes on', async () => {
    const file = place();
    const steps: number[] = [];
    const contents = await takeBackup(source, file, { force: false, onProgress: (done) => steps.push(done) });

    expect(steps.length).toBeGreaterThan(0);
    expect(Object.fromEntries(contents.rows)).toMatchObject({
      stock_items: 1,
      movements: 1,
      reservations: 2,
      holds: 2,
    });
    expect(contents).toMatchObject({ unitsOnHand: 40, migrations: { missing: 0 } });
    expect(new Date(contents.lastEventAt ?? 0)).toEqual(new Date(running.clock.now()));
    expect(readdirSync(folder).filter((name) => name.startsWith(file.slice(folder.length + 1)))).toHaveLength(1);
    expect(renderContents(contents)).toContain('on hand     40 units');
  });

  it('takes no file’s place unless it is told to', async () => {
    const file = await aBackup();
    await expect(takeBackup(source, file, QUIET)).rejects.toThrow(/--force/);
    await takeBackup(source, file, { ...QUIET, force: true });
    await expect(takeBackup(source, source, { ...QUIET, force: true })).rejects.toThrow('is the database itself');
    await expect(takeBackup(source, folder, { ...QUIET, force: true })).rejects.toThrow('is no file');
    await expect(takeBackup(source, join(folder, 'no', 'where'), QUIET)).rejects.toThrow('There is no folder');
    await expect(takeBackup(join(folder, 'nothing'), place(), QUIET)).rejects.toThrow('There is no database');
  });

  it('is refused as whole when it is damaged, or its sums do not agree', async () => {
    const damaged = await aBackup();
    const file = openSync(damaged, 'r+');
    writeSync(file, Buffer.alloc(8192, 0xff), 0, 8192, 3 * 4096);
    closeSync(file);
    expect(() => inspect(damaged)).toThrow('is damaged');
    const wrongLedger = await changed((database) => database.exec('UPDATE stock_items SET on_hand = on_hand + 1'));
    expect(() => inspect(wrongLedger)).toThrow('on-hand of 1 stock items is not the sum of their movements');
    const wrongHolds = await changed((database) => database.exec('UPDATE stock_items SET committed = 0'));
    expect(() => inspect(wrongHolds)).toThrow('held or committed of 1 stock items is not the sum of their holds');
  });

  it('is not taken for one when it is something else', async () => {
    const text = join(folder, 'text');
    writeFileSync(text, 'not a database, but long enough to look at\n'.repeat(100));
    expect(() => inspect(text)).toThrow('is damaged');
    const foreign = await changed((database) => database.exec('DROP TABLE schema_migrations'));
    expect(() => inspect(foreign)).toThrow(Refused);
    const later = await changed((database) =>
      database.exec("INSERT INTO schema_migrations (timestamp, name) VALUES (9999, 'Later0000000009999')"),
    );
    expect(() => inspect(later)).toThrow('of a later version of Holdfast');
  });

  it('leaves no file behind when the copy is not whole', async () => {
    const damaged = await changed((database) => database.exec('UPDATE stock_items SET on_hand = on_hand + 1'));
    const file = place();
    await expect(takeBackup(damaged, file, QUIET)).rejects.toThrow('sum of their movements');
    expect(readdirSync(folder).filter((name) => name.startsWith(file.slice(folder.length + 1)))).toEqual([]);
  });

  it('is restored beside the old database, which is kept, and stays as it is', async () => {
    const backup = await aBackup();
    const before = readFileSync(backup);
    const target = await changed((database) => database.exec('DELETE FROM reservation_places'));

    const { contents, aside } = restoreBackup(backup, target, { force: false, now: NOW });

    expect(contents.unitsOnHand).toBe(40);
    expect(aside).toBe(`${target}.before-restore-2026-03-01T10-00-00-000Z`);
    expect(Object.fromEntries(inspect(aside ?? '').rows).reservation_places).toBe(0);
    expect(Object.fromEntries(inspect(target).rows).reservation_places).toBe(2);
    expect(readFileSync(backup).equals(before)).toBe(true);
  });

  it('is restored where nothing was', async () => {
    const target = join(folder, 'new', 'holdfast.sqlite');
    expect(restoreBackup(await aBackup(), target, { force: false, now: NOW }).aside).toBeNull();
    expect(inspect(target).unitsOnHand).toBe(40);
  });

  it('gives no position of the event log a second time', async () => {
    const backup = await aBackup();
    const target = place();
    const next = (): number => {
      const database = new Database(target);
      const { lastInsertRowid } = database
        .prepare(
          `INSERT INTO outbox_events (tenant_id, event_id, type, version, subject, subject_version, payload,
             occurred_at, correlation_id) VALUES ('t', 'e', 'x', 1, 's', 1, '{}', 0, 'c')`,
        )
        .run();
      database.close();
      return Number(lastInsertRowid);
    };
    restoreBackup(backup, target, { force: false, now: NOW });
    expect(next()).toBe(POSITION_LEAP + 1);
    const again = place();
    await takeBackup(target, again, QUIET);
    restoreBackup(again, target, { force: false, now: new Date(NOW.getTime() + 1) });
    expect(next()).toBe(2 * POSITION_LEAP + 1);
  });

  it('is not restored while a server has the database open, not even one that only reads', async () => {
    const backup = await aBackup();
    expect(() => restoreBackup(backup, source, { force: true, now: NOW })).toThrow(/has .* open; stop it first/);
    expect((await running.api.get('/v1/stock')).status).toBe(200);
    const target = await aBackup();
    const reading = new Database(target);
    reading.pragma('journal_mode = WAL');
    reading.prepare('SELECT 1 FROM stock_items').get();
    expect(() => restoreBackup(backup, target, { force: false, now: NOW })).toThrow(Refused);
    reading.close();
    expect(restoreBackup(backup, target, { force: false, now: NOW }).aside).not.toBeNull();
  });

  it('is restored over a damaged database only when told that nobody uses it', async () => {
    const backup = await aBackup();
    const target = place();
    writeFileSync(target, 'what a dying disk left\n'.repeat(1000));
    writeFileSync(`${target}-wal`, 'and its log');
    expect(() => restoreBackup(backup, target, { force: false, now: NOW })).toThrow('--force');
    expect(readFileSync(`${target}-wal`, 'utf8')).toBe('and its log');
    const { aside } = restoreBackup(backup, target, { force: true, now: NOW });
    expect(inspect(target).unitsOnHand).toBe(40);
    expect(readFileSync(aside ?? '', 'utf8')).toContain('what a dying disk left');
    expect(readFileSync(`${aside ?? ''}-wal`, 'utf8')).toBe('and its log');
    expect(existsSync(`${target}-wal`)).toBe(false);
  });

  it('is not restored when it is damaged, or the copy of a database in use; the old one stays', async () => {
    const target = await aBackup();
    const before = readFileSync(target);
    const damaged = join(folder, 'damaged');
    writeFileSync(damaged, 'not a database\n'.repeat(1000));
    expect(() => restoreBackup(damaged, target, { force: true, now: NOW })).toThrow('is damaged');
    expect(() => restoreBackup(source, target, { force: true, now: NOW })).toThrow('a database in use');
    expect(() => restoreBackup(join(folder, 'none'), target, { force: true, now: NOW })).toThrow('There is no file');
    expect(() => restoreBackup(target, target, { force: true, now: NOW })).toThrow('is the database itself');
    expect(readFileSync(target).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => /partial|restoring/.test(name))).toEqual([]);
  });
});

describe('runCommand', () => {
  const environment = { ...process.env };
  let said: string[];

  beforeEach(() => {
    said = [];
    jest.spyOn(console, 'error').mockImplementation((text: string) => void said.push(text));
  });

  afterEach(() => {
    jest.restoreAllMocks();
    process.env = { ...environment };
    process.exitCode = 0;
  });

  const exitCodeOf = async (run: () => unknown): Promise<unknown> => {
    await runCommand('The backup', 'usage: …', async () => {
      await run();
    });
    return process.exitCode;
  };
  const thrown = (error: Error) => () => Promise.reject(error);

  it('tells a cron job by its exit code how it ended', async () => {
    expect(await exitCodeOf(() => undefined)).toBe(0);
    expect(await exitCodeOf(thrown(new Error('no space')))).toBe(1);
    expect(await exitCodeOf(thrown(new Refused('it is there')))).toBe(2);
    expect(said).toEqual(['The backup failed: no space', 'it is there']);
  });

  it('explains itself when it was asked wrongly', async () => {
    expect(await exitCodeOf(thrown(new UsageError('Name one file')))).toBe(2);
    expect(await exitCodeOf(() => parseArgs({ args: ['--fast'], options: {} }))).toBe(2);
    expect(said.filter((text) => text.includes('usage: …'))).toHaveLength(2);
  });

  it('refuses PostgreSQL, without the password, and names its tools', async () => {
    process.env['DATABASE_URL'] = 'postgres://u:secret@db/stock';
    expect(await exitCodeOf(sqliteFileOfSettings)).toBe(2);
    expect(said.join()).toContain('pg_dump');
    expect(said.join()).not.toContain('secret');
    process.env['DATABASE_URL'] = 'mysql://db';
    expect(await exitCodeOf(sqliteFileOfSettings)).toBe(2);
  });
});
