import { type Static, type TSchema, Type } from 'typebox';
import { type Instant, toIsoInstant } from '../kernel/clock.ts';
import { defineEvent, type DomainEvent, type EventDefinition } from '../kernel/domain-event.ts';
import type { ApiKeyRow } from './api-key.table.ts';
import { KEY_ROLES } from './roles.ts';

/*
 * What happens to tenants, keys and tokens. Those about tenants are events of no tenant ('*'), those about keys and tokens
 * of the tenant whose keys they are.
 */

const closed = { additionalProperties: false } as const;
const id = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$' });
const instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const idOrNull = Type.Union([id, Type.Null()]);
const instantOrNull = Type.Union([instant, Type.Null()]);
const count = Type.Integer({ minimum: 0 });
const hash = Type.String({ pattern: '^[0-9a-f]{64}$' });

export const TenantCreated = defineEvent(
  'access.tenant.created',
  1,
  Type.Object({ tenantId: id, name: Type.String({ maxLength: 500 }) }, closed),
);

export const TenantSuspended = defineEvent('access.tenant.suspended', 1, Type.Object({ tenantId: id }, closed));

export const TenantResumed = defineEvent('access.tenant.resumed', 1, Type.Object({ tenantId: id }, closed));

/** Somebody began to take its data along; recorded before the first of them is sent. */
export const TenantExported = defineEvent('access.tenant.exported', 1, Type.Object({ tenantId: id }, closed));

export const TenantErased = defineEvent(
  'access.tenant.erased',
  1,
  Type.Object(
    {
      tenantId: id,
      /** Rows that are gone, over all tables. */
      rows: count,
      /** How many entries its audit had, and the hash of the last: what is left of it. */
      auditNumber: count,
      auditHash: hash,
    },
    closed,
  ),
);

export const KeyCreated = defineEvent(
  'access.key.created',
  1,
  Type.Object(
    {
      keyId: id,
      name: Type.String({ maxLength: 500 }),
      role: Type.Enum([...KEY_ROLES]),
      clientId: id,
      locationId: idOrNull,
      expiresAt: instantOrNull,
    },
    closed,
  ),
);

export const KeyRevoked = defineEvent(
  'access.key.revoked',
  1,
  Type.Object({ keyId: id, role: Type.Enum([...KEY_ROLES]), clientId: id }, closed),
);

export const TokenIssued = defineEvent(
  'access.token.issued',
  1,
  Type.Object({ tokenId: id, keyId: id, expiresAt: instant }, closed),
);

export const TokenRevoked = defineEvent(
  'access.token.revoked',
  1,
  Type.Object({ tokenId: id, keyId: idOrNull }, closed),
);

/** What a key, or an address without a good one, was refused within a minute. */
export const AttemptsRefused = defineEvent(
  'access.attempts.refused',
  1,
  Type.Object(
    {
      /** The beginning of the minute. */
      minute: instant,
      /** False: one key at one address. True: all that were too many to be told apart. */
      others: Type.Boolean(),
      unauthenticated: count,
      forbidden: count,
      notFound: count,
      rateLimited: count,
    },
    closed,
  ),
);

/** Entries of the audit were kept for their time and are gone. */
export const AuditPurged = defineEvent(
  'access.audit.purged',
  1,
  Type.Object(
    {
      /** Everything through this entry is gone, and this is its hash. */
      number: Type.Integer({ minimum: 1 }),
      hash,
    },
    closed,
  ),
);

export const ACCESS_EVENTS = [
  TenantCreated,
  TenantSuspended,
  TenantResumed,
  TenantExported,
  TenantErased,
  KeyCreated,
  KeyRevoked,
  TokenIssued,
  TokenRevoked,
  AttemptsRefused,
  AuditPurged,
] as const;

/** An event as it is recorded. @param subject e.g. `tenant/acme` @param subjectVersion of what it happened to, after it */
export function accessEvent<Payload extends TSchema>(
  { type, version }: EventDefinition<Payload>,
  subject: string,
  subjectVersion: number,
  data: Static<Payload>,
  occurredAt: Instant,
): DomainEvent {
  return { type, version, subject, subjectVersion, locationId: null, data, occurredAt };
}

export function keyCreated({ id: keyId, name, role, clientId, locationId, ...row }: ApiKeyRow): DomainEvent {
  const expiresAt = row.expiresAt === null ? null : toIsoInstant(row.expiresAt);
  const data = { keyId, name, role, clientId, locationId, expiresAt };
  return accessEvent(KeyCreated, `key/${keyId}`, 1, data, row.createdAt);
}
