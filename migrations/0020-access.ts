import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dialectOf, type Dialect } from './dialect.ts';

/** Who may do what: tenants, the keys of their callers, and what signs, and revokes, short-lived tokens. */
export class Access0020 implements MigrationInterface {
  readonly name = 'Access0000000000020';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements(dialectOf(runner))) {
      await runner.query(statement);
    }
    // What is there already was made for the one tenant that there was. '*' is nobody's tenant: it stands for the platform.
    await runner.query(`INSERT INTO tenants (tenant_id, id, name, status, created_at, updated_at, version)
      VALUES ('*', 'default', 'Default', 'ACTIVE', 0, 0, 1)`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup to go back'));
  }
}

function statements({ text, integer, clustered }: Dialect): string[] {
  return [
    `CREATE TABLE tenants (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      name ${text} NOT NULL,
      status ${text} NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED')),
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, id)
    ) ${clustered}`,
    `CREATE TABLE api_keys (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      hash ${text} NOT NULL,
      name ${text} NOT NULL,
      role ${text} NOT NULL CHECK (role IN ('admin', 'platform', 'operator', 'storefront', 'store', 'auditor')),
      client_id ${text} NOT NULL,
      location_id ${text} CHECK ((role = 'store') = (location_id IS NOT NULL)),
      created_at ${integer} NOT NULL,
      expires_at ${integer},
      last_used_at ${integer},
      revoked_at ${integer},
      version ${integer} NOT NULL CHECK (version >= 1),
      PRIMARY KEY (tenant_id, id)
    ) ${clustered}`,
    // Found by what the caller sends, before anybody knows whose it is; so no two tenants can have the same one.
    'CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash)',
    // For whoever runs the platform, who names a key without its tenant.
    'CREATE INDEX api_keys_by_id ON api_keys (id)',
    `CREATE TABLE signing_keys (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      public_key ${text} NOT NULL,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, id)
    ) ${clustered}`,
    'CREATE INDEX signing_keys_expired ON signing_keys (expires_at)',
    `CREATE TABLE revoked_tokens (
      tenant_id ${text} NOT NULL,
      id ${text} NOT NULL,
      expires_at ${integer} NOT NULL,
      PRIMARY KEY (tenant_id, id)
    ) ${clustered}`,
    'CREATE INDEX revoked_tokens_expired ON revoked_tokens (expires_at)',
  ];
}
