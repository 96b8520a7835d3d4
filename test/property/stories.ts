import fc from 'fast-check';
import type { Ask, Drawn, Fulfilled, Sending } from '../../simulation/model/asks.ts';
import { LOCATIONS, SKUS } from '../../simulation/model/asks.ts';
import { type HoldLine, RECORDABLE_MOVEMENTS } from '../../src/modules/inventory/contract.ts';

/*
 * What may happen in a small shop, drawn at random. A story names things by number ("the third reservation"), because
 * it is drawn before anything has an id; run-story.ts turns the numbers into what is there at that moment.
 */

/** On average a story has half of them, each with one to five requests. */
const STEPS_MAX = 60;

/** What goes wrong below one batch of requests. */
export const FAULTS = ['none', 'answer lost', 'commit lost', 'stale events', 'stale rows', 'poison'] as const;
export type FaultName = (typeof FAULTS)[number];

export type Step =
  /** Sent at the same moment: they share a commit. */
  | { step: 'ask'; together: Sending[]; fault: FaultName }
  | { step: 'wait'; seconds: number }
  /** To the very end of something that ends, or one millisecond before or after it. */
  | { step: 'wait until'; end: Drawn; offsetMs: number }
  | { step: 'clock goes back'; seconds: number };

export interface Story {
  readonly locations: { priority: number; sellsOnline: boolean }[];
  readonly products: { lowStockThreshold: number | null; active: boolean }[];
  /** Units of every sku at every location, sku by sku. */
  readonly opening: number[];
  /** Reservations that are there from the beginning, if there is enough for them. */
  readonly carts: { lines: HoldLine[]; ttlSeconds: number | null; isPaid: boolean }[];
  readonly steps: Step[];
}

const pick = fc.nat({ max: 60 });
const mistaken = <T>(usual: fc.Arbitrary<T>, mistake: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 50, arbitrary: usual }, { weight: 1, arbitrary: fc.constant(mistake) });
const sku = mistaken<string>(fc.constantFrom(...SKUS), 'Z');
const place = mistaken<string>(fc.constantFrom(...LOCATIONS), 'L9');
const placeOrNone = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 2, arbitrary: place });
const ttlSeconds = fc.constantFrom(null, null, null, 1, 20, 60, 300, 900, 900);
const threshold = fc.constantFrom(null, null, 0, 3);
const mostly = fc.constantFrom(true, true, true, true, false);
const quantity = fc.constantFrom(1, 1, 2, 2, 3, 4, 6, 8);
const lines = fc.array(fc.record({ sku, quantity, locationId: placeOrNone }), { minLength: 1, maxLength: 3 });

const fulfilled = mistaken(
  fc.constantFrom<Fulfilled[]>('everywhere', 'at one of its places', 'at one of its places'),
  'anywhere',
);

const common = {
  keyed: fc.boolean(),
  match: fc.oneof(
    { weight: 10, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom('current' as const, 'stale' as const) },
  ),
};
const onReservation = { ...common, reservation: pick };
const onTransfer = { ...common, transfer: pick };

/** One kind of request with what it says. */
function named<Name extends Ask['ask']>(
  name: Name,
  fields: {
    [Field in Exclude<keyof Extract<Ask, { ask: Name }>, 'ask'>]: fc.Arbitrary<Extract<Ask, { ask: Name }>[Field]>;
  },
): fc.Arbitrary<Ask> {
  return fc.record({ ask: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<Ask>;
}

const item = { sku, locationId: place };
const percent = fc.constantFrom(0, 1, 33, 50, 99, 100);
const policy = fc
  .record({
    staleAfterSeconds: fc.constantFrom(1, 9, 31, 60),
    moreUntilSilent: fc.constantFrom(0, 1, 31, 600),
    staleCautionPercent: percent,
    silentCautionPercent: percent,
  })
  .map(({ moreUntilSilent, ...rest }) => ({ ...rest, silentAfterSeconds: rest.staleAfterSeconds + moreUntilSilent }));
const transferAsks = [
  {
    weight: 3,
    arbitrary: named('dispatch', {
      ...common,
      sku,
      from: place,
      onward: fc.constantFrom(1, 2),
      quantity: fc.constantFrom(1, 2, 3, 5, 8),
    }),
  },
  {
    weight: 2,
    arbitrary: named('receive', { ...onTransfer, percent: fc.constantFrom(null, null, 0, 40, 70, 100, 150) }),
  },
  { weight: 1, arbitrary: named('cancelTransfer', onTransfer) },
];
const otherAsks = [
  {
    weight: 1,
    arbitrary: named('putLocation', {
      ...common,
      locationId: place,
      priority: fc.nat({ max: 1 }),
      sellsOnline: mostly,
    }),
  },
  { weight: 1, arbitrary: named('putProduct', { ...common, sku, lowStockThreshold: threshold, active: mostly }) },
  {
    weight: 5,
    arbitrary: named('move', {
      ...common,
      ...item,
      type: fc.constantFrom(...RECORDABLE_MOVEMENTS, 'SALE' as const, 'SALE' as const),
      quantity: fc.constantFrom(-4, -1, 1, 2, 3, 5, 8, 12),
    }),
  },
  { weight: 2, arbitrary: named('count', { ...common, ...item, counted: fc.constantFrom(0, 0, 1, 2, 4, 7) }) },
  { weight: 1, arbitrary: named('policy', { ...common, ...item, safetyStock: fc.nat({ max: 3 }) }) },
  {
    weight: 8,
    arbitrary: named('create', { ...common, lines, ttlSeconds, cartId: fc.constantFrom(null, null, 'K1', 'K2') }),
  },
  { weight: 3, arbitrary: named('replace', { ...onReservation, lines, ttlSeconds }) },
  {
    weight: 5,
    arbitrary: named('adjust', {
      ...onReservation,
      line: pick,
      more: fc.constantFrom(-3, -2, -1, 0, 1, 2, 4, 8),
      to: placeOrNone,
      ttlSeconds,
    }),
  },
  {
    weight: 3,
    arbitrary: named('refresh', { ...onReservation, ttlSeconds: fc.constantFrom(null, 1, 60, 300, 900, 900) }),
  },
  { weight: 4, arbitrary: named('confirm', { ...onReservation, orderId: fc.constantFrom('O1', 'O2') }) },
  { weight: 2, arbitrary: named('cancel', onReservation) },
  { weight: 4, arbitrary: named('fulfil', { ...onReservation, where: fulfilled, place: pick }) },
  {
    weight: 4,
    arbitrary: named('report', {
      ...common,
      locationId: place,
      contactMsAgo: fc.constantFrom(null, null, 0, 999, 1_000, 45_000, -2_000),
      pushed: fc.constantFrom(null, 0, 1, 7, 8, 9),
      repeats: fc.constantFrom(false, false, true),
      restarted: fc.constantFrom(false, false, false, true),
      policy: fc.oneof(policy, fc.constant(null)),
    }),
  },
  { weight: 1, arbitrary: named('sweep', { everything: fc.boolean() }) },
];

function sendings(asks: readonly { weight: number; arbitrary: fc.Arbitrary<Ask> }[]): fc.Arbitrary<Sending> {
  const ask = fc.oneof(...asks);
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ send: fc.constant('new' as const), what: ask }) },
    { weight: 2, arbitrary: fc.record({ send: fc.constant('again' as const), earlier: pick }) },
    { weight: 1, arbitrary: fc.record({ send: fc.constant('misuse' as const), earlier: pick, what: ask }) },
  );
}

const fault = fc.oneof(
  { weight: 9, arbitrary: fc.constant('none' as const) },
  { weight: 1, arbitrary: fc.constantFrom(...FAULTS) },
);

function asking(about: Emphasis): fc.Arbitrary<Step> {
  const weightOfTransfers = about === 'transfers' ? 8 : 1;
  const sending = sendings([
    ...otherAsks,
    ...transferAsks.map((one) => ({ ...one, weight: one.weight * weightOfTransfers })),
  ]);
  const together = fc.oneof(
    { weight: 3, arbitrary: fc.array(sending, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(sending, { minLength: 2, maxLength: 5 }) },
  );
  return fc.record({ step: fc.constant('ask' as const), together, fault });
}

const waiting = fc.oneof(
  fc.record({
    step: fc.constant('wait' as const),
    seconds: fc.constantFrom(1, 1, 9, 9, 31, 31, 61, 61, 130, 700, 3600),
  }),
  fc.record({ step: fc.constant('wait until' as const), end: pick, offsetMs: fc.constantFrom(-1, 0, 0, 1) }),
);
const goingBack = fc.record({
  step: fc.constant('clock goes back' as const),
  seconds: fc.integer({ min: 1, max: 60 }),
});

/** What most requests are about. */
type Emphasis = 'everything' | 'transfers';

export interface Setting {
  readonly about: Emphasis;
  /** As a server's clock does when it is set right, by at most a minute at a time. */
  readonly clockMayGoBack: boolean;
}

export function stories({ about, clockMayGoBack }: Setting): fc.Arbitrary<Story> {
  const step = fc.oneof(
    { weight: 8, arbitrary: asking(about) },
    { weight: 2, arbitrary: waiting },
    ...(clockMayGoBack ? [{ weight: 1, arbitrary: goingBack }] : []),
  );
  const exactly = <T>(arbitrary: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> =>
    fc.array(arbitrary, { minLength: length, maxLength: length });
  return fc.record({
    locations: exactly(fc.record({ priority: fc.nat({ max: 1 }), sellsOnline: mostly }), LOCATIONS.length),
    products: exactly(fc.record({ lowStockThreshold: threshold, active: fc.constant(true) }), SKUS.length),
    opening: exactly(fc.constantFrom(0, 1, 3, 6, 10, 15), SKUS.length * LOCATIONS.length),
    carts: fc.array(fc.record({ lines, ttlSeconds, isPaid: fc.boolean() }), { maxLength: 4 }),
    steps: fc.array(step, { minLength: 1, maxLength: STEPS_MAX, size: 'max' }),
  });
}
