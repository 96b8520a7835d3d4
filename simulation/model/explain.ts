import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { perform } from './model.ts';
import type { Outcome, Sent } from './requests.ts';
import type { ExpectedEvent, Witness, World } from './world.ts';

/** A row of the event log. */
export interface LoggedEvent {
  readonly position: number;
  readonly type: string;
  readonly version: number;
  readonly subject: string;
  readonly subjectVersion: number;
  readonly locationId: string | null;
  readonly occurredAt: Instant;
  readonly correlationId: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Seen {
  readonly sent: Sent;
  readonly outcome: Outcome;
}

/** The application did what the model does not. */
export class Disagreement extends Error {}

/** Orders of one batch that are tried before giving up; more than this only a batch that is wrong anyway needs. */
const ORDERS_MAX = 1_000;

/**
 * Finds an order in which the model, doing one request after the other, answers as the application did and publishes the
 * events that stand in the log, in the order in which they stand there.
 * @param unavailableWasDone what the fault below the batch means for those who were told 503
 * @returns the world afterwards
 * @throws Disagreement when there is no such order
 */
export function explain(
  world: World,
  seen: readonly Seen[],
  log: readonly LoggedEvent[],
  at: Instant,
  unavailableWasDone: boolean,
): World {
  let orders = 0;
  let nearest = { depth: -1, reason: 'nothing was tried' };
  const goOn = (before: World, rest: readonly Seen[], restOfLog: readonly LoggedEvent[]): World | undefined => {
    const giveUp = (reason: string): void => {
      orders += 1;
      const depth = seen.length - rest.length;
      if (depth > nearest.depth) nearest = { depth, reason };
    };
    if (rest.length === 0) {
      if (restOfLog.length === 0) return before;
      giveUp(`nobody asked for these events: ${show(restOfLog)}`);
    }
    for (const one of rest) {
      if (orders > ORDERS_MAX) return undefined;
      const own = restOfLog.filter(({ correlationId }) => correlationId === one.sent.correlationId);
      if (own.some((event, index) => event !== restOfLog[index])) continue;
      const wasDone = one.outcome.kind !== 'unavailable' || unavailableWasDone;
      const next = wasDone ? follow(before, one, own, at) : { world: before };
      if (typeof next === 'string') {
        giveUp(next);
        continue;
      }
      const others = rest.filter((other) => other !== one);
      const after = goOn(next.world, others, restOfLog.slice(own.length));
      if (after !== undefined) return after;
    }
    return undefined;
  };
  const after = goOn(world, seen, log);
  if (after === undefined) throw new Disagreement(nearest.reason);
  return after;
}

/** One request: what the model says, or in words where the application differs. */
function follow(
  world: World,
  { sent, outcome }: Seen,
  own: readonly LoggedEvent[],
  at: Instant,
): { world: World } | string {
  const expected = perform(world, sent, at, witnessOf(own));
  if (outcome.kind !== 'unavailable' && !isDeepStrictEqual(outcome, expected.outcome)) {
    return `${sent.correlationId} has to come to\n${show(expected.outcome)}\nbut came to\n${show(outcome)}`;
  }
  const published = bySubject(own.map(comparable));
  const wanted = bySubject(expected.events.map((event) => ({ ...event, version: 1 })).map(plain));
  if (!isDeepStrictEqual(published, wanted)) {
    return `${sent.correlationId} has to publish\n${show(wanted)}\nbut published\n${show(published)}`;
  }
  return expected;
}

/** What only the application could choose. An id that is not there shows in the comparison that follows. */
export function witnessOf(own: readonly LoggedEvent[]): Witness {
  const idIn = (type: string, member: string): string => {
    const id = own.find((event) => event.type === type)?.data[member];
    return typeof id === 'string' ? id : `no ${member}`;
  };
  return {
    reservationId: idIn('reservation.created', 'reservationId'),
    movementId: idIn('inventory.stock.moved', 'movementId'),
    transferId: idIn('inventory.transfer.dispatched', 'transferId'),
  };
}

export type Comparable = ExpectedEvent & { readonly version: number };

export function comparable({
  position: _position,
  correlationId: _correlation,
  data,
  ...event
}: LoggedEvent): Comparable {
  const { movementId: _movement, ...rest } = data;
  return { ...event, data: rest };
}

/** In which order one change touches different aggregates is its own affair. */
export function bySubject<Event extends { subject: string }>(events: readonly Event[]): Event[] {
  return [...events].sort((a, b) => (a.subject < b.subject ? -1 : Number(a.subject > b.subject)));
}

export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export function show(value: unknown): string {
  return JSON.stringify(value);
}
