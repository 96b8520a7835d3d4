import type { Instant } from '../kernel/clock.ts';

/**
 * One event as it is stored in the append-only `outbox_events` (DESIGN section 7). The tenant is added by the unit of
 * work; the position by the database, in commit order.
 */
export interface EventRow {
  /** UUIDv7. */
  readonly eventId: string;
  readonly type: string;
  readonly version: number;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly locationId: string | null;
  /** JSON text that matches the schema of its type and version. */
  readonly payload: string;
  readonly occurredAt: Instant;
  readonly correlationId: string;
  /** The caller within the tenant; `sweeper` for what time has done, `unknown` for events from before it was stored. */
  readonly clientId: string;
  /** The key that the caller sent; null: nobody was asked for one, or a job or a reaction of the server's own. */
  readonly keyId: string | null;
  /** From where the caller asked: an IPv4 or IPv6 address; null where `keyId` would be, and where nobody could tell. */
  readonly address: string | null;
  /** The location whose store reported it; null: the centre decided it. A store's feed leaves out what it reported itself. */
  readonly origin: string | null;
  /** The event that this one follows from; null when a request was the cause. */
  readonly causationId: string | null;
  /** W3C trace context of the request, where it sent one. */
  readonly traceparent: string | null;
}

/** In the order in which they are written, without tenant and position. */
export const EVENT_COLUMNS: readonly { property: keyof EventRow; name: string; type: 'text' | 'integer' }[] = [
  { property: 'eventId', name: 'event_id', type: 'text' },
  { property: 'type', name: 'type', type: 'text' },
  { property: 'version', name: 'version', type: 'integer' },
  { property: 'subject', name: 'subject', type: 'text' },
  { property: 'subjectVersion', name: 'subject_version', type: 'integer' },
  { property: 'locationId', name: 'location_id', type: 'text' },
  { property: 'payload', name: 'payload', type: 'text' },
  { property: 'occurredAt', name: 'occurred_at', type: 'integer' },
  { property: 'correlationId', name: 'correlation_id', type: 'text' },
  { property: 'clientId', name: 'client_id', type: 'text' },
  { property: 'keyId', name: 'key_id', type: 'text' },
  { property: 'address', name: 'address', type: 'text' },
  { property: 'origin', name: 'origin', type: 'text' },
  { property: 'causationId', name: 'causation_id', type: 'text' },
  { property: 'traceparent', name: 'traceparent', type: 'text' },
];
