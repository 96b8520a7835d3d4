import { defineTable } from '../../../shared/persistence/table.ts';
import type { MovementEntry } from '../domain/stock-item.ts';

/** A line of the ledger: written once, never changed. */
export interface MovementRow extends MovementEntry {
  readonly correlationId: string;
  /** The caller within the tenant; `unknown` in rows from before it was stored. */
  readonly clientId: string;
  /** The key that the caller sent; null: nobody was asked for one, or a job or a reaction of the server's own. */
  readonly keyId: string | null;
  /** The location whose store reported it; null: the centre decided it. */
  readonly origin: string | null;
  /** Which of the store's reports it was; null where `origin` is, and in what stores reported before it was kept. */
  readonly originEpoch: number | null;
  readonly originSequence: number | null;
}

export const movementsTable = defineTable<MovementRow>({
  name: 'movements',
  key: ['sku', 'locationId', 'itemVersion'],
  columns: {
    sku: 'text',
    locationId: 'text',
    itemVersion: 'integer',
    movementId: 'text',
    type: 'text',
    delta: 'integer',
    onHandAfter: 'integer',
    reason: 'text?',
    reference: 'text?',
    occurredAt: 'integer',
    correlationId: 'text',
    clientId: 'text',
    keyId: 'text?',
    origin: 'text?',
    originEpoch: 'integer?',
    originSequence: 'integer?',
  },
});
