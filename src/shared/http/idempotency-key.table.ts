import { defineTable } from '../persistence/table.ts';

/** The answer that was given under a key. Stored in the commit of the change that it reports. */
export interface IdempotencyKeyRow {
  /** Whose key it is, within the tenant. */
  readonly clientId: string;
  readonly key: string;
  /** What was asked (idempotency-key.ts). */
  readonly fingerprint: string;
  readonly status: number;
  /** JSON text, sent again as it is. */
  readonly body: string;
  readonly headers: StoredHeaders;
  readonly createdAt: number;
  /** From this instant on the key is as good as new. */
  readonly expiresAt: number;
  readonly version: number;
}

/** Headers that belong to the answer: lower-case names. */
export type StoredHeaders = Readonly<Record<string, string>>;

export const idempotencyKeysTable = defineTable<IdempotencyKeyRow>({
  name: 'idempotency_keys',
  key: ['clientId', 'key'],
  columns: {
    clientId: 'text',
    key: 'text',
    fingerprint: 'text',
    status: 'integer',
    body: 'text',
    headers: 'json',
    createdAt: 'integer',
    expiresAt: 'integer',
    version: 'integer',
  },
});
