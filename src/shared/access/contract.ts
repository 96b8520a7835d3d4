import { Command } from '@nestjs/cqrs';
import type { Instant } from '../kernel/clock.ts';
import type { EntityKey, Keyed } from '../kernel/entity-key.ts';
import type { AuditHead } from '../audit/audit-chains.ts';
import type { ApiKeyRow } from './api-key.table.ts';
import type { KeyRole } from './roles.ts';
import type { TenantRow, TenantStatus } from './tenant.table.ts';

/*
 * What changes tenants and keys. Those about tenants run in a context of no tenant, those about keys in that of the
 * tenant whose keys they are (realms.ts).
 */

export type TenantView = TenantRow;

/** A key as it may be shown: without its hash. */
export type KeyView = Omit<ApiKeyRow, 'hash' | 'version'> & { readonly tenantId: string };

export function tenantKey(tenantId: string): EntityKey {
  return { table: 'tenants', values: [tenantId] };
}

export class CreateTenant extends Command<{ tenant: TenantView; created: boolean }> implements Keyed {
  constructor(
    readonly id: string,
    readonly name: string,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [tenantKey(this.id)];
  }
}

export class SetTenantStatus extends Command<TenantView> implements Keyed {
  constructor(
    readonly id: string,
    readonly status: TenantStatus,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [tenantKey(this.id)];
  }
}

/** Forgets a tenant of which nothing is left. */
export class EraseTenant extends Command<void> implements Keyed {
  constructor(
    readonly id: string,
    /** Rows that are gone, over all tables. */
    readonly rows: number,
    /** What is left: the last entry of its audit. */
    readonly audit: AuditHead,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [tenantKey(this.id)];
  }
}

/** A key that was made; whoever made it shows it once, and here is only its hash. */
export class IssueKey extends Command<{ id: string }> {
  constructor(
    readonly hash: string,
    readonly wanted: {
      readonly name: string;
      readonly role: KeyRole;
      /** Null: a client of its own. */
      readonly clientId: string | null;
      readonly locationId: string | null;
      readonly expiresAt: Instant | null;
    },
  ) {
    super();
  }
}

export class RevokeKey extends Command<KeyView> implements Keyed {
  constructor(
    readonly id: string,
    /** Whether keys of the platform can be revoked by the caller; to others they are not there. */
    readonly byPlatform: boolean,
  ) {
    super();
  }

  get keys(): EntityKey[] {
    return [{ table: 'api_keys', values: [this.id] }];
  }
}

/** Notes that a token was made for a key. */
export class NoteToken extends Command<void> {
  constructor(
    readonly tokenId: string,
    readonly keyId: string,
    readonly expiresAt: Instant,
  ) {
    super();
  }
}

/** Notes that somebody begins to take the data of a tenant along. */
export class NoteExport extends Command<void> implements Keyed {
  constructor(readonly id: string) {
    super();
  }

  get keys(): EntityKey[] {
    return [tenantKey(this.id)];
  }
}

/** Gives a token back: from its commit on, every server refuses it. */
export class RevokeToken extends Command<void> {
  constructor(
    readonly tokenId: string,
    readonly expiresAt: Instant,
  ) {
    super();
  }
}
