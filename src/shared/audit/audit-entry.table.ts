import type { Instant } from '../kernel/clock.ts';
import { defineTable } from '../persistence/table.ts';

/** An event of the log, kept for years and chained to the one before it (docs/audit.md). Written once, never changed. */
export interface AuditEntryRow {
  /** Counts from 1 within the tenant, without holes. */
  readonly number: number;
  /** Of the event, in the log. */
  readonly position: number;
  readonly eventId: string;
  readonly occurredAt: Instant;
  /** Who: the key that was sent; null: nobody was asked for one, or a job or a reaction did it. */
  readonly keyId: string | null;
  readonly clientId: string;
  /** From where. */
  readonly address: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
  /** The location whose store reported it. */
  readonly origin: string | null;
  /** What: the type of the event, and its version. */
  readonly action: string;
  readonly version: number;
  readonly subject: string;
  readonly subjectVersion: number;
  /** The payload of the event as the log has it: JSON text. */
  readonly data: string;
  /** SHA-256 over all of the above, the tenant and the hash of the entry before: 64 hexadecimal digits. */
  readonly hash: string;
}

export const auditEntriesTable = defineTable<AuditEntryRow>({
  name: 'audit_entries',
  key: ['number'],
  columns: {
    number: 'integer',
    position: 'integer',
    eventId: 'text',
    occurredAt: 'integer',
    keyId: 'text?',
    clientId: 'text',
    address: 'text?',
    correlationId: 'text',
    causationId: 'text?',
    origin: 'text?',
    action: 'text',
    version: 'integer',
    subject: 'text',
    subjectVersion: 'integer',
    data: 'text',
    hash: 'text',
  },
});
