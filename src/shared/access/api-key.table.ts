import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';
import type { KeyRole } from './roles.ts';

/** A caller's key: everything about it but the key itself, of which only a hash is kept. */
export interface ApiKeyRow {
  readonly id: string;
  /** Of the key's text (api-key.ts). */
  readonly hash: string;
  /** What its owner calls it. */
  readonly name: string;
  readonly role: KeyRole;
  readonly clientId: string;
  /** The one place of a `store` key; null for all others. */
  readonly locationId: string | null;
  readonly createdAt: Instant;
  /** From this instant on it is refused; null: never by itself. */
  readonly expiresAt: Instant | null;
  /** Behind by up to a minute. */
  readonly lastUsedAt: Instant | null;
  readonly revokedAt: Instant | null;
  readonly version: number;
}

export const apiKeysTable = defineTable<ApiKeyRow>({
  name: 'api_keys',
  key: ['id'],
  columns: {
    id: 'text',
    hash: 'text',
    name: 'text',
    role: 'text',
    clientId: 'text',
    locationId: 'text?',
    createdAt: 'integer',
    expiresAt: 'integer?',
    lastUsedAt: 'integer?',
    revokedAt: 'integer?',
    version: 'integer',
  },
});
