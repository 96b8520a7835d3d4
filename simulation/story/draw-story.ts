import { Chance } from '../chance.ts';
import { LOCATIONS, SKUS } from '../model/asks.ts';
import { type FaultShares, STATEMENT_FAULTS } from '../world/faults.ts';
import { drawAsk } from './draw-ask.ts';
import type { Climate, Deed, Recorded, Step, Story } from './story.ts';

/** Things that are done in one story. */
const DEEDS_PER_STORY = 200;
const DEEDS_TOGETHER_MAX = 5;

/** A product that nobody knows at first; stores sell it all the same. */
export const NEW_SKU = 'NEW';

export function drawStory(seed: number): Story {
  const chance = new Chance(seed);
  const climate = drawClimate(chance);
  const opening = SKUS.flatMap(() => LOCATIONS.map(() => chance.pick([0, 1, 3, 6, 10, 15])));
  const mayGoBack = chance.happens(0.3);
  const steps: Step[] = [];
  for (let deeds = 0; deeds < DEEDS_PER_STORY;) {
    const step = drawStep(chance, mayGoBack);
    deeds += step.step === 'together' ? step.deeds.length : 1;
    steps.push(step);
  }
  return { seed, climate, opening, steps };
}

/** Some things go wrong often in a story, most of them never: where everything fails, nothing is reached. */
function drawClimate(chance: Chance): Climate {
  const seldomOr = (often: number): number => (chance.happens(0.35) ? chance.fraction() * often : 0);
  const faults = Object.fromEntries(STATEMENT_FAULTS.map((fault) => [fault, 0])) as Record<keyof FaultShares, number>;
  for (const fault of STATEMENT_FAULTS) faults[fault] = seldomOr(OFTEN[fault]);
  return {
    isolation: chance.happens(0.5) ? 'serial' : 'snapshot',
    servers: chance.happens(0.75) ? 2 : 1,
    slownessMs: chance.pick([0, 0, 0.2, 3]),
    faults,
    network: {
      'request lost': seldomOr(0.3),
      'reply lost': seldomOr(0.4),
      twice: seldomOr(0.3),
      late: seldomOr(0.3),
    },
    handlers: { fails: seldomOr(0.4), 'fails for ever': seldomOr(0.05), 'is busy': seldomOr(0.1) },
    settings: {
      SWEEP_INTERVAL_MS: String(chance.pick([30_000, 60_000])),
      RELAY_INTERVAL_MS: '60000',
      RELAY_ATTEMPTS_MAX: String(chance.pick([1, 3, 5])),
      RELAY_BACKOFF_FIRST_MS: '1000',
      BATCH_WORKS_MAX: String(chance.pick([1, 2, 64])),
      BATCH_ATTEMPTS_MAX: String(chance.pick([2, 8])),
      SYNC_PARKED_MAX: String(chance.pick([2, 10_000])),
    },
  };
}

/** Shares of the statements at which it can strike, at most. A commit is one of some ten statements. */
const OFTEN: FaultShares = {
  'database locked at begin': 0.1,
  'database locked at commit': 0.1,
  'disk full': 0.02,
  'statement wrong': 0.02,
  'rows stale': 0.1,
  'commit lost': 0.1,
  'answer of commit lost': 0.1,
  'consumer has its turn elsewhere': 0.3,
  'server killed': 0.003,
  'server killed after commit': 0.02,
};

function drawStep(chance: Chance, mayGoBack: boolean): Step {
  const seed = chance.seed();
  switch (chance.weighted({ together: 12, wait: 2, 'wait until': 3, 'clock goes back': mayGoBack ? 1 : 0 })) {
    case 'together': {
      const many = chance.happens(0.5) ? 1 : chance.whole(2, DEEDS_TOGETHER_MAX);
      const deeds = Array.from({ length: many }, () => drawDeed(chance));
      return { step: 'together', seed, deeds, isCalm: chance.happens(0.2) };
    }
    case 'wait':
      return { step: 'wait', seed, seconds: chance.pick([1, 1, 9, 9, 31, 31, 61, 130, 700, 3_600]) };
    case 'wait until':
      return { step: 'wait until', seed, end: chance.whole(0, 60), offsetMs: chance.pick([-1, 0, 0, 1]) };
    case 'clock goes back':
      return { step: 'clock goes back', seed, seconds: chance.whole(1, 60) };
  }
}

const DEEDS: Readonly<Record<Deed['deed'], number>> = {
  ask: 48,
  'ask again': 14,
  sweep: 2,
  'store records': 14,
  'store pushes': 9,
  'store follows the centre': 2,
  'store begins a new epoch': 1,
  'shop tells of an order': 7,
  'operator closes a letter': 2,
  read: 4,
};

function drawDeed(chance: Chance): Deed {
  const seed = chance.seed();
  const number = (): number => chance.whole(0, 60);
  const deed = chance.weighted(DEEDS);
  switch (deed) {
    case 'ask':
      return { deed, seed, sending: drawSending(chance) };
    case 'ask again':
      return { deed, seed, which: number() };
    case 'sweep':
      return { deed, seed };
    case 'store records':
      return { deed, seed, store: number(), what: drawRecorded(chance) };
    case 'store pushes': {
      const how = chance.weighted({
        'in order': 6,
        disorder: 4,
        'all of it': 2,
        contradiction: 1,
        'as an older agent': 1,
      });
      return { deed, seed, store: number(), how };
    }
    case 'store follows the centre':
    case 'store begins a new epoch':
      return { deed, seed, store: number() };
    case 'shop tells of an order': {
      const events = Array.from({ length: chance.whole(1, 3) }, () => number());
      return { deed, seed, order: number(), events };
    }
    case 'operator closes a letter':
      return { deed, seed, letter: number(), how: chance.pick(['replay', 'replay', 'discard']) };
    case 'read':
      return { deed, seed, what: number() };
  }
}

function drawSending(chance: Chance): Extract<Deed, { deed: 'ask' }>['sending'] {
  switch (chance.weighted({ new: 12, again: 2, misuse: 1 })) {
    case 'new':
      return { send: 'new', what: drawAsk(chance) };
    case 'again':
      return { send: 'again', earlier: chance.whole(0, 60) };
    case 'misuse':
      return { send: 'misuse', earlier: chance.whole(0, 60), what: drawAsk(chance) };
  }
}

function drawRecorded(chance: Chance): Recorded {
  const sku = chance.pick([...SKUS, ...SKUS, ...SKUS, NEW_SKU]);
  const quantity = chance.pick([1, 1, 2, 3, 5]);
  const movement = ['sale', 'return', 'receipt', 'write-off'] as const;
  switch (chance.weighted({ sale: 8, movement: 4, adjustment: 1, count: 3, pickup: 3, nonsense: 1 })) {
    case 'sale':
      return { type: 'sale', sku, quantity };
    case 'movement':
      return { type: chance.pick(movement), sku, quantity };
    case 'adjustment':
      return { type: 'adjustment', sku, quantity: chance.pick([-2, -1, 1, 4]) };
    case 'count':
      return { type: 'count', sku, counted: chance.pick([0, 1, 2, 4, 7, 12]) };
    case 'pickup':
      return { type: 'pickup', reservation: chance.whole(0, 60) };
    case 'nonsense':
      return { type: 'nonsense' };
  }
}
