import { AUDITED_EVENT_TYPES } from '../../src/published-events.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { openAuditDatabase } from '../../scripts/audit-verify/audit-database.ts';
import { type Verdict, verify } from '../../scripts/audit-verify/verify.ts';
import type { Api } from './http.ts';
import { allPages } from './shop.ts';

/** An entry as GET /v1/audit shows it. */
export interface AuditEntry {
  readonly tenantId: string;
  readonly number: number;
  readonly occurredAt: string;
  readonly keyId: string | null;
  readonly clientId: string;
  readonly address: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly origin: string | null;
  readonly action: string;
  readonly version: number;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly eventId: string;
  readonly hash: string;
}

/** What a caller sees of the audit, newest first. */
export function auditOf(api: Api, query = ''): Promise<AuditEntry[]> {
  return allPages<AuditEntry>(api, `/v1/audit${query}`);
}

/** What npm run audit:verify finds. */
export async function verified(databaseUrl: string, tenant: string | null = null): Promise<Verdict> {
  const database = await openAuditDatabase(readSettings({ DATABASE_URL: databaseUrl }));
  try {
    return await verify(database, tenant, new Set(AUDITED_EVENT_TYPES));
  } finally {
    await database.close();
  }
}
