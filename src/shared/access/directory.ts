import { Injectable } from '@nestjs/common';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { decodeCursor, encodeCursor } from '../http/page-cursor.ts';
import { currentContext } from '../kernel/context.ts';
import type { Page } from '../kernel/page.ts';
import { pageOf, Reader } from '../persistence/reader.ts';
import { UnknownTenant } from './admin.errors.ts';
import type { KeyView, TenantView } from './contract.ts';
import { ofPlatform, ofTenant } from './realms.ts';
import { tenantsTable } from './tenant.table.ts';

const PLATFORM_ROLES = "('admin', 'platform')";

const KEYS = `SELECT tenant_id AS "tenantId", id AS "id", name AS "name", role AS "role", client_id AS "clientId",
    location_id AS "locationId", created_at AS "createdAt", expires_at AS "expiresAt", last_used_at AS "lastUsedAt",
    revoked_at AS "revokedAt"
  FROM api_keys WHERE id > :after`;
const OF_ALL_TENANTS = `${KEYS} ORDER BY id LIMIT :rows`;
const OF_TENANT = `${KEYS} AND tenant_id = :tenant ORDER BY id LIMIT :rows`;
const SEEN_BY_OPERATOR = `${KEYS} AND tenant_id = :tenant AND role NOT IN ${PLATFORM_ROLES} ORDER BY id LIMIT :rows`;

/** What there is of tenants and keys, for those who administer them. */
@Injectable()
export class Directory {
  constructor(private readonly reader: Reader) {}

  /** All tenants, by id. */
  tenants(limit: number, cursor: string | null): Promise<Page<TenantView>> {
    return ofPlatform(async () => {
      const rows = this.reader
        .rows(tenantsTable, 'tenant')
        .orderBy('tenant.id')
        .limit(limit + 1);
      if (cursor !== null) {
        const [after] = decodeCursor(cursor, 'tenants', {});
        rows.andWhere('tenant.id > :after', { after });
      }
      return pageOf(await this.reader.many(rows), limit, ({ id }) => encodeCursor('tenants', {}, [id]));
    });
  }

  /**
   * Keys, oldest first.
   * @param tenantId only of this tenant; null: of all, which only the platform may ask for
   * @param byPlatform whether keys of the platform are shown, too
   */
  async keys(
    tenantId: string | null,
    byPlatform: boolean,
    limit: number,
    cursor: string | null,
  ): Promise<Page<KeyView>> {
    const filter = { tenantId, byPlatform };
    const [after = ''] = cursor === null ? [] : decodeCursor(cursor, 'keys', filter);
    const page = { after, rows: limit + 1 };
    const rows = await (tenantId === null
      ? this.reader.selectAcrossTenants<KeyView>(OF_ALL_TENANTS, page)
      : ofTenant(tenantId, () => this.reader.select<KeyView>(byPlatform ? OF_TENANT : SEEN_BY_OPERATOR, page)));
    return pageOf(rows, limit, ({ id }) => encodeCursor('keys', filter, [id]));
  }

  async hasTenant(tenantId: string): Promise<boolean> {
    const [found] = await this.reader.selectAcrossTenants<object>(
      `SELECT 1 AS "there" FROM tenants WHERE tenant_id = '${NO_TENANT}' AND id = :id`,
      { id: tenantId },
    );
    return found !== undefined;
  }

  /** @throws UnknownTenant */
  async assertTenant(tenantId: string): Promise<void> {
    if (!(await this.hasTenant(tenantId))) throw new UnknownTenant(tenantId);
  }

  /** Whose key it is, for the platform, which names keys of any tenant; the caller's own when there is none. */
  async tenantOfKey(keyId: string, byPlatform: boolean): Promise<string> {
    const { tenantId } = currentContext();
    if (!byPlatform) return tenantId;
    const [found] = await this.reader.selectAcrossTenants<{ tenantId: string }>(
      'SELECT tenant_id AS "tenantId" FROM api_keys WHERE id = :keyId',
      { keyId },
    );
    return found?.tenantId ?? tenantId;
  }
}
