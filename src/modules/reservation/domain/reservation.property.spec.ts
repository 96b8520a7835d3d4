import fc from 'fast-check';
import { Value } from 'typebox/value';
import { aLine, aReservation, BUILT_AT } from '../../../../test/support/builders.ts';
import { counts } from '../../../../test/support/counts.ts';
import { type Instant, toIsoInstant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import { RESERVATION_EVENTS, type ReservationLine, type ReservationStatus } from '../contract.ts';
import type { Reservation } from './reservation.ts';

/** Short times in whole seconds, so that edges are met often. */
const TTL_SECONDS = 5;
const LIFETIME_SECONDS = 12;
const CAP_AT = BUILT_AT + LIFETIME_SECONDS * 1000;
const PLACES = ['S1', 'S2', 'S3'];

/** The rules in their plainest form. */
interface Model {
  status: ReservationStatus;
  expiresAt: Instant;
  orderId: string | null;
  /** Where it has units, and where these have left. */
  places: string[];
  left: string[];
}

interface Step {
  readonly text: string;
  /** Changes the model; answers `changed`, `same` or the code of the refusal. */
  expect(model: Model, at: Instant): string;
  run(reservation: Reservation, at: Instant): string;
}

/** Why nothing that needs an ACTIVE reservation can happen, or null. */
function inactive(model: Model, at: Instant): string | null {
  if (model.status === 'EXPIRED' || (model.status === 'ACTIVE' && at >= model.expiresAt)) return 'RESERVATION_EXPIRED';
  return model.status === 'ACTIVE' ? null : 'RESERVATION_NOT_ACTIVE';
}

function updateStep(places: string[], ttlSeconds: number | null): Step {
  return {
    text: `update to ${places.join()} for ${ttlSeconds} s`,
    expect: (model, at) => {
      const refusal = inactive(model, at);
      if (refusal !== null) return refusal;
      model.places = places;
      model.expiresAt = Math.min(at + (ttlSeconds ?? TTL_SECONDS) * 1000, CAP_AT);
      return 'changed';
    },
    run: (reservation, at) => {
      const lines = places.map((place) => aLine({ sku: `SKU-${place}`, at: place }));
      reservation.update(lines, reservation.updatedExpiry(ttlSeconds, at), at);
      return 'changed';
    },
  };
}

function refreshStep(ttlSeconds: number | null): Step {
  return {
    text: `refresh for ${ttlSeconds} s`,
    expect: (model, at) => {
      const refusal = inactive(model, at);
      if (refusal !== null) return refusal;
      const wanted = at + (ttlSeconds ?? TTL_SECONDS) * 1000;
      if (wanted > CAP_AT && model.expiresAt === CAP_AT) return 'HOLD_LIFETIME_EXCEEDED';
      model.expiresAt = Math.min(wanted, CAP_AT);
      return 'changed';
    },
    run: (reservation, at) => {
      reservation.assertActive(at);
      reservation.refresh(reservation.refreshedExpiry(ttlSeconds, at), at);
      return 'changed';
    },
  };
}

function confirmStep(orderId: string): Step {
  return {
    text: `confirm ${orderId}`,
    expect: (model, at) => {
      if (model.status === 'CONFIRMED' || model.status === 'FULFILLED') {
        return orderId === model.orderId ? 'same' : 'ALREADY_CONFIRMED';
      }
      const refusal = inactive(model, at);
      if (refusal !== null) return refusal;
      Object.assign(model, { status: 'CONFIRMED', orderId });
      return 'changed';
    },
    run: (reservation, at) => reservation.confirm(orderId, at),
  };
}

const cancelStep: Step = {
  text: 'cancel',
  expect: (model, at) => {
    if (model.status === 'CANCELLED') return 'same';
    if (inactive(model, at) === 'RESERVATION_EXPIRED') return 'RESERVATION_EXPIRED';
    if (model.left.length > 0) return 'ALREADY_FULFILLED';
    model.status = 'CANCELLED';
    return 'changed';
  },
  run: (reservation, at) => reservation.cancel(null, at),
};

function fulfilStep(place: string | null): Step {
  return {
    text: `fulfil ${place ?? 'all'}`,
    expect: (model, at) => {
      if (place !== null && !model.places.includes(place)) return 'UNKNOWN_LOCATION';
      if (inactive(model, at) === 'RESERVATION_EXPIRED') return 'RESERVATION_EXPIRED';
      if (model.status === 'ACTIVE' || model.status === 'CANCELLED') return 'RESERVATION_NOT_CONFIRMED';
      const leaving = model.places.filter((p) => (place === null || p === place) && !model.left.includes(p));
      if (leaving.length === 0) return 'same';
      model.left = [...model.left, ...leaving];
      model.status = model.left.length === model.places.length ? 'FULFILLED' : 'CONFIRMED';
      return 'changed';
    },
    run: (reservation, at) => reservation.fulfil(place, at),
  };
}

const expireStep: Step = {
  text: 'expire',
  expect: (model, at) => {
    if (model.status !== 'ACTIVE' || at < model.expiresAt) return 'same';
    model.status = 'EXPIRED';
    return 'changed';
  },
  run: (reservation, at) => (reservation.expire(at) ? 'changed' : 'same'),
};

const ttl = fc.option(fc.integer({ min: 1, max: 15 }));
const placesOf = fc.subarray(PLACES, { minLength: 1 });
const steps: fc.Arbitrary<{ step: Step; waitSeconds: number }> = fc
  .record({
    step: fc.oneof(
      { weight: 2, arbitrary: fc.tuple(placesOf, ttl).map((a) => updateStep(...a)) },
      { weight: 4, arbitrary: ttl.map(refreshStep) },
      { weight: 1, arbitrary: fc.constantFrom('O1', 'O1', 'O2').map(confirmStep) },
      { weight: 1, arbitrary: fc.constant(cancelStep) },
      { weight: 2, arbitrary: fc.option(fc.constantFrom(...PLACES)).map(fulfilStep) },
      { weight: 1, arbitrary: fc.constant(expireStep) },
    ),
    // Negative too: a clock may be set back.
    waitSeconds: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 4 })),
  })
  .map((one) => Object.assign(one, { [fc.toStringMethod]: () => `after ${one.waitSeconds} s ${one.step.text}` }));

/** Plain comparisons: Jest's `expect` takes most of the time when it is called a million times. */
function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`Broken: ${rule}`);
}

function answerOf(reservation: Reservation, step: Step, at: Instant): string {
  const before = reservation.state;
  try {
    const answer = step.run(reservation, at);
    check((answer === 'changed') === (reservation.state !== before), 'only a change changes');
    return answer;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    check(reservation.state === before && reservation.recordedEvents.length === 0, 'a refusal leaves nothing');
    return error.code;
  }
}

/** A change has one event that tells it, and what it tells is what is stored. */
function checkEvent(reservation: Reservation, at: Instant, changed: boolean): void {
  const events = reservation.takeEvents();
  check(events.length === (changed ? 1 : 0), 'one event a change');
  for (const { type, subject, subjectVersion, locationId, occurredAt, data } of events) {
    const definition = RESERVATION_EVENTS.find((known) => known.type === type);
    check(definition !== undefined && Value.Check(definition.payload, data), `${type} matches its schema`);
    check(subject === 'reservation/R-1' && subjectVersion === reservation.version, 'it names its change');
    check(locationId === null && occurredAt === at, 'it tells when');
    const told = data as { lines?: ReservationLine[]; expiresAt?: string };
    const { lines, expiresAt } = reservation.state;
    check(
      told.lines === undefined || JSON.stringify(told.lines) === JSON.stringify(lines),
      'its lines are those stored',
    );
    check(told.expiresAt === undefined || told.expiresAt === toIsoInstant(expiresAt), 'its expiry is the one stored');
  }
}

describe('Reservation, whatever happens to it', () => {
  it('answers like the model, counts its changes, and never lives beyond its expiry or its cap', () => {
    const answers = new Map<string, number>();
    fc.assert(
      fc.property(placesOf, fc.array(steps, { minLength: 1, maxLength: 14, size: 'max' }), (places, story) => {
        const lines = places.map((place) => aLine({ sku: `SKU-${place}`, at: place }));
        const times = { ttlSeconds: TTL_SECONDS, lifetimeMaxSeconds: LIFETIME_SECONDS };
        const reservation = aReservation({ lines, ...times });
        const expiresAt = BUILT_AT + TTL_SECONDS * 1000;
        const model: Model = { status: 'ACTIVE', expiresAt, orderId: null, places, left: [] };
        let at = BUILT_AT;
        for (const { step, waitSeconds } of story) {
          at += waitSeconds * 1000;
          const { version } = reservation;
          const wasOver = reservation.statusAt(at) === 'EXPIRED';
          const wanted = step.expect(model, at);
          const answer = answerOf(reservation, step, at);
          check(answer === wanted, `${step.text} has to answer ${wanted}, but did ${answer}`);
          answers.set(answer, (answers.get(answer) ?? 0) + 1);

          const { state } = reservation;
          const changed = answer === 'changed';
          check(reservation.version === version + (changed ? 1 : 0), 'a version per change');
          check(!changed || state.updatedAt === at, 'updatedAt tells the last change');
          check(state.status === model.status && state.orderId === model.orderId, 'status and order are the model’s');
          check(
            state.expiresAt === model.expiresAt && state.expiresAt <= CAP_AT,
            'the expiry is the model’s and capped',
          );
          check(state.lifetimeEndsAt === CAP_AT && state.ttlSeconds === TTL_SECONDS, 'the cap never moves');
          check(!wasOver || reservation.statusAt(at) === 'EXPIRED', 'nothing revives what is over');
          check(reservation.heldUnits === model.places.length, 'the units are those of the lines');
          const left = state.lines.flatMap(({ allocations }) => allocations.filter(({ fulfilled }) => fulfilled));
          check(left.length === model.left.length, 'what has left is the model’s');
          check((state.status === 'FULFILLED') === (left.length === model.places.length), 'FULFILLED: all has left');
          checkEvent(reservation, at, changed);
        }
      }),
      { numRuns: counts(1_500, 100_000) },
    );
    // A run that never got into the odd places would prove nothing.
    const codes = ['RESERVATION_EXPIRED', 'RESERVATION_NOT_ACTIVE', 'RESERVATION_NOT_CONFIRMED', 'ALREADY_CONFIRMED'];
    const all = [...codes, 'ALREADY_FULFILLED', 'HOLD_LIFETIME_EXCEEDED', 'UNKNOWN_LOCATION', 'changed', 'same'];
    expect(all.filter((answer) => (answers.get(answer) ?? 0) < 20)).toEqual([]);
  });
});
