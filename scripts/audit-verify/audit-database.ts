import Database from 'better-sqlite3';
import pg from 'pg';
import { ALL_TENANTS, TENANT_SETTING } from '../../migrations/tenant-wall.ts';
import { auditChainsTable, type AuditChainRow } from '../../src/shared/audit/audit-chain.table.ts';
import { auditEntriesTable, type AuditEntryRow } from '../../src/shared/audit/audit-entry.table.ts';
import { AUDIT_CONSUMER } from '../../src/shared/audit/audit-writer.ts';
import { numbered } from '../../src/shared/persistence/engine/named-parameters.ts';
import type { Table } from '../../src/shared/persistence/table.ts';
import type { Settings } from '../../src/shared/settings.ts';

/** Where a chain ends, and under which tenant that is stored. */
export interface StoredChain extends AuditChainRow {
  readonly tenantId: string;
}

/** An event of the log, as far as the audit repeats it. */
export type RepeatedEvent = Omit<AuditEntryRow, 'number' | 'hash'>;

/** The audit as one instant sees it. Nothing is written, and rows come one after the other, however many there are. */
export interface AuditDatabase {
  chains(): Promise<StoredChain[]>;
  /** All tenants that have entries. */
  tenantsWithEntries(): Promise<string[]>;
  /** In the order of their numbers. */
  entries(tenantId: string): AsyncIterable<AuditEntryRow>;
  /** Events of these types in the order of their positions, up to where the audit is in the log. */
  events(tenantId: string, after: number, upTo: number): AsyncIterable<RepeatedEvent>;
  /** Where the audit of each tenant is in the log. */
  places(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** Rows of one read. */
const PAGE_ROWS = 1_000;

const list = (table: Pick<Table, 'columns'>): string =>
  table.columns.map(({ name, property }) => `${name} AS "${property}"`).join(', ');

const CHAINS = `SELECT tenant_id AS "tenantId", ${list(auditChainsTable)} FROM audit_chains
  ORDER BY tenant_id, chain`;
const TENANTS = 'SELECT DISTINCT tenant_id AS "tenantId" FROM audit_entries ORDER BY tenant_id';
const ENTRIES = `SELECT ${list(auditEntriesTable)} FROM audit_entries WHERE tenant_id = :tenant
  AND number > :after ORDER BY number`;
const EVENTS = `SELECT position AS "position", event_id AS "eventId", occurred_at AS "occurredAt", key_id AS "keyId",
    client_id AS "clientId", address AS "address", correlation_id AS "correlationId", causation_id AS "causationId",
    origin AS "origin", type AS "action", version AS "version", subject AS "subject",
    subject_version AS "subjectVersion", payload AS "data"
  FROM outbox_events WHERE tenant_id = :tenant AND position > :after AND position <= :upTo ORDER BY position`;
const PLACES = `SELECT tenant_id AS "tenantId", position AS "position" FROM consumer_cursors
  WHERE consumer = '${AUDIT_CONSUMER.consumer}'`;

type Parameters = Readonly<Record<string, string | number>>;
type Ask = <Row>(sql: string, parameters?: Parameters) => Promise<Row[]>;

/** Opens the database of the settings for reading only. */
export function openAuditDatabase(settings: Settings): Promise<AuditDatabase> {
  const { sqlitePath } = settings;
  return sqlitePath === null ? openPostgres(settings.databaseUrl) : Promise.resolve(openSqlite(sqlitePath));
}

function openSqlite(path: string): AuditDatabase {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  // One instant to the end, whatever a server writes meanwhile.
  database.exec('BEGIN');
  const ask: Ask = <Row>(sql: string, parameters: Parameters = {}) =>
    Promise.resolve(database.prepare(sql).all(parameters) as Row[]);
  return {
    ...readsOf(ask),
    close: () => {
      database.close();
      return Promise.resolve();
    },
  };
}

async function openPostgres(connectionString: string): Promise<AuditDatabase> {
  const client = new pg.Client({ connectionString, application_name: 'holdfast audit:verify', types: NUMBERS });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('SELECT set_config($1, $2, false)', [TENANT_SETTING, ALL_TENANTS]);
  const ask: Ask = async <Row>(sql: string, parameters: Parameters = {}) => {
    const { text, names } = numbered(sql);
    const values = names.map((name) => parameters[name]);
    return (await client.query(text, values)).rows as Row[];
  };
  return { ...readsOf(ask), close: () => client.end() };
}

/** 64-bit integers as numbers: every integer here is far below 2^53. */
const NUMBERS: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    oid === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

function readsOf(ask: Ask): Omit<AuditDatabase, 'close'> {
  return {
    async chains() {
      const rows = await ask<Omit<StoredChain, 'sealed'> & { readonly sealed: boolean | number }>(CHAINS);
      return rows.map((row) => ({ ...row, sealed: Boolean(row.sealed) }));
    },
    async tenantsWithEntries() {
      return (await ask<{ tenantId: string }>(TENANTS)).map(({ tenantId }) => tenantId);
    },
    async places() {
      const rows = await ask<{ tenantId: string; position: number }>(PLACES);
      return new Map(rows.map(({ tenantId, position }) => [tenantId, position]));
    },
    entries: (tenant) => pages<AuditEntryRow>(ask, ENTRIES, ({ number }) => number, { tenant, after: 0 }),
    events: (tenant, after, upTo) =>
      pages<RepeatedEvent>(ask, EVENTS, ({ position }) => position, { tenant, after, upTo }),
  };
}

/** Row after row; a page at a time is in memory. */
async function* pages<Row>(
  ask: Ask,
  sql: string,
  placeOf: (row: Row) => number,
  parameters: Parameters & { readonly after: number },
): AsyncGenerator<Row> {
  for (let { after } = parameters; ;) {
    const rows = await ask<Row>(`${sql} LIMIT ${PAGE_ROWS}`, { ...parameters, after });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = placeOf(last);
  }
}
