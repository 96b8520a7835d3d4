import { defineTable } from '../../../shared/persistence/table.ts';
import type { TillEventType } from '../contract.ts';

/** A fact as it was recorded, and what the centre said of it. Its sequence follows from its position (domain/stream.ts). */
export interface TillEventRow {
  /** UUIDv7, for ever, in whatever epoch it is sent. */
  readonly id: string;
  readonly position: number;
  readonly type: TillEventType;
  /** Null for a pickup, which may be of several. */
  readonly sku: string | null;
  /** As it is sent. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What the till noted with it; of a count, whose data have no place for it, it stays here. */
  readonly reference: string | null;
  /** What it changed on the shelf, signed. */
  readonly delta: number;
  /** A count that is not sent before it has a cursor. */
  readonly awaitsCursor: boolean;
  readonly occurredAt: number;
  /** Null: applied, or not told yet. */
  readonly outcome: 'dead' | 'conflict' | null;
  readonly code: string | null;
  readonly version: number;
}

export const tillEventsTable = defineTable<TillEventRow>({
  name: 'till_events',
  key: ['id'],
  columns: {
    id: 'text',
    position: 'integer',
    type: 'text',
    sku: 'text?',
    data: 'json',
    reference: 'text?',
    delta: 'integer',
    awaitsCursor: 'boolean',
    occurredAt: 'integer',
    outcome: 'text?',
    code: 'text?',
    version: 'integer',
  },
});

/** That the customer of a reservation has been here. */
export interface PickupRow {
  readonly reservationId: string;
  readonly eventId: string;
  readonly position: number;
  /** The centre could not apply it: it was not confirmed. It may be picked up again. */
  readonly isDead: boolean;
  readonly updatedAt: number;
  readonly version: number;
}

export const pickupsTable = defineTable<PickupRow>({
  name: 'till_pickups',
  key: ['reservationId'],
  columns: {
    reservationId: 'text',
    eventId: 'text',
    position: 'integer',
    isDead: 'boolean',
    updatedAt: 'integer',
    version: 'integer',
  },
});
