import { existsSync, realpathSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { Refused } from './command.ts';
import { type Contents, inspect } from './contents.ts';
import { makeSelfContained, removeWithCompanions, sync } from './files.ts';

/** Pages that are copied between two looks at the progress: 4 MiB. */
const PAGES_PER_STEP = 1_000;

export interface BackupOptions {
  /** Takes the place of a file of that name. */
  readonly force: boolean;
  /** Told after each step, in pages. */
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Copies a database that servers may be writing to, as it is at one instant, and checks the copy. Under its name it
 * appears whole or not at all.
 * @throws Refused when there is no such database, or something is in the way
 * @throws Error when the copy cannot be made or is not whole; it is removed then
 */
export async function takeBackup(source: string, target: string, options: BackupOptions): Promise<Contents> {
  assertPossible(source, target, options.force);
  const partial = `${target}.partial-${process.pid}`;
  try {
    await copyAtOneInstant(source, partial, options.onProgress);
    makeSelfContained(partial);
    const contents = inspect(partial);
    sync(partial);
    renameSync(partial, target);
    sync(target);
    return contents;
  } finally {
    removeWithCompanions(partial);
  }
}

function assertPossible(source: string, target: string, force: boolean): void {
  if (!existsSync(source)) throw new Refused(`There is no database ${source}: is DATABASE_URL right?`);
  const folder = path.dirname(path.resolve(target));
  if (!existsSync(folder)) throw new Refused(`There is no folder ${folder}`);
  if (!existsSync(target)) return;
  if (realpathSync(target) === realpathSync(source)) throw new Refused(`${target} is the database itself`);
  if (!statSync(target).isFile()) throw new Refused(`${target} is no file`);
  if (!force) throw new Refused(`${target} is there already; --force replaces it`);
}

/**
 * SQLite begins a backup anew whenever another connection has written, so beside a busy server it would never end.
 * Within a transaction it sees one instant to the end; meanwhile the server's log grows, because it cannot begin anew.
 */
async function copyAtOneInstant(
  source: string,
  target: string,
  onProgress: BackupOptions['onProgress'],
): Promise<void> {
  const database = new Database(source, { readonly: true, fileMustExist: true });
  try {
    database.exec('BEGIN');
    database.prepare('SELECT 1 FROM sqlite_schema').get();
    await database.backup(target, {
      progress: ({ totalPages, remainingPages }) => {
        onProgress(totalPages - remainingPages, totalPages);
        return PAGES_PER_STEP;
      },
    });
  } finally {
    database.close();
  }
}
