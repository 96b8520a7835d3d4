import { parseArgs } from 'node:util';
import { AUDITED_EVENT_TYPES } from '../src/published-events.ts';
import { loadSettings } from '../src/shared/settings.ts';
import { openAuditDatabase } from './audit-verify/audit-database.ts';
import { renderVerdict, verify } from './audit-verify/verify.ts';
import { runMain, UsageError } from './run-main.ts';

const USAGE = `usage: npm run audit:verify -- [--tenant <id>]

Reads the audit in the database of the settings (DATABASE_URL), beside running servers or without one, and finds what was
changed, removed, inserted or put into another order. Nothing is written.

  --tenant   only the chain of this tenant; '*' is that of no tenant
  --help

Exit codes: 0 it is whole, 1 it is not, or cannot be read, 2 wrong arguments.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { tenant: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`There is nothing to be done with ${positionals.join(' ')}`);
  const database = await openAuditDatabase(loadSettings());
  try {
    const verdict = await verify(database, values.tenant ?? null, new Set(AUDITED_EVENT_TYPES));
    if (values.tenant !== undefined && verdict.chains.length + verdict.erased.length === 0) {
      throw new Error(`There is no audit of a tenant ${values.tenant}`);
    }
    console.log(renderVerdict(verdict));
    return verdict.faults.length === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}

await runMain(main, USAGE, 'The audit could not be verified: ');
