import type { EventRow } from './event-log.ts';
import type { Upcasting } from './upcasting.ts';

/** A row of the event log, with its place in it. */
export interface LoggedEvent extends EventRow {
  /** In commit order over all tenants, with gaps. */
  readonly position: number;
}

/** A row and the place that the database has given it. */
export function placed(row: EventRow, position: number): LoggedEvent {
  // One by one: see readEvent.
  return {
    position,
    eventId: row.eventId,
    type: row.type,
    version: row.version,
    subject: row.subject,
    subjectVersion: row.subjectVersion,
    locationId: row.locationId,
    payload: row.payload,
    occurredAt: row.occurredAt,
    correlationId: row.correlationId,
    clientId: row.clientId,
    keyId: row.keyId,
    address: row.address,
    origin: row.origin,
    causationId: row.causationId,
    traceparent: row.traceparent,
  };
}

/** An event as readers of the log see it: its data parsed, in the newest version of its type. */
export interface StoredEvent<Data = unknown> extends Omit<LoggedEvent, 'payload'> {
  readonly data: Data;
}

/** @throws Error when nobody here knows the event's type and version (see Upcasting.toNewest) */
export function readEvent(upcasting: Upcasting, logged: LoggedEvent): StoredEvent {
  const { version, data } = upcasting.toNewest(logged.type, logged.version, JSON.parse(logged.payload));
  // One by one: a rest pattern costs ten times as much, and this runs for every event of every consumer.
  return {
    position: logged.position,
    eventId: logged.eventId,
    type: logged.type,
    version,
    subject: logged.subject,
    subjectVersion: logged.subjectVersion,
    locationId: logged.locationId,
    data,
    occurredAt: logged.occurredAt,
    correlationId: logged.correlationId,
    clientId: logged.clientId,
    keyId: logged.keyId,
    address: logged.address,
    origin: logged.origin,
    causationId: logged.causationId,
    traceparent: logged.traceparent,
  };
}
