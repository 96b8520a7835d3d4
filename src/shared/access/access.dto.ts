import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { EnumField, IdField, InstantField, PageQuery, TextField } from '../http/fields.ts';
import type { FieldError } from '../http/http-error.ts';
import { PageResponse } from '../http/page-response.ts';
import type { CrossChecked } from '../http/validation.ts';
import { type Instant, toIsoInstant } from '../kernel/clock.ts';
import type { KeyView, TenantView } from './contract.ts';
import { KEY_ROLES, type KeyRole, type Role, ROLES } from './roles.ts';
import { TENANT_STATUSES, type TenantStatus } from './tenant.table.ts';

const KEY_ID = '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11';

// ---------------------------------------------------------------- tenants

@ApiSchema({ description: 'A retail chain that is to use the service.' })
export class CreateTenantRequest {
  @IdField({ description: 'Its id, which never changes.', example: 'acme' })
  id!: string;

  @TextField({ description: 'What people call it.', example: 'Acme Stores' })
  name!: string;
}

export class TenantPath {
  @IdField({ description: 'The id of the tenant.', example: 'acme' })
  id!: string;
}

@ApiSchema({ description: 'A retail chain. Nothing of one can be seen or changed by another.' })
export class TenantResponse extends CreateTenantRequest {
  @ApiProperty({
    enum: TENANT_STATUSES,
    description: 'The keys of a SUSPENDED one are answered with 403, whatever they ask for.',
    example: 'ACTIVE',
  })
  status!: TenantStatus;

  @ApiProperty({ format: 'date-time', description: 'When it was made.', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', description: 'When it last changed.', example: '2026-11-22T09:00:00.000Z' })
  updatedAt!: string;

  @ApiProperty({ description: 'Rises with every change.', example: 1 })
  version!: number;
}

@ApiSchema({ description: 'A page of tenants.' })
export class TenantPage extends PageResponse {
  @ApiProperty({ type: [TenantResponse], description: 'By id.' })
  items!: TenantResponse[];
}

export function toTenantResponse(tenant: TenantView): TenantResponse {
  const { id, name, status, createdAt, updatedAt, version } = tenant;
  return { id, name, status, createdAt: toIsoInstant(createdAt), updatedAt: toIsoInstant(updatedAt), version };
}

@ApiSchema({ description: 'What was erased of a tenant, for whoever has to prove it.' })
export class ErasureResponse {
  @ApiProperty({ description: 'The tenant that there was.', example: 'acme' })
  tenantId!: string;

  @ApiProperty({ format: 'date-time', description: 'When nothing was left.', example: '2026-11-22T09:00:00.000Z' })
  erasedAt!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Rows that are gone, by table.',
    example: { products: 12, movements: 340 },
  })
  rows!: Readonly<Record<string, number>>;
}

// ---------------------------------------------------------------- keys

const ROLE_DESCRIPTION =
  'What it may do: `operator` everything in its tenant, `storefront` read stock and reserve, `store` what concerns its own location, `auditor` read, `platform` tenants and keys.';
const CLIENT_DESCRIPTION =
  'Whose key it is within the tenant. Keys of one client share its reservations and its Idempotency-Keys, so one can follow another.';

@ApiSchema({ description: 'A key that is to be made.' })
export class CreateKeyRequest implements CrossChecked {
  @TextField({ description: 'What it is for, for people.', example: 'Web shop, blue' })
  name!: string;

  @EnumField(ROLES, { name: 'Role', description: ROLE_DESCRIPTION, example: 'storefront' })
  role!: Role;

  @IdField({
    nullable: true,
    description: `${CLIENT_DESCRIPTION} Left out: a client of its own; for a \`store\`: its location.`,
    example: 'web-shop',
  })
  clientId: string | null = null;

  @IdField({
    nullable: true,
    description: 'The location of a `store`, which has to have one; nobody else has.',
    example: null,
  })
  locationId: string | null = null;

  @InstantField({
    nullable: true,
    description: 'From then on it is refused. Left out: it is good until it is revoked.',
    example: '2027-11-22T09:00:00.000Z',
  })
  expiresAt: string | null = null;

  @IdField({
    nullable: true,
    description: 'Whose key it is to be; only `platform` may say so. Left out: the tenant of the caller.',
    example: null,
  })
  tenantId: string | null = null;

  crossCheck(): FieldError[] {
    if (this.role === 'store') {
      return this.locationId === null ? [{ field: 'locationId', message: 'is required for a store' }] : [];
    }
    return this.locationId === null ? [] : [{ field: 'locationId', message: 'is for a store only' }];
  }
}

@ApiSchema({ description: 'A new key. It is shown this once; afterwards nobody can tell it any more.' })
export class KeyCreatedResponse {
  @ApiProperty({ description: 'Names the key, for revoking it.', example: KEY_ID })
  id!: string;

  @ApiProperty({
    description: 'To be sent as `X-Api-Key`.',
    example: 'hf_storefront_3q2-7wXv0p9dJm1Yq8tS4uVbN6cF5hK2lZrTgExAoIs',
  })
  key!: string;
}

export class KeyPath {
  @IdField({ description: 'The id of the key.', example: KEY_ID })
  id!: string;
}

export class KeyQuery extends PageQuery {
  @IdField({
    optional: true,
    description: 'Only the keys of this tenant. Others than its own are seen by `platform` only.',
    example: 'acme',
  })
  tenantId?: string;
}

const INSTANT_OR_NULL = { type: String, format: 'date-time', nullable: true } as const;

@ApiSchema({ description: 'What is known of a key; the key itself is not.' })
export class KeyResponse {
  @ApiProperty({ description: 'Names the key.', example: KEY_ID })
  id!: string;

  @ApiProperty({ description: 'Whose key it is.', example: 'acme' })
  tenantId!: string;

  @ApiProperty({ description: 'What it is for, for people.', example: 'Web shop, blue' })
  name!: string;

  @ApiProperty({
    enum: KEY_ROLES,
    description: `${ROLE_DESCRIPTION} \`admin\` is both operator and platform: the first key.`,
    example: 'storefront',
  })
  role!: KeyRole;

  @ApiProperty({ description: CLIENT_DESCRIPTION, example: 'web-shop' })
  clientId!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The location of a `store`.', example: null })
  locationId!: string | null;

  @ApiProperty({ format: 'date-time', description: 'When it was made.', example: '2026-11-22T09:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ ...INSTANT_OR_NULL, description: 'From then on it is refused.', example: '2027-11-22T09:00:00.000Z' })
  expiresAt!: string | null;

  @ApiProperty({
    ...INSTANT_OR_NULL,
    description: 'When it was last used, give or take a minute; null: never.',
    example: '2026-11-22T10:15:00.000Z',
  })
  lastUsedAt!: string | null;

  @ApiProperty({
    ...INSTANT_OR_NULL,
    description: 'Since when it is refused; null: it was not revoked.',
    example: null,
  })
  revokedAt!: string | null;
}

@ApiSchema({ description: 'A page of keys.' })
export class KeyPage extends PageResponse {
  @ApiProperty({ type: [KeyResponse], description: 'Oldest first.' })
  items!: KeyResponse[];
}

export function toKeyResponse({ createdAt, expiresAt, lastUsedAt, revokedAt, ...key }: KeyView): KeyResponse {
  const { id, tenantId, name, role, clientId, locationId } = key;
  return {
    id,
    tenantId,
    name,
    role,
    clientId,
    locationId,
    createdAt: toIsoInstant(createdAt),
    expiresAt: toIsoOrNull(expiresAt),
    lastUsedAt: toIsoOrNull(lastUsedAt),
    revokedAt: toIsoOrNull(revokedAt),
  };
}

function toIsoOrNull(at: Instant | null): string | null {
  return at === null ? null : toIsoInstant(at);
}

// ---------------------------------------------------------------- tokens

@ApiSchema({ description: 'A token that stands for the key, for a while.' })
export class TokenResponse {
  @ApiProperty({
    description: 'To be sent as `Authorization: Bearer <accessToken>`. A JWT; what is in it is nobody else’s business.',
    example: 'eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiIuLi4ifQ.c2lnbmF0dXJl',
  })
  accessToken!: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'How long it is good for.', example: 900 })
  expiresInSeconds!: number;
}
