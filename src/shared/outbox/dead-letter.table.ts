import type { Instant } from '../kernel/clock.ts';
import type { DeadLetterStatus } from '../kernel/dead-letter-status.ts';
import { defineTable } from '../persistence/table.ts';

/** An event that a consumer could not process within its attempts, waiting for an operator. */
export interface DeadLetterRow {
  /** UUIDv7: the order of ids is the order in which they died. */
  readonly id: string;
  /** As its producer named it. */
  readonly eventId: string;
  /** The reaction, or the kind of ingestion, that could not process it; its Replayer is found by it. */
  readonly consumer: string;
  readonly locationId: string | null;
  readonly orderId: string | null;
  /** Its number in the stream that it came from, where there is one. */
  readonly sequence: number | null;
  /** Null: it came with no type that is a text. */
  readonly type: string | null;
  /** As it came. */
  readonly data: unknown;
  /** What the last attempt failed with: the code of the refusal, or INTERNAL. */
  readonly code: string;
  /** The same in words that may be shown: no stack, no SQL. */
  readonly detail: string;
  /** Failed ones, replays included. */
  readonly attempts: number;
  readonly status: DeadLetterStatus;
  /** Why it was discarded. */
  readonly reason: string | null;
  /** What has to happen before a replay can succeed, e.g. `product/SKU-1`, so that whoever does it finds the letter. */
  readonly waitsFor: string | null;
  /** Whatever its Replayer needs besides. */
  readonly origin: Readonly<Record<string, unknown>>;
  readonly createdAt: Instant;
  readonly closedAt: Instant | null;
  readonly version: number;
}

export const deadLettersTable = defineTable<DeadLetterRow>({
  name: 'dead_letters',
  key: ['id'],
  columns: {
    id: 'text',
    eventId: 'text',
    consumer: 'text',
    locationId: 'text?',
    orderId: 'text?',
    sequence: 'integer?',
    type: 'text?',
    data: 'json?',
    code: 'text',
    detail: 'text',
    attempts: 'integer',
    status: 'text',
    reason: 'text?',
    waitsFor: 'text?',
    origin: 'json',
    createdAt: 'integer',
    closedAt: 'integer?',
    version: 'integer',
  },
  groups: { openOfEvent: { by: ['consumer', 'eventId'], where: "status = 'DEAD'" } },
});
