import type { Instant } from '../../../shared/kernel/clock.ts';
import { defineTable } from '../../../shared/persistence/table.ts';

/** Which of some hundred consecutive rows of an import are applied. Stored in the commit that applies them. */
export interface ImportChunkRow {
  /** Whose Idempotency-Key it is, within the tenant. */
  readonly clientId: string;
  readonly key: string;
  /** Counts from 0. */
  readonly chunk: number;
  /** By place in the chunk: the hashes of what was applied there, see import-chunk.repository.ts. */
  readonly applied: string;
  readonly createdAt: Instant;
  /** From this instant on the rows are as good as new. */
  readonly expiresAt: Instant;
  readonly version: number;
}

export const importChunksTable = defineTable<ImportChunkRow>({
  name: 'import_chunks',
  key: ['clientId', 'key', 'chunk'],
  columns: {
    clientId: 'text',
    key: 'text',
    chunk: 'integer',
    applied: 'text',
    createdAt: 'integer',
    expiresAt: 'integer',
    version: 'integer',
  },
});
