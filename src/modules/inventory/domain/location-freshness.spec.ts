import { BUILT_AT } from '../../../../test/support/builders.ts';
import {
  cautionPercentAt,
  cautionUnits,
  freshnessAt,
  LocationFreshness,
  type LocationFreshnessState,
} from './location-freshness.ts';

const POLICY = { staleAfterSeconds: 10, silentAfterSeconds: 60, staleCautionPercent: 20, silentCautionPercent: 50 };

/** Pushed, and was last heard from, at BUILT_AT. */
function aStore(told: Partial<LocationFreshnessState> = {}): LocationFreshness {
  const pushed = { lastSequence: 7, asOf: BUILT_AT, lastContactAt: BUILT_AT, version: 3 };
  return LocationFreshness.of({ locationId: 'S1', ...pushed, ...POLICY, ...told });
}

describe('freshnessAt', () => {
  it.each([
    [0, 'LIVE', 0],
    [999, 'LIVE', 0],
    [1_000, 'LIVE', 1],
    [9_999, 'LIVE', 9],
    [10_000, 'STALE', 10],
    [59_999, 'STALE', 59],
    [60_000, 'SILENT', 60],
    [86_400_000, 'SILENT', 86_400],
  ] as const)('%s ms after the last contact: %s, %s whole seconds', (ms, status, lagSeconds) => {
    const { state } = aStore();
    expect(freshnessAt(state, BUILT_AT + ms)).toEqual({ status, lastSequence: 7, asOf: BUILT_AT, lagSeconds });
  });

  it('is as of the last push, however often the location was heard from since', () => {
    const store = aStore();
    store.hear(BUILT_AT + 9_000, BUILT_AT + 9_000);
    const live = { status: 'LIVE', lastSequence: 7, asOf: BUILT_AT, lagSeconds: 1 };
    expect(freshnessAt(store.state, BUILT_AT + 10_000)).toEqual(live);
  });

  it('is never younger than new, although the clock has jumped back', () => {
    expect(freshnessAt(aStore().state, BUILT_AT - 3_600_000)).toMatchObject({ status: 'LIVE', lagSeconds: 0 });
  });

  it('is DIRECT for a location that never pushed, whatever was ordered and however often it was heard from', () => {
    const direct = { status: 'DIRECT', lastSequence: null, asOf: null, lagSeconds: null };
    const store = LocationFreshness.unheard('S1');
    store.follow(POLICY);
    store.hear(BUILT_AT, BUILT_AT);
    expect(freshnessAt(store.state, BUILT_AT + 3_600_000)).toEqual(direct);
    expect(cautionPercentAt(store.state, BUILT_AT + 3_600_000)).toBe(0);
    expect(freshnessAt(undefined, BUILT_AT)).toEqual(direct);
  });

  it('is never STALE where both bounds are one', () => {
    const { state } = aStore({ silentAfterSeconds: 10 });
    expect(freshnessAt(state, BUILT_AT + 9_999).status).toBe('LIVE');
    expect(freshnessAt(state, BUILT_AT + 10_000).status).toBe('SILENT');
  });
});

describe('cautionPercentAt', () => {
  it('is the share of the status', () => {
    const { state } = aStore();
    expect([0, 9_999, 10_000, 59_999, 60_000].map((ms) => cautionPercentAt(state, BUILT_AT + ms))).toEqual([
      0, 0, 20, 20, 50,
    ]);
  });
});

describe('cautionUnits', () => {
  it.each([
    [0, 50, 0],
    [1, 0, 0],
    [1, 1, 1],
    [100, 1, 1],
    [101, 1, 2],
    [10, 20, 2],
    [11, 20, 3],
    [7, 100, 7],
    [-7, 100, 0],
    // Where 0.29 * 100 is not 29: nothing is computed in fractions.
    [100, 29, 29],
    [1_000_000_000, 57, 570_000_000],
    [999_999_999, 99, 990_000_000],
  ])('of %s on hand, %s percent: %s', (onHand, percent, units) => {
    expect(cautionUnits(onHand, percent)).toBe(units);
  });
});

describe('LocationFreshness', () => {
  it('hears, and a contact that is told late changes nothing', () => {
    const store = aStore();
    store.hear(BUILT_AT + 500, BUILT_AT + 900);
    expect(store.state).toMatchObject({ lastContactAt: BUILT_AT + 500, version: 4 });
    store.hear(BUILT_AT + 400, BUILT_AT + 900);
    expect(store.state).toMatchObject({ lastContactAt: BUILT_AT + 500, version: 4 });
  });

  it('does not believe in contacts that are still to come', () => {
    const store = aStore();
    store.hear(BUILT_AT + 60_000, BUILT_AT + 1_000);
    expect(store.state.lastContactAt).toBe(BUILT_AT + 1_000);
  });

  it('forgets a contact that a fast clock noted as soon as it hears again', () => {
    const store = aStore({ lastContactAt: BUILT_AT + 900_000 });
    store.hear(BUILT_AT + 1_000, BUILT_AT + 1_000);
    expect(store.state.lastContactAt).toBe(BUILT_AT + 1_000);
  });

  it('counts from 1 again without having pushed nothing', () => {
    const store = aStore();
    store.restart();
    expect(freshnessAt(store.state, BUILT_AT)).toEqual({
      status: 'LIVE',
      lastSequence: 0,
      asOf: BUILT_AT,
      lagSeconds: 0,
    });
    const unheard = LocationFreshness.unheard('S1');
    unheard.restart();
    expect(unheard.state).toMatchObject({ lastSequence: null, version: 0 });
  });

  it('follows a policy, and the same one again is no change', () => {
    const store = aStore();
    store.follow({ ...POLICY, silentCautionPercent: 100 });
    expect(store.state).toMatchObject({ silentCautionPercent: 100, version: 4 });
    store.follow({ ...POLICY, silentCautionPercent: 100 });
    expect(store.version).toBe(4);
  });
});
