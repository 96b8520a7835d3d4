import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';

const LOCK_FILE = 'in-use.lock';

/** Another process works on the folder. */
export class FolderInUse extends Error {
  constructor(folder: string) {
    super(`Another process is using ${folder}; two on the same data would each undo what the other did`);
    this.name = 'FolderInUse';
  }
}

/**
 * Takes a folder for this process alone. The lock is SQLite's own, on a file of its own, so the system gives it up when the
 * process ends, however it ends; nothing has to be cleaned up after a crash.
 * @returns what gives it up
 * @throws FolderInUse when another process has it
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = new Database(path.join(folder, LOCK_FILE), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const { code } = error as { code?: unknown };
    throw String(code).startsWith('SQLITE_BUSY') ? new FolderInUse(folder) : error;
  }
  return () => {
    lock.close();
  };
}
