import type { HoldLine } from '../../src/modules/inventory/contract.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { bySubject, comparable, Disagreement, type LoggedEvent, plain, show, witnessOf } from './explain.ts';
import { happen, type Performed } from './model.ts';
import { cancel, confirm, create, fulfil, sweep } from './reservation-rules.ts';
import { recordFact } from './stock-rules.ts';
import type { Witness, Work, World } from './world.ts';
import { isDeepStrictEqual } from 'node:util';

/** As an event of the log tells it, with where it came from. */
export interface TracedEvent extends LoggedEvent {
  readonly origin: string | null;
  readonly causationId: string | null;
}

/*
 * What no request of a client has done: facts of stores, orders of shops, the sweeper. Whether it was right to happen is
 * found out elsewhere; here, that what it says it did is all that it did.
 */

/** @returns the events at the front of the log that belong to one such act */
export function actAtFront(log: readonly TracedEvent[]): readonly TracedEvent[] {
  const [first] = log;
  if (first === undefined) return [];
  if (isFact(first)) {
    const end = log.findIndex((event, index) => index > 0 && !isAlarmOf(event, first));
    return log.slice(0, end === -1 ? log.length : end);
  }
  const end = log.findIndex((event) => event.type.startsWith('reservation.') || !isOfSameAct(event, first));
  const last = log[end];
  return log.slice(0, last !== undefined && isOfSameAct(last, first) ? end + 1 : end === -1 ? log.length : end);
}

/** Whether nobody else commits while a server works (`serial`), or it works on what was committed when it began (`snapshot`). */
export type Isolation = 'serial' | 'snapshot';

/** Where the events say that the units of a reservation are. */
export function placedBy(act: readonly TracedEvent[]): Pick<Witness, 'sourced'> {
  const placed = act.find(({ type }) => type === 'reservation.created' || type === 'reservation.updated');
  return placed === undefined ? {} : { sourced: placed.data['lines'] as Witness['sourced'] };
}

/** What the model does to do the same, wherever it is done. */
export function again(
  world: World,
  act: readonly TracedEvent[],
  at: Instant,
  isolation: Isolation,
): Omit<Performed, 'outcome'> {
  const placed = isolation === 'serial' ? {} : placedBy(act);
  return happen(world, at, { ...witnessOf(act), ...placed }, (work) => {
    doAgain(work, act);
  });
}

/** @throws Disagreement when the model, doing the same, publishes anything else */
export function follow(world: World, act: readonly TracedEvent[], at: Instant, isolation: Isolation): World {
  const performed = again(world, act, at, isolation);
  const published = bySubject(act.map(({ origin: _origin, causationId: _cause, ...event }) => comparable(event)));
  const wanted = bySubject(performed.events.map((event) => ({ ...event, version: 1 })).map(plain));
  if (!isDeepStrictEqual(published, wanted)) {
    throw new Disagreement(`This act has to publish\n${show(wanted)}\nbut published\n${show(published)}`);
  }
  return performed.world;
}

function doAgain(work: Work, act: readonly TracedEvent[]): void {
  const [first] = act;
  const last = act.at(-1);
  if (first === undefined || last === undefined) return;
  if (isFact(first)) {
    record(work, first);
    return;
  }
  const { reservationId: id, orderId, lines, cartId, locationId } = last.data as unknown as ReservationData;
  switch (last.type) {
    case 'reservation.created':
      create(work, { kind: 'create', lines: lines.map(asked), ttlSeconds: null, cartId });
      return;
    case 'reservation.confirmed':
      confirm(work, { kind: 'confirm', id, orderId, ifMatch: null });
      return;
    case 'reservation.cancelled':
      cancel(work, { kind: 'cancel', id, ifMatch: null });
      return;
    case 'reservation.expired':
      sweep(work, { kind: 'sweep', ids: [id] });
      return;
    case 'reservation.fulfilled':
      fulfil(work, { kind: 'fulfil', id, locationId, ifMatch: null }, last.origin === null ? 'command' : 'pickup');
      // One that came late has left what a later count has seen already; on-hand goes back to that.
      act.filter(isFact).forEach((event) => {
        record(work, event);
      });
      return;
    default:
      throw new Disagreement(`Nobody asked for ${show(act)}`);
  }
}

interface ReservationData {
  readonly reservationId: string;
  readonly orderId: string;
  readonly lines: readonly HoldLine[];
  readonly cartId: string | null;
  readonly locationId: string | null;
}

function asked({ sku, quantity, locationId }: HoldLine): HoldLine {
  return { sku, quantity, locationId };
}

function record(work: Work, { data }: TracedEvent): void {
  const { sku, locationId, movementType, delta, reason, reference } = data as unknown as {
    sku: string;
    locationId: string;
    movementType: string;
    delta: number;
    reason: string | null;
    reference: string | null;
  };
  recordFact(work, { sku, locationId }, { movementType, delta, reason, reference });
}

function isFact({ type, origin, data }: TracedEvent): boolean {
  return type === 'inventory.stock.moved' && origin !== null && data['movementType'] !== 'FULFILMENT';
}

function isAlarmOf({ type, subject, subjectVersion }: TracedEvent, moved: TracedEvent): boolean {
  const isAlarm = type === 'inventory.stock.oversold' || type === 'inventory.stock.low';
  return isAlarm && subject === moved.subject && subjectVersion === moved.subjectVersion;
}

function isOfSameAct(one: TracedEvent, other: TracedEvent): boolean {
  return one.correlationId === other.correlationId && one.causationId === other.causationId;
}
