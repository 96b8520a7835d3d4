import { parseArgs } from 'node:util';
import { runCommand, sqliteFileOfSettings } from './backup/command.ts';
import { UsageError } from './run-main.ts';
import { renderContents } from './backup/contents.ts';
import { restoreBackup } from './backup/restore-backup.ts';

const USAGE = `usage: npm run restore -- <file> [--force]

Puts a backup in the place of the SQLite database of the settings (DATABASE_URL). Stop every server first. The backup is
checked before and stays as it is; the database that was there is kept beside it.

  --force   also when the present database is damaged, so that nobody can tell whether a server has it open
  --help

Exit codes: 0 done, 1 failed (the old database is in its place), 2 refused.`;

await runCommand('The restore', USAGE, () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return Promise.resolve();
  }
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError('Name one file');
  const target = sqliteFileOfSettings();
  const { contents, aside } = restoreBackup(file, target, { force: values.force, now: new Date() });
  console.log(`Restored ${file} to ${target}\n\n${renderContents(contents)}`);
  if (aside !== null) console.log(`\nThe database that was there is kept as ${aside}.`);
  console.log('What was answered after the backup is lost: run.md, "After a restore", says what to do about it.');
  return Promise.resolve();
});
