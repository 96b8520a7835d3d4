import type { Static, TSchema } from 'typebox';
import type { Instant } from './clock.ts';

/** One type of event in one version: its name and the JSON Schema (draft 2020-12) that each payload has to match. */
export interface EventDefinition<Payload extends TSchema = TSchema> {
  /** `<module>.<aggregate>.<what happened>` */
  readonly type: string;
  /** Counts from 1; only additions are made within a version. */
  readonly version: number;
  readonly payload: Payload;
}

/** A fact that a module publishes, as its aggregate records it. The outbox adds who, when stored and where in the log. */
export interface DomainEvent<Data = unknown> {
  readonly type: string;
  readonly version: number;
  /** The aggregate that it happened to, e.g. `stock/SKU-1/S1` or `reservation/<id>`. */
  readonly subject: string;
  /** The aggregate's version after the change. */
  readonly subjectVersion: number;
  /** The location where there is one, for feeds by location. */
  readonly locationId: string | null;
  readonly data: Data;
  readonly occurredAt: Instant;
}

export function defineEvent<Payload extends TSchema>(
  type: string,
  version: number,
  payload: Payload,
): EventDefinition<Payload> {
  return { type, version, payload };
}

/** The payload's type of a definition: `PayloadOf<typeof StockHeld>`. */
export type PayloadOf<Definition> = Definition extends EventDefinition<infer Payload> ? Static<Payload> : never;
