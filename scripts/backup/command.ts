import { isUsageError } from '../run-main.ts';
import { loadSettings, SettingsError } from '../../src/shared/settings.ts';

/** The command cannot do what was asked, as things are; nothing was changed. */
export class Refused extends Error {}

/** Exit codes that a cron job can tell apart. */
const EXIT = { done: 0, failed: 1, refused: 2 } as const;

/**
 * Runs a command to its exit code: 0 done, 1 it failed, 2 it was refused or asked wrongly.
 * @param name what the command is called in its messages
 * @param run prints its result itself
 */
export async function runCommand(name: string, usage: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    process.exitCode = EXIT.done;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isUsage = isUsageError(error);
    const isRefused = isUsage || error instanceof Refused || error instanceof SettingsError;
    console.error(isRefused ? message : `${name} failed: ${message}`);
    if (isUsage) console.error(`\n${usage}`);
    process.exitCode = isRefused ? EXIT.refused : EXIT.failed;
  }
}

/**
 * The SQLite file of the settings.
 * @throws Refused on PostgreSQL, whose own tools do it better
 */
export function sqliteFileOfSettings(): string {
  const { sqlitePath, databaseAddress } = loadSettings();
  if (sqlitePath === null) {
    throw new Refused(
      `This is for SQLite; the database is ${databaseAddress}. Use pg_dump and pg_restore: run.md, "Backup", says how.`,
    );
  }
  return sqlitePath;
}

/** The code of an error of Node or of SQLite; empty when it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
