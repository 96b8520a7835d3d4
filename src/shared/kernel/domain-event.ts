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

/** Turns the payload of one version of an event into that of the next. Pure: it sees nothing but the payload. */
export interface Upcaster {
  readonly type: string;
  readonly fromVersion: number;
  readonly upcast: (data: unknown) => unknown;
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

/**
 * The step from one version of an event to the next.
 * @throws Error when the two are not neighbouring versions of one type
 */
export function defineUpcaster<From extends TSchema, To extends TSchema>(
  from: EventDefinition<From>,
  to: EventDefinition<To>,
  upcast: (data: Static<From>) => Static<To>,
): Upcaster {
  if (from.type !== to.type || to.version !== from.version + 1) {
    throw new Error(`${to.type} version ${to.version} does not follow ${from.type} version ${from.version}`);
  }
  return { type: from.type, fromVersion: from.version, upcast: upcast as (data: unknown) => unknown };
}

/** The payload's type of a definition: `PayloadOf<typeof StockHeld>`. */
export type PayloadOf<Definition> = Definition extends EventDefinition<infer Payload> ? Static<Payload> : never;
