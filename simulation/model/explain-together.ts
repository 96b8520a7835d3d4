import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { bySubject, comparable, Disagreement, plain, type Seen, show, witnessOf } from './explain.ts';
import { perform, type Performed } from './model.ts';
import type { Outcome, Sent } from './requests.ts';
import { actAtFront, again, follow, type Isolation, placedBy, type TracedEvent } from './observed.ts';
import { Refused, type World } from './world.ts';

/** Places in the order that are tried before giving up. */
const TRIES_MAX = 4_000;
/** Of the acts of one step, so many at most are looked at in all their combinations. */
const ACTS_COMBINED_MAX = 10;

/** What a request, or something besides them, has done; done to any world. */
type Act = (world: World) => World;

/** One order in which everything may have been done. */
interface Order {
  readonly world: World;
  readonly acts: readonly Act[];
}

/**
 * Finds an order of requests, and of what happened besides them, in which the model, doing one after the other, answers as
 * the servers did and publishes what stands in the log, as it stands there.
 * @param seen in the order in which they were answered, which nearly always is the right one
 * @param keptFor the answer that is kept for a request that nobody got an answer to: it was carried out then
 * @param isolation `snapshot`: where units are held, or that there were too few, may have been decided on stock of a moment ago
 * @throws Disagreement when there is no such order
 */
export function explainTogether(
  world: World,
  seen: readonly Seen[],
  log: readonly TracedEvent[],
  at: Instant,
  keptFor: (one: Seen) => object | undefined,
  isolation: Isolation,
): World {
  const orderOf = (some: readonly Seen[]): Order | Disagreement =>
    findOrder(world, some, log, { at, keptFor, isolation });
  const order = orderOf(seen);
  if (!(order instanceof Disagreement)) return order.world;
  const short = isolation === 'serial' ? [] : seen.filter(isShort);
  if (short.length === 0) throw order;
  const without = orderOf(seen.filter((one) => !short.includes(one)));
  if (without instanceof Disagreement) throw order;
  if (!short.every((one) => wasShortOfAMomentAgo(world, without.acts, one, at))) throw order;
  return without.world;
}

/** What is the same for all orders of a step. */
interface Circumstances {
  readonly at: Instant;
  readonly keptFor: (one: Seen) => object | undefined;
  readonly isolation: Isolation;
}

function findOrder(
  world: World,
  seen: readonly Seen[],
  log: readonly TracedEvent[],
  { at, keptFor, isolation }: Circumstances,
): Order | Disagreement {
  let tries = 0;
  let nearest = { depth: -1, reason: 'nothing was tried' };
  const goOn = (before: Order, rest: readonly Seen[], front: number): Order | undefined => {
    tries += 1;
    if (rest.length === 0 && front === log.length) return before;
    if (tries > TRIES_MAX) return undefined;
    const fail = (reason: string): void => {
      const depth = seen.length - rest.length + front;
      if (depth > nearest.depth) nearest = { depth, reason };
    };
    for (const one of rest) {
      const own = ownEvents(one, log, front);
      if (own === undefined) continue;
      const others = (): Seen[] => rest.filter((other) => other !== one);
      const next = answerAs(before.world, one, own, at, keptFor(one), isolation);
      if (typeof next === 'string') {
        fail(next);
        continue;
      }
      const act: Act = (earlier) => perform(earlier, one.sent, at, witnessOf(own)).world;
      const after = goOn({ world: next.world, acts: [...before.acts, act] }, others(), front + own.length);
      if (after !== undefined) return after;
    }
    return observe(before, rest, front, fail);
  };
  const observe = (
    before: Order,
    rest: readonly Seen[],
    front: number,
    fail: (reason: string) => void,
  ): Order | undefined => {
    const next = log[front];
    if (next === undefined || rest.some((one) => isOwn(one, next))) return undefined;
    const events = actAtFront(log.slice(front));
    try {
      const act: Act = (earlier) => again(earlier, events, at, isolation).world;
      const after = { world: follow(before.world, events, at, isolation), acts: [...before.acts, act] };
      return goOn(after, rest, front + events.length);
    } catch (error) {
      fail(error instanceof Error ? `${error.message}\nin ${show(events)}` : String(error));
      return undefined;
    }
  };
  return goOn({ world, acts: [] }, seen, 0) ?? new Disagreement(nearest.reason);
}

function isShort({ outcome }: Seen): boolean {
  return outcome.kind === 'refusal' && outcome.code === 'INSUFFICIENT_STOCK';
}

/**
 * A batch sees the database as it was when it began, and what it has done itself. What it refuses changes nothing, so nothing
 * makes it run again when another server has moved stock meanwhile: the answer is as of a moment ago, of which there may be no
 * moment in the log.
 * @param acts all that was done in this step, in order
 */
function wasShortOfAMomentAgo(world: World, acts: readonly Act[], one: Seen, at: Instant): boolean {
  if (acts.length > ACTS_COMBINED_MAX) return false;
  for (let chosen = 0; chosen < 2 ** acts.length; chosen += 1) {
    try {
      const then = acts.reduce((earlier, act, n) => ((chosen & (2 ** n)) === 0 ? earlier : act(earlier)), world);
      const expected = perform(then, one.sent, at, witnessOf([]));
      if (typeof answerFrom(expected, one.sent, one.outcome, [], undefined) !== 'string') return true;
    } catch (error) {
      // Some cannot be done without those that were left out.
      if (!(error instanceof Disagreement || error instanceof Refused)) throw error;
    }
  }
  return false;
}

function isOwn({ sent }: Seen, { correlationId, causationId }: TracedEvent): boolean {
  return causationId === null && correlationId === sent.correlationId;
}

/** @returns the events of a request when they stand at the front; undefined when others come first */
function ownEvents(one: Seen, log: readonly TracedEvent[], front: number): readonly TracedEvent[] | undefined {
  const own = log.filter((event) => isOwn(one, event));
  return own.every((event, index) => event === log[front + index]) ? own : undefined;
}

function answerAs(
  world: World,
  { sent, outcome }: Seen,
  own: readonly TracedEvent[],
  at: Instant,
  kept: object | undefined,
  isolation: Isolation,
): { world: World } | string {
  if (outcome.kind === 'unavailable' && own.length === 0 && kept === undefined) return { world };
  const { sourced } = placedBy(own);
  const asDecided = answerFrom(perform(world, sent, at, witnessOf(own)), sent, outcome, own, kept);
  if (typeof asDecided !== 'string' || isolation === 'serial' || sourced === undefined) return asDecided;
  // The units were looked for while others were at it, and are held where there were enough of them.
  return answerFrom(perform(world, sent, at, { ...witnessOf(own), sourced }), sent, outcome, own, kept);
}

function answerFrom(
  expected: Performed,
  sent: Sent,
  outcome: Outcome,
  own: readonly TracedEvent[],
  kept: object | undefined,
): { world: World } | string {
  if (outcome.kind !== 'unavailable' && !isDeepStrictEqual(withoutAge(outcome), withoutAge(expected.outcome))) {
    return `${sent.correlationId} has to come to\n${show(expected.outcome)}\nbut came to\n${show(outcome)}`;
  }
  // Of what changed nothing only its answer tells when it was done. Under a key of another request it was refused.
  if (outcome.kind === 'unavailable' && kept !== undefined && expected.outcome.kind === 'answer') {
    const body = expected.outcome.body as object;
    if (!isDeepStrictEqual(withoutAge(kept), withoutAge(body))) {
      return `${sent.correlationId} has to keep\n${show(body)}\nbut keeps\n${show(kept)}`;
    }
  }
  const published = bySubject(own.map(({ origin: _origin, causationId: _cause, ...event }) => comparable(event)));
  const wanted = bySubject(expected.events.map((event) => ({ ...event, version: 1 })).map(plain));
  if (!isDeepStrictEqual(published, wanted)) {
    return `${sent.correlationId} has to publish\n${show(wanted)}\nbut published\n${show(published)}`;
  }
  return expected;
}

/** How fresh a location is has a property suite of its own; here stores push all the time, and the model does not follow it. */
function withoutAge(value: object): unknown {
  return JSON.parse(JSON.stringify(value, (name, member: unknown) => (name === 'freshness' ? undefined : member)));
}
