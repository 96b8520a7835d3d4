import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { MIGRATIONS } from '../../migrations/index.ts';
import { HOLDS_RULE, LEDGER_RULE } from '../audit/audit.ts';
import { textTable } from '../replay/text-table.ts';
import { codeOf, Refused } from './command.ts';

/** What is in a copy of the database. */
export interface Contents {
  readonly bytes: number;
  /** Migrations that ran, and those that the next start of the server will run. */
  readonly migrations: { readonly ran: number; readonly missing: number };
  readonly rows: readonly (readonly [table: string, rows: number])[];
  /** Epoch milliseconds; null when there is no event. */
  readonly lastEventAt: number | null;
  readonly unitsOnHand: number;
}

/** Faults that SQLite lists before it gives up. */
const FAULTS_MAX = 10;
/** SQLite's codes for a file that is no database, or no longer one. */
const UNREADABLE = /^SQLITE_(CORRUPT|NOTADB)/;

/**
 * Reads a whole database file and judges it. The file is not changed.
 * @throws Refused when it is no database of this program, or of a later version of it
 * @throws Error listing what is wrong, when it is damaged or its sums do not agree
 */
export function inspect(file: string): Contents {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const faults = faultsOf(database);
    if (faults.length > 0) throw new Error(`${file} is damaged:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    const migrations = migrationsOf(database, file);
    const wrong = wrongSums(database);
    if (wrong.length > 0) throw new Error(`${file} is readable, but ${wrong.join(' and ')}`);
    return {
      bytes: statSync(file).size,
      migrations,
      rows: tablesOf(database).map((table) => [table, count(database, `SELECT COUNT(*) FROM "${table}"`)]),
      lastEventAt: valueOf(database, 'SELECT MAX(occurred_at) FROM outbox_events'),
      unitsOnHand: count(database, 'SELECT COALESCE(SUM(on_hand), 0) FROM stock_items'),
    };
  } finally {
    database.close();
  }
}

/** True when SQLite cannot make sense of the file. */
export function isUnreadable(error: unknown): boolean {
  return UNREADABLE.test(codeOf(error));
}

export function renderContents({ bytes, migrations, rows, lastEventAt, unitsOnHand }: Contents): string {
  const megabytes = (bytes / 1_048_576).toFixed(1);
  const missing = migrations.missing === 0 ? '' : `; the next start runs ${migrations.missing} more`;
  return [
    `size        ${megabytes} MiB`,
    `schema      ${migrations.ran} migrations${missing}`,
    `last event  ${lastEventAt === null ? 'none' : new Date(lastEventAt).toISOString()}`,
    `on hand     ${unitsOnHand.toLocaleString('en-GB')} units`,
    '',
    textTable(['table', 'rows'], rows),
    '',
    'It is whole: integrity check, on-hand = ledger, held and committed = holds.',
  ].join('\n');
}

function faultsOf(database: Database.Database): string[] {
  try {
    const rows = database.pragma(`integrity_check(${FAULTS_MAX})`) as { integrity_check: string }[];
    return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
  } catch (error) {
    if (isUnreadable(error)) return [(error as Error).message];
    throw error;
  }
}

/** The table in which the migrations that ran are listed is the mark of a database of ours. */
function migrationsOf(database: Database.Database, file: string): Contents['migrations'] {
  if (!tablesOf(database).includes('schema_migrations')) {
    throw new Refused(`${file} is an SQLite database, but not one of Holdfast`);
  }
  const ran = database.prepare('SELECT name FROM schema_migrations').pluck().all() as string[];
  const known: string[] = MIGRATIONS.map((Migration) => new Migration().name);
  const unknown = ran.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Refused(`${file} is of a later version of Holdfast, which made ${unknown.join(', ')}; use that version`);
  }
  return { ran: ran.length, missing: known.length - ran.length };
}

function wrongSums(database: Database.Database): string[] {
  const ledgers = count(database, `SELECT COUNT(*) FROM (${LEDGER_RULE.broken})`);
  const holds = count(database, `SELECT COUNT(*) FROM (${HOLDS_RULE.broken})`);
  return [
    ...(ledgers > 0 ? [`on-hand of ${ledgers} stock items is not the sum of their movements`] : []),
    ...(holds > 0 ? [`held or committed of ${holds} stock items is not the sum of their holds`] : []),
  ];
}

function tablesOf(database: Database.Database): string[] {
  const sql =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";
  return database.prepare(sql).pluck().all() as string[];
}

function count(database: Database.Database, sql: string): number {
  return valueOf(database, sql) ?? 0;
}

function valueOf(database: Database.Database, sql: string): number | null {
  return database.prepare(sql).pluck().get() as number | null;
}
