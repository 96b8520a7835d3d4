import type { JWK } from 'jose';
import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';

/** What tells a token of ours: the public part of a pair, whose private part never leaves the process that made it. */
export interface SigningKeyRow {
  /** The `kid` of the tokens that it signs. */
  readonly id: string;
  readonly publicKey: JWK;
  readonly createdAt: Instant;
  /** When the last token that it may have signed is over. */
  readonly expiresAt: Instant;
}

export const signingKeysTable = defineTable<SigningKeyRow>({
  name: 'signing_keys',
  key: ['id'],
  columns: { id: 'text', publicKey: 'json', createdAt: 'integer', expiresAt: 'integer' },
});
