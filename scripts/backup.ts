import { parseArgs } from 'node:util';
import { runCommand, sqliteFileOfSettings } from './backup/command.ts';
import { UsageError } from './run-main.ts';
import { renderContents } from './backup/contents.ts';
import { takeBackup } from './backup/take-backup.ts';
import { meter } from './backup/meter.ts';

const USAGE = `usage: npm run backup -- <file> [--force]

Copies the SQLite database of the settings (DATABASE_URL) while servers go on, as it is at one instant, and checks the copy.

  --force   replaces a file of that name
  --help

Exit codes: 0 done, 1 failed (no file is left), 2 refused.`;

await runCommand('The backup', USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError('Name one file');
  const source = sqliteFileOfSettings();
  const progress = meter(process.stderr, 'pages');
  const contents = await takeBackup(source, file, { force: values.force, onProgress: progress.show }).finally(() => {
    progress.stop();
  });
  console.log(`Backup of ${source} in ${file}\n\n${renderContents(contents)}`);
});
