import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Dialect, dialectOf } from './dialect.ts';
import { ALL_TENANTS, behindTenantWall, TENANT_SETTING } from './tenant-wall.ts';

/** Who did it and from where, in event log and ledger; and the audit, to which rows are only ever added. */
export class Audit0023 implements MigrationInterface {
  readonly name = 'Audit0000000000023';

  async up(runner: QueryRunner): Promise<void> {
    const dialect = dialectOf(runner);
    const isPostgres = runner.dataSource.options.type === 'postgres';
    const statements = [
      ...callers(dialect),
      ...tables(dialect),
      ...behindTenantWall(dialect, 'audit_entries'),
      ...behindTenantWall(dialect, 'audit_chains'),
      ...(isPostgres ? POSTGRES_TRIGGERS : SQLITE_TRIGGERS),
    ];
    for (const statement of statements) {
      await runner.query(statement);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

/** Null in what is there already, and wherever nobody was asked for a key. */
function callers({ text }: Dialect): string[] {
  return [
    `ALTER TABLE outbox_events ADD COLUMN key_id ${text}`,
    `ALTER TABLE outbox_events ADD COLUMN address ${text}`,
    `ALTER TABLE movements ADD COLUMN key_id ${text}`,
  ];
}

function tables({ text, integer, boolean, clustered, plain }: Dialect): string[] {
  return [
    `CREATE TABLE audit_entries (
      tenant_id ${text} NOT NULL,
      number ${integer} NOT NULL CHECK (number >= 1),
      position ${integer} NOT NULL,
      event_id ${text} NOT NULL,
      occurred_at ${integer} NOT NULL,
      key_id ${text},
      client_id ${text} NOT NULL,
      address ${text},
      correlation_id ${text} NOT NULL,
      causation_id ${text},
      origin ${text},
      action ${text} NOT NULL,
      version ${integer} NOT NULL,
      subject ${text} NOT NULL,
      subject_version ${integer} NOT NULL,
      data ${text} NOT NULL,
      hash ${text} NOT NULL,
      PRIMARY KEY (tenant_id, number)
    ) ${plain}`,
    'CREATE INDEX audit_entries_in_time ON audit_entries (tenant_id, occurred_at, number)',
    'CREATE INDEX audit_entries_by_subject ON audit_entries (tenant_id, subject, occurred_at, number)',
    'CREATE INDEX audit_entries_by_correlation ON audit_entries (tenant_id, correlation_id, occurred_at, number)',
    // Where each chain ends, and where what is left of it begins. That of an erased tenant lies under '*'.
    `CREATE TABLE audit_chains (
      tenant_id ${text} NOT NULL,
      chain ${text} NOT NULL,
      number ${integer} NOT NULL CHECK (number >= 0),
      hash ${text} NOT NULL,
      purged_number ${integer} NOT NULL CHECK (purged_number BETWEEN 0 AND number),
      purged_hash ${text} NOT NULL,
      sealed ${boolean} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, chain)
    ) ${clustered}`,
  ];
}

const ONLY_APPENDED = 'The audit is only ever appended to';
const STILL_KEPT = 'This entry of the audit is still kept';

/*
 * An entry goes only when its chain says that everything through it is gone, or that its tenant is erased: both leave a
 * hash behind from which the rest can be verified.
 */
const MAY_GO = `EXISTS (SELECT 1 FROM audit_chains AS c
    WHERE (c.tenant_id = OLD.tenant_id AND c.chain = OLD.tenant_id AND c.purged_number >= OLD.number)
      OR (c.tenant_id = '*' AND c.chain = OLD.tenant_id AND c.sealed = TRUE))`;

const CHAIN_MAY_GO = `OLD.tenant_id <> '*' AND EXISTS (SELECT 1 FROM audit_chains AS c
    WHERE c.tenant_id = '*' AND c.chain = OLD.chain AND c.sealed = TRUE)`;

/** That of an erased tenant may be taken up again; nothing ever goes back. */
const CHAIN_GOES_BACK = `NEW.number < OLD.number OR NEW.purged_number < OLD.purged_number
    OR NEW.tenant_id <> OLD.tenant_id OR NEW.chain <> OLD.chain`;

const SQLITE_TRIGGERS = [
  `CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
    BEGIN SELECT RAISE(ABORT, '${ONLY_APPENDED}'); END`,
  `CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries WHEN NOT ${MAY_GO}
    BEGIN SELECT RAISE(ABORT, '${STILL_KEPT}'); END`,
  `CREATE TRIGGER audit_chains_go_on BEFORE UPDATE ON audit_chains WHEN ${CHAIN_GOES_BACK}
    BEGIN SELECT RAISE(ABORT, '${ONLY_APPENDED}'); END`,
  `CREATE TRIGGER audit_chains_kept BEFORE DELETE ON audit_chains WHEN NOT (${CHAIN_MAY_GO})
    BEGIN SELECT RAISE(ABORT, '${STILL_KEPT}'); END`,
];

const POSTGRES_TRIGGERS = [
  refusing('audit_entries_unchanged', 'true', ONLY_APPENDED),
  refusing('audit_entries_kept', `NOT ${MAY_GO}`, STILL_KEPT),
  refusing('audit_chains_go_on', CHAIN_GOES_BACK, ONLY_APPENDED),
  refusing('audit_chains_kept', `NOT (${CHAIN_MAY_GO})`, STILL_KEPT),
  trigger('audit_entries_unchanged', 'UPDATE', 'audit_entries'),
  trigger('audit_entries_kept', 'DELETE', 'audit_entries'),
  trigger('audit_chains_go_on', 'UPDATE', 'audit_chains'),
  trigger('audit_chains_kept', 'DELETE', 'audit_chains'),
  `CREATE TRIGGER audit_entries_not_emptied BEFORE TRUNCATE ON audit_entries
    EXECUTE FUNCTION audit_entries_unchanged()`,
  `CREATE TRIGGER audit_chains_not_emptied BEFORE TRUNCATE ON audit_chains
    EXECUTE FUNCTION audit_entries_unchanged()`,
];

/**
 * It looks at the row of an erased tenant, too, which lies under '*': for the look, the wall between tenants is told to let
 * all of them be read, and then what it was told before.
 */
function refusing(name: string, condition: string, message: string): string {
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $body$
    DECLARE
      whose text := coalesce(current_setting('${TENANT_SETTING}', true), '');
      refused boolean;
    BEGIN
      PERFORM set_config('${TENANT_SETTING}', '${ALL_TENANTS}', true);
      refused := ${condition};
      PERFORM set_config('${TENANT_SETTING}', whose, true);
      IF refused THEN RAISE EXCEPTION '${message}'; END IF;
      RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $body$`;
}

function trigger(name: string, event: 'UPDATE' | 'DELETE', table: string): string {
  return `CREATE TRIGGER ${name} BEFORE ${event} ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}()`;
}
