import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import { bySubject, comparable, Disagreement, plain, type Seen, show, witnessOf } from './explain.ts';
import { perform, type Performed } from './model.ts';
import type { Outcome, Sent } from './requests.ts';
import { actAtFront, follow, type Isolation, placedBy, type TracedEvent } from './observed.ts';
import type { World } from './world.ts';

/** Places in the order that are tried before giving up. */
const TRIES_MAX = 4_000;

/**
 * Finds an order of requests, and of what happened besides them, in which the model, doing one after the other, answers as
 * the servers did and publishes what stands in the log, as it stands there.
 * @param seen in the order in which they were answered, which nearly always is the right one
 * @param keptFor the answer that is kept for a request that nobody got an answer to: it was carried out then
 * @param isolation `snapshot`: where units are held may have been decided on stock of a moment ago
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
  let tries = 0;
  let nearest = { depth: -1, reason: 'nothing was tried' };
  const goOn = (before: World, rest: readonly Seen[], front: number): World | undefined => {
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
      const next = answerAs(before, one, own, at, keptFor(one), isolation);
      if (typeof next === 'string') {
        fail(next);
        continue;
      }
      const after = goOn(next.world, others(), front + own.length);
      if (after !== undefined) return after;
    }
    return observe(before, rest, front, fail);
  };
  const observe = (
    before: World,
    rest: readonly Seen[],
    front: number,
    fail: (reason: string) => void,
  ): World | undefined => {
    const next = log[front];
    if (next === undefined || rest.some((one) => isOwn(one, next))) return undefined;
    const act = actAtFront(log.slice(front));
    try {
      return goOn(follow(before, act, at, isolation), rest, front + act.length);
    } catch (error) {
      fail(error instanceof Error ? `${error.message}\nin ${show(act)}` : String(error));
      return undefined;
    }
  };
  const after = goOn(world, seen, 0);
  if (after === undefined) throw new Disagreement(nearest.reason);
  return after;
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
