import type { Instant } from '../../src/shared/kernel/clock.ts';
import type { Outcome, Request, Sent } from './requests.ts';
import { cancel, confirm, create, fulfil, refresh, sweep, update } from './reservation-rules.ts';
import { report } from './freshness-rules.ts';
import { count, move, putLocation, putProduct, setPolicy } from './stock-rules.ts';
import { cancelTransfer, dispatch, receive } from './transfer-rules.ts';
import { copyOf, type ExpectedEvent, Refused, type Witness, type Work, type World } from './world.ts';

/** How long the application under test keeps an answer under its key: the least that can be set. */
export const IDEMPOTENCY_KEY_HOURS = 1;

export interface Performed {
  readonly outcome: Outcome;
  /** The world afterwards; the very same one when the request was refused or replayed. */
  readonly world: World;
  readonly events: readonly ExpectedEvent[];
}

/** What DESIGN says that has to come of a request. */
export function perform(world: World, { request, key }: Sent, at: Instant, witness: Witness): Performed {
  const name = JSON.stringify(request);
  const kept = key === null ? undefined : world.answers.get(key);
  if (kept !== undefined && at < kept.expiresAt) {
    return kept.request === name
      ? { outcome: { kind: 'answer', body: kept.body, replayed: true }, world, events: [] }
      : { outcome: { kind: 'refusal', code: 'IDEMPOTENCY_KEY_REUSED', details: {} }, world, events: [] };
  }
  const work: Work = { world: copyOf(world), at, witness, events: [] };
  try {
    const body: unknown = JSON.parse(JSON.stringify(answerTo(work, request)));
    if (key !== null) {
      work.world.answers.set(key, { request: name, body, expiresAt: at + IDEMPOTENCY_KEY_HOURS * 3_600_000 });
    }
    return { outcome: { kind: 'answer', body, replayed: false }, world: work.world, events: work.events };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { outcome: { kind: 'refusal', code: error.code, details: error.details }, world, events: [] };
  }
}

/** What nobody asked for by a request: a fact that a store has told, or what a job of the server did. */
export function happen(
  world: World,
  at: Instant,
  witness: Witness,
  act: (work: Work) => void,
): Omit<Performed, 'outcome'> {
  const work: Work = { world: copyOf(world), at, witness, events: [] };
  act(work);
  return { world: work.world, events: work.events };
}

function answerTo(work: Work, request: Request): unknown {
  switch (request.kind) {
    case 'putLocation':
      return putLocation(work, request);
    case 'putProduct':
      return putProduct(work, request);
    case 'move':
      return move(work, request);
    case 'count':
      return count(work, request);
    case 'policy':
      return setPolicy(work, request);
    case 'create':
      return create(work, request);
    case 'update':
      return update(work, request);
    case 'refresh':
      return refresh(work, request);
    case 'confirm':
      return confirm(work, request);
    case 'cancel':
      return cancel(work, request);
    case 'fulfil':
      return fulfil(work, request);
    case 'dispatch':
      return dispatch(work, request);
    case 'receive':
      return receive(work, request);
    case 'cancelTransfer':
      return cancelTransfer(work, request);
    case 'report':
      return report(work, request);
    case 'sweep':
      return sweep(work, request);
  }
}
