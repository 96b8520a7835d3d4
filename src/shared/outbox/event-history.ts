import { Injectable } from '@nestjs/common';
import type { Instant } from '../kernel/clock.ts';
import { Reader } from '../persistence/reader.ts';
import type { EventRow } from './event-log.ts';
import { Upcasting } from './upcasting.ts';

/** One event of a subject's history. */
export interface HistoricEvent extends Pick<
  EventRow,
  'type' | 'version' | 'subjectVersion' | 'correlationId' | 'clientId' | 'keyId'
> {
  /** In the newest version of its type, which `version` says. */
  readonly data: unknown;
  /** Its place in the log: rises with every event. */
  readonly position: number;
  readonly occurredAt: Instant;
}

type StoredRow = Omit<HistoricEvent, 'data'> & Pick<EventRow, 'payload'>;

/** `location_id IS NULL` is the condition of the one index by subject: that of events which belong to no location. */
const HISTORY = `SELECT position AS "position", type AS "type", version AS "version",
    subject_version AS "subjectVersion", payload AS "payload", occurred_at AS "occurredAt",
    correlation_id AS "correlationId", client_id AS "clientId", key_id AS "keyId"
  FROM outbox_events
  WHERE tenant_id = :tenant AND subject = :subject AND location_id IS NULL AND position > :after
  ORDER BY position LIMIT :limit`;

/** Reads the event log by subject: what happened to one aggregate. */
@Injectable()
export class EventHistory {
  constructor(
    private readonly reader: Reader,
    private readonly upcasting: Upcasting,
  ) {}

  /**
   * The events of a subject that belong to no location (those of a stock item are in its ledger), oldest first.
   * @param after only those behind this position of the log; 0: from the first
   * @param limit most events, at least 1
   */
  async of(subject: string, after: number, limit: number): Promise<HistoricEvent[]> {
    const rows = await this.reader.select<StoredRow>(HISTORY, { subject, after, limit });
    return rows.map(({ payload, ...row }) => ({
      ...row,
      ...this.upcasting.toNewest(row.type, row.version, JSON.parse(payload)),
    }));
  }
}
