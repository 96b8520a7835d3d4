import { constants, copyFileSync, existsSync, linkSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, Refused } from './command.ts';
import { type Contents, inspect, isUnreadable } from './contents.ts';
import { companionsOf, makeSelfContained, removeWithCompanions, sync } from './files.ts';

/**
 * Positions in the event log go on behind the next multiple of this. What happened between backup and restore had
 * positions, too, which readers outside may remember: none of them is given a second time.
 */
export const POSITION_LEAP = 1_000_000_000;

export interface RestoreOptions {
  /** Goes on although the present database cannot be read, so that nobody can tell whether it is in use. */
  readonly force: boolean;
  /** Names what is kept aside. */
  readonly now: Date;
}

export interface Restored {
  readonly contents: Contents;
  /** Where the database is that was there before; null when there was none. */
  readonly aside: string | null;
}

/**
 * Puts a backup in the place of the database. The backup stays as it is, the old database is kept aside, and at any
 * moment there is a whole database in the place.
 * @throws Refused when a server has the database open, or the backup cannot be used
 * @throws Error when the backup is damaged or the copy fails; the old database is in its place then
 */
export function restoreBackup(backup: string, target: string, options: RestoreOptions): Restored {
  assertUsable(backup, target);
  mkdirSync(path.dirname(path.resolve(target)), { recursive: true });
  const partial = `${target}.restoring-${process.pid}`;
  try {
    copyFileSync(backup, partial, constants.COPYFILE_FICLONE);
    const contents = inspectPrepared(partial, backup);
    sync(partial);
    const aside = `${target}.before-restore-${options.now.toISOString().replaceAll(/[:.]/g, '-')}`;
    const kept = replace(target, partial, aside, options.force);
    sync(target);
    return { contents, aside: kept ? aside : null };
  } finally {
    removeWithCompanions(partial);
  }
}

function assertUsable(backup: string, target: string): void {
  if (!existsSync(backup)) throw new Refused(`There is no file ${backup}`);
  if (existsSync(target) && realpathSync(target) === realpathSync(backup)) {
    throw new Refused(`${backup} is the database itself`);
  }
  const log = `${backup}-wal`;
  if (existsSync(log)) {
    throw new Refused(`${backup} is no backup but a database in use or not closed: ${log} lies beside it`);
  }
}

function inspectPrepared(partial: string, backup: string): Contents {
  try {
    makeSelfContained(partial);
  } catch (error) {
    if (isUnreadable(error)) throw new Error(`${backup} is damaged: ${(error as Error).message}`, { cause: error });
    throw error;
  }
  const contents = inspect(partial);
  leapPositions(partial);
  return contents;
}

function leapPositions(file: string): void {
  const database = new Database(file, { fileMustExist: true });
  try {
    const leap = database.transaction(() => {
      const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'outbox_events'").pluck().get();
      const seq = (Math.floor(((last as number | undefined) ?? 0) / POSITION_LEAP) + 1) * POSITION_LEAP;
      database.prepare("DELETE FROM sqlite_sequence WHERE name = 'outbox_events'").run();
      database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox_events', ?)").run(seq);
    });
    leap();
  } finally {
    database.close();
  }
}

/** @returns whether something was there, which is now `aside` */
function replace(target: string, partial: string, aside: string, force: boolean): boolean {
  if (!existsSync(target)) {
    renameSync(partial, target);
    return false;
  }
  const keepsLog = keepLog(target, aside);
  let lock: Database.Database | null = null;
  try {
    lock = lockOf(target, force);
    // Now everything is in the one file, unless there is nothing to make of it.
    if (lock === null) companionsOf(target).forEach((name) => rmSync(name, { force: true }));
    linkSync(target, aside);
    renameSync(partial, target);
  } finally {
    if (keepsLog) settleLog(target, aside, lock === null);
    lock?.close();
  }
  return true;
}

/** SQLite takes the log of a file that it cannot read away, so it gets a second name first. */
function keepLog(target: string, aside: string): boolean {
  const exists = existsSync(`${target}-wal`);
  if (exists) linkSync(`${target}-wal`, `${aside}-wal`);
  return exists;
}

/** @param unread the log was not put into its file: it goes where the file is now */
function settleLog(target: string, aside: string, unread: boolean): void {
  if (unread && existsSync(aside)) return;
  if (unread && !existsSync(`${target}-wal`)) renameSync(`${aside}-wal`, `${target}-wal`);
  else rmSync(`${aside}-wal`, { force: true });
}

/**
 * Leaving the write-ahead log needs the database for itself alone, so it fails while a server has it open, also one that
 * only reads. It also puts into the file what a killed server has left in the log.
 * @returns what keeps others out until it is closed; null for a file that is no database
 * @throws Refused when somebody has it open
 */
function lockOf(target: string, force: boolean): Database.Database | null {
  const database = new Database(target, { fileMustExist: true, timeout: 0 });
  try {
    database.pragma('journal_mode = DELETE');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (codeOf(error).startsWith('SQLITE_BUSY')) {
      throw new Refused(`A server or another program has ${target} open; stop it first`);
    }
    if (!isUnreadable(error)) throw error;
    if (force) return null;
    throw new Refused(
      `${target} cannot be read, so nobody can tell whether a server has it open. Stop every server, then use --force`,
    );
  }
}
