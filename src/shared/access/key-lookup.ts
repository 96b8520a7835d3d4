import { Injectable } from '@nestjs/common';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import type { Instant } from '../kernel/clock.ts';
import type { SqlParameters } from '../persistence/engine/engine.ts';
import { Reader } from '../persistence/reader.ts';
import { SharedReads } from './shared-reads.ts';
import type { KeyRole } from './roles.ts';
import type { TenantStatus } from './tenant.table.ts';

/** A key as it is at this instant, with what else decides whether it is good. */
export interface FoundKey {
  readonly tenantId: string;
  readonly keyId: string;
  readonly role: KeyRole;
  readonly clientId: string;
  readonly locationId: string | null;
  readonly expiresAt: Instant | null;
  readonly lastUsedAt: Instant | null;
  readonly revokedAt: Instant | null;
  /** Null: there is no such tenant any more. */
  readonly tenantStatus: TenantStatus | null;
  /** Of the token that was asked about, whether it was given back; 0 for a key. */
  readonly tokenRevoked: number;
}

const KEY = (tokenRevoked: string): string => `SELECT k.tenant_id AS "tenantId", k.id AS "keyId", k.role AS "role",
    k.client_id AS "clientId", k.location_id AS "locationId", k.expires_at AS "expiresAt",
    k.last_used_at AS "lastUsedAt", k.revoked_at AS "revokedAt", t.status AS "tenantStatus",
    ${tokenRevoked} AS "tokenRevoked"
  FROM api_keys AS k LEFT JOIN tenants AS t ON t.tenant_id = '${NO_TENANT}' AND t.id = k.tenant_id`;

const BY_HASH = `${KEY('0')} WHERE k.hash = :hash`;

const BY_TOKEN = `${KEY(
  '(SELECT COUNT(*) FROM revoked_tokens AS r WHERE r.tenant_id = k.tenant_id AND r.id = :tokenId)',
)} WHERE k.tenant_id = :keyTenantId AND k.id = :keyId`;

/** Ids have no control characters. */
const SEPARATOR = '\n';

/**
 * Finds keys in the database, each time: what was revoked a moment ago, here or at another server, is refused. It is one
 * read by index, of a few microseconds on SQLite; on PostgreSQL requests that come together share it.
 */
@Injectable()
export class KeyLookup {
  private readonly byHash = new SharedReads((hash) => this.find(BY_HASH, { hash }));
  private readonly byToken = new SharedReads((text) => {
    const [keyTenantId = '', keyId = '', tokenId = ''] = text.split(SEPARATOR);
    return this.find(BY_TOKEN, { keyTenantId, keyId, tokenId });
  });

  constructor(private readonly reader: Reader) {}

  /** @throws Unavailable (503) when the database cannot be read now: nobody gets in on a guess */
  ofKey(hash: string): Promise<FoundKey | null> {
    return this.byHash.read(hash);
  }

  /** The key that a token was made for. @throws Unavailable as `ofKey` */
  ofToken(tenantId: string, keyId: string, tokenId: string): Promise<FoundKey | null> {
    return this.byToken.read([tenantId, keyId, tokenId].join(SEPARATOR));
  }

  private async find(sql: string, parameters: SqlParameters): Promise<FoundKey | null> {
    const [found] = await this.reader.selectAcrossTenants<FoundKey>(sql, parameters);
    return found ?? null;
  }
}
