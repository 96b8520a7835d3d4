import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';

/** A token that was given back before its time was over. */
export interface RevokedTokenRow {
  /** Its `jti`. */
  readonly id: string;
  /** When the token itself is over, and nobody has to remember it any more. */
  readonly expiresAt: Instant;
}

export const revokedTokensTable = defineTable<RevokedTokenRow>({
  name: 'revoked_tokens',
  key: ['id'],
  columns: { id: 'text', expiresAt: 'integer' },
});
