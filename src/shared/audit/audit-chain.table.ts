import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';

/**
 * Where the chain of a tenant ends, and where what is left of it begins. It lies under its tenant; that of a tenant which
 * was erased under '*', because nothing else is left of the tenant.
 */
export interface AuditChainRow {
  /** The tenant whose chain it is. */
  readonly chain: string;
  /** The newest entry; 0: there is none so far. */
  readonly number: number;
  /** Its hash; of 0: what the chain begins with (entry-hash.ts). */
  readonly hash: string;
  /** Everything through here was kept for its time, or belonged to a tenant that was erased, and is gone. */
  readonly purgedNumber: number;
  readonly purgedHash: string;
  /** The tenant is erased: nothing is added until there is one of that id again. */
  readonly sealed: boolean;
  readonly updatedAt: Instant;
  readonly version: number;
}

export const auditChainsTable = defineTable<AuditChainRow>({
  name: 'audit_chains',
  key: ['chain'],
  columns: {
    chain: 'text',
    number: 'integer',
    hash: 'text',
    purgedNumber: 'integer',
    purgedHash: 'text',
    sealed: 'boolean',
    updatedAt: 'integer',
    version: 'integer',
  },
});
