import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';

/** What SQLite keeps beside a database that is in use, or was when its process died. */
const COMPANIONS = ['-wal', '-shm', '-journal'];

export function companionsOf(file: string): string[] {
  return COMPANIONS.map((ending) => file + ending);
}

/** Puts everything into the one file: nothing lies beside it any more, and it can be copied and moved as it is. */
export function makeSelfContained(file: string): void {
  const database = new Database(file, { fileMustExist: true });
  try {
    database.pragma('journal_mode = DELETE');
  } finally {
    database.close();
  }
}

/** Until this is done, a power cut may take the file or its name away again. */
export function sync(file: string): void {
  for (const name of [file, path.dirname(path.resolve(file))]) {
    const descriptor = openSync(name, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

export function removeWithCompanions(file: string): void {
  for (const name of [file, ...companionsOf(file)]) rmSync(name, { force: true });
}
