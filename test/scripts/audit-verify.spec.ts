import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditWriter } from '../../src/shared/audit/audit-writer.ts';
import { type AuditEntryRow, auditEntriesTable } from '../../src/shared/audit/audit-entry.table.ts';
import { entryHash } from '../../src/shared/audit/entry-hash.ts';
import { renderVerdict } from '../../scripts/audit-verify/verify.ts';
import { verified } from '../support/auditing.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';
import { runScript } from '../support/start-process.ts';
import { change, rowsOf } from '../support/sql.ts';

type Stored = Readonly<Record<string, string | number | boolean | null>>;

const TABLES = ['audit_entries', 'audit_chains', 'outbox_events'] as const;
const DOC = join(__dirname, '../../docs/audit.md');
const NUMBERS = "tenant_id = 'default' AND number";

describeOnBothEngines('npm run audit:verify', (engine) => {
  const shop = useShop(engine, { RELAY_INTERVAL_MS: '60000' });
  let url: string;
  let original: Record<(typeof TABLES)[number], Stored[]>;
  let last: number;

  beforeAll(async () => {
    const [place, sku] = [await shop.location(), await shop.product()];
    for (const units of [1, 2]) await shop.receive(sku, place, units);
    // Whatever JSON can be written in two ways.
    const reason = 'Größe "L" \\ 😀 / é </script>';
    expect((await shop.tryMove(sku, place, 'RECEIPT', 3, { reason })).status).toBe(201);
    await shop.confirm((await shop.reserve([{ sku, quantity: 1 }])).id, 'order-1');
    const writer = shop.app.app.get(AuditWriter, { strict: false });
    expect(await writer.caughtUp('default', 10_000)).toBe(true);
    // From here on only the test writes.
    await writer.onModuleDestroy();
    url = shop.app.databaseUrl;
    original = {
      audit_entries: await rowsOf<Stored>(url, 'SELECT * FROM audit_entries ORDER BY number'),
      audit_chains: await rowsOf<Stored>(url, 'SELECT * FROM audit_chains'),
      outbox_events: await rowsOf<Stored>(url, 'SELECT * FROM outbox_events ORDER BY position'),
    };
    last = original.audit_entries.length;
    expect(last).toBe(7);
    // What the owner of a database can do, and nobody else.
    for (const table of ['entries', 'chains']) {
      const on = engine === 'postgres' ? ` ON audit_${table}` : '';
      const names = table === 'entries' ? ['unchanged', 'kept'] : ['go_on', 'kept'];
      for (const name of names) await change(url, `DROP TRIGGER audit_${table}_${name}${on}`);
    }
  });

  afterEach(() => restore());

  async function restore(tables: readonly (typeof TABLES)[number][] = TABLES): Promise<void> {
    for (const table of tables) {
      const columns = Object.keys(original[table][0] ?? {}).join(', ');
      const rows = original[table].map((row) => `(${Object.values(row).map(literal).join(', ')})`).join(', ');
      const overriding = engine === 'postgres' && table === 'outbox_events' ? 'OVERRIDING SYSTEM VALUE ' : '';
      await change(url, `DELETE FROM ${table}`);
      await change(url, `INSERT INTO ${table} (${columns}) ${overriding}VALUES ${rows}`);
    }
  }

  const faults = async (): Promise<string> => (await verified(url)).faults.join('\n');
  /** As after EVENT_KEEP_DAYS: the chain is all that there is to go by. */
  const forgetLog = (): Promise<void> => change(url, 'DELETE FROM outbox_events');

  it('finds nothing where nothing was changed, and says how far the chain goes and what its last hash is', async () => {
    const verdict = await verified(url);
    expect(verdict.faults).toEqual([]);
    const { hash } = original.audit_entries.at(-1) ?? {};
    expect(verdict.chains).toMatchObject([{ tenantId: 'default', entries: last, first: 1, last, hash }]);
    expect(renderVerdict(verdict)).toMatch(/The audit is whole: 7 entries in 1 chains/);
  });

  it.each([...auditEntriesTable.columns.map(({ name }) => name), 'tenant_id'])(
    'finds a changed %s, and names the entry',
    async (column) => {
      await forgetLog();
      const { type } = auditEntriesTable.columns.find(({ name }) => name === column) ?? { type: 'text' };
      const value = type === 'integer' ? `${column} + 100` : `COALESCE(${column}, '') || 'a'`;
      await change(url, `UPDATE audit_entries SET ${column} = ${value} WHERE ${NUMBERS} = 4`);
      expect(await faults()).toMatch(/default: number 4 (was changed|is missing)/);
    },
  );

  it.each<readonly [string, readonly string[], RegExp]>([
    ['one that is gone', [`DELETE FROM audit_entries WHERE ${NUMBERS} = 3`], /number 3 is missing/],
    ['the first, gone', [`DELETE FROM audit_entries WHERE ${NUMBERS} = 1`], /number 1 is missing/],
    ['the last, gone', [`DELETE FROM audit_entries WHERE ${NUMBERS} >= 6`], /numbers 6 to 7 are missing at the end/],
    ['all of them, gone', ['DELETE FROM audit_entries'], /numbers 1 to 7 are missing at the end/],
    ['the end of the chain, gone', ['DELETE FROM audit_chains'], /nothing says where this chain ends/],
    [
      'two that have changed places',
      [
        `UPDATE audit_entries SET number = 1000 WHERE ${NUMBERS} = 3`,
        `UPDATE audit_entries SET number = 3 WHERE ${NUMBERS} = 4`,
        `UPDATE audit_entries SET number = 4 WHERE ${NUMBERS} = 1000`,
      ],
      /number 3 was changed, or is not what followed number 2\n.*number 4 was changed/,
    ],
    [
      'one that was put in between',
      [
        `UPDATE audit_entries SET number = number + 1000 WHERE ${NUMBERS} >= 4`,
        `UPDATE audit_entries SET number = number - 999 WHERE ${NUMBERS} > 1000`,
        copyOf(3, 4),
      ],
      /number 4 was changed, or is not what followed number 3/,
    ],
    ['one that was added at the end', [copyOf(7, 8)], /number 8 (is added behind the end|was changed)/],
    ['an end that says more', ['UPDATE audit_chains SET number = 9'], /numbers 8 to 9 are missing at the end/],
    ['an end that says less', ['UPDATE audit_chains SET number = 6'], /number 7 is added behind the end/],
    ['another last hash', ['UPDATE audit_chains SET hash = purged_hash'], /number 7 is not what the chain ends with/],
    ['another beginning', ['UPDATE audit_chains SET purged_hash = hash'], /its beginning was changed/],
    [
      'a beginning that pretends to be purged',
      [
        `UPDATE audit_chains SET purged_number = 2, purged_hash = (SELECT hash FROM audit_entries WHERE ${NUMBERS} = 2)`,
        `DELETE FROM audit_entries WHERE ${NUMBERS} <= 2`,
      ],
      /numbers 1 to 2 are gone, and nothing tells that they were purged/,
    ],
  ])('finds %s', async (_what, statements, fault) => {
    await forgetLog();
    for (const sql of statements) await change(url, sql);
    expect(await faults()).toMatch(fault);
  });

  it('finds an entry that was changed together with its hash, by the next one', async () => {
    await forgetLog();
    const rows = original.audit_entries as unknown as (Stored & { hash: string })[];
    const forged = { ...entryOf(rows[3]!), clientId: 'somebody-else' };
    const hash = entryHash('default', forged, rows[2]!.hash);
    await change(url, `UPDATE audit_entries SET client_id = 'somebody-else', hash = '${hash}' WHERE ${NUMBERS} = 4`);
    expect(await faults()).toBe('default: number 5 was changed, or is not what followed number 4');
  });

  it('finds by the log what the chain alone does not show: an end cut off with its mark, and an event without an entry', async () => {
    const cut = [
      `DELETE FROM audit_entries WHERE ${NUMBERS} = 7`,
      `UPDATE audit_chains SET number = 6, hash = (SELECT hash FROM audit_entries WHERE ${NUMBERS} = 6)`,
    ];
    for (const sql of cut) await change(url, sql);
    expect(await faults()).toMatch(/event \S+ \(reservation.confirmed, position \d+\) has no entry at the end/);
    await forgetLog();
    expect(await faults()).toBe('');
    await restore();
    await change(url, `UPDATE outbox_events SET client_id = 'x' WHERE type = 'reservation.created'`);
    expect(await faults()).toMatch(/number 6 says something else than event \S+ of the log: clientId/);
  });

  it('is a command with an exit code: 0 whole, 1 not, 2 wrong arguments', async () => {
    const env = { DATABASE_URL: url, AUTH: 'off' };
    const run = async (...args: string[]) => runScript('audit-verify', args, env);
    expect(await run('--tenant', 'default')).toMatchObject({ code: 0, output: expect.stringContaining('is whole') });
    await change(url, `UPDATE audit_entries SET data = '{}' WHERE ${NUMBERS} = 2`);
    const { code, output } = await run();
    expect([code, output]).toEqual([1, expect.stringContaining('default: number 2 was changed')]);
    if (engine === 'postgres') return;
    expect((await run('--tenant', 'nobody')).code).toBe(1);
    expect((await run('everything')).code).toBe(2);
    expect((await runScript('audit-verify', [], { ...env, DATABASE_URL: 'sqlite:/nowhere/at/all' })).code).toBe(1);
  });

  it('is matched by the program of docs/audit.md, which knows nothing of ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'));
    try {
      const program = /```js\n([\s\S]*?)```/.exec(readFileSync(DOC, 'utf8'))?.[1] ?? '';
      writeFileSync(join(folder, 'verify.mjs'), program);
      const { text } = await shop.api.get('/v1/admin/tenants/default/export');
      const verify = (input: string) =>
        execFileSync(process.execPath, [join(folder, 'verify.mjs'), 'default'], { input, encoding: 'utf8' });
      expect(verify(text)).toMatch(/^whole: 7 entries, the last is [0-9a-f]{64}/);
      expect(() => verify(text.replaceAll('order-', 'other-'))).toThrow();
      expect(() => verify(text.replace(/\{"table":"audit_entries","row":\{"number":3,.*\n/, ''))).toThrow();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** The row as the program has it. */
function entryOf(row: Stored): AuditEntryRow {
  const entries = auditEntriesTable.columns.map(({ name, property, type }) => {
    const value = row[name] ?? null;
    return [property, type === 'integer' ? Number(value) : value];
  });
  return Object.fromEntries(entries) as AuditEntryRow;
}

/** SQL that inserts an entry once more under another number. */
function copyOf(number: number, as: number): string {
  const columns = auditEntriesTable.columns.map(({ name }) => name);
  const values = columns.map((name) => (name === 'number' ? String(as) : name)).join(', ');
  return `INSERT INTO audit_entries (tenant_id, ${columns.join(', ')})
    SELECT tenant_id, ${values} FROM audit_entries WHERE ${NUMBERS} = ${number}`;
}

function literal(value: Stored[string]): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `'${value.replaceAll("'", "''")}'`;
}
