import fc from 'fast-check';
import { counts } from '../../../../test/support/counts.ts';
import type { Allocation, HoldLine, SourcedLine } from '../contract.ts';
import { mergeLines, planSourcing, type SourcingPlan, type StockSight } from './sourcing.ts';

/** Small worlds, so that every way to serve the lines can be tried; many of them, so that the odd ones occur. */
const RUNS = counts(500, 50_000);
const SKUS = ['A', 'B'];
const LOCATIONS = ['S1', 'S2', 'S3'];

interface World {
  readonly sights: readonly StockSight[];
  readonly inactive: readonly string[];
}

function worlds(ownMax: number): fc.Arbitrary<World> {
  const location = fc.record({ priority: fc.integer({ min: 0, max: 1 }), sellsOnline: fc.boolean() });
  const stock = fc
    .record({
      available: fc.integer({ min: -2, max: 4 }),
      own: fc.nat({ max: ownMax }),
      asked: fc.nat({ max: ownMax }),
    })
    .map(({ available, own, asked }) => ({ available, own, ownOpen: Math.max(0, own - asked) }));
  return fc
    .record({
      locations: fc.array(location, { minLength: 3, maxLength: 3 }),
      stocks: fc.array(stock, { minLength: 6, maxLength: 6 }),
      inactive: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(SKUS)),
    })
    .map(({ locations, stocks, inactive }) => ({
      inactive,
      sights: stocks.map((stockThere, index) => ({
        sku: SKUS[Math.floor(index / 3)]!,
        locationId: LOCATIONS[index % 3]!,
        ...locations[index % 3]!,
        ...stockThere,
      })),
    }));
}

const wantedLines: fc.Arbitrary<HoldLine[]> = fc
  .array(
    fc.record({
      sku: fc.constantFrom(...SKUS),
      quantity: fc.integer({ min: 1, max: 4 }),
      locationId: fc.oneof(fc.constant(null), fc.constantFrom(...LOCATIONS)),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map(mergeLines);

function planIn({ sights, inactive }: World, lines: readonly HoldLine[]): SourcingPlan {
  return planSourcing({ lines, sights, takesNewHolds: (sku) => !inactive.includes(sku) });
}

/** What the hold could newly get at a place. */
function fresh({ sku, available }: StockSight, { inactive }: World): number {
  return inactive.includes(sku) ? 0 : Math.max(0, available);
}

/**
 * The most that an open line could have where nothing is sold online: new units come from elsewhere; its own, and those
 * that the asked line has no use for, may stay anywhere.
 */
function mayStay({ own, ownOpen }: StockSight, askedHere: number): number {
  return ownOpen + Math.max(0, own - ownOpen - askedHere);
}

/**
 * Tries every way to place the units of one sku, straight from the rules.
 * @returns the least number of units that have to move, or null when there is no way
 */
function leastMoves(sku: string, lines: readonly HoldLine[], world: World): number | null {
  const ofSku = lines.filter((line) => line.sku === sku);
  const sights = world.sights.filter((sight) => sight.sku === sku);
  const askedAt = (locationId: string): number => ofSku.find((line) => line.locationId === locationId)?.quantity ?? 0;
  const wantedOpen = ofSku.find(({ locationId }) => locationId === null)?.quantity ?? 0;

  const least = (index: number, missing: number): number | null => {
    const sight = sights[index];
    if (sight === undefined) return missing === 0 ? 0 : null;
    let best: number | null = null;
    for (let taken = 0; taken <= missing; taken += 1) {
      const total = askedAt(sight.locationId) + taken;
      if (total > sight.own + fresh(sight, world)) break;
      if (!sight.sellsOnline && taken > mayStay(sight, askedAt(sight.locationId))) break;
      const rest = least(index + 1, missing - taken);
      if (rest !== null) best = Math.min(best ?? Infinity, rest + Math.abs(total - sight.own));
    }
    return best;
  };
  return least(0, wantedOpen);
}

/** The world after the plan was carried out: the hold has its lines, and others see less or more. */
function after(world: World, done: Extract<SourcingPlan, { kind: 'plan' }>): World {
  const sights = world.sights.map((sight) => {
    const delta = done.changes.find((c) => c.sku === sight.sku && c.locationId === sight.locationId)?.delta ?? 0;
    return { ...sight, available: sight.available - delta };
  });
  return holding({ ...world, sights }, done.lines);
}

/** What the lines have at each place. */
function held(lines: readonly SourcedLine[]): Record<string, number> {
  const units: Record<string, number> = {};
  for (const { sku, allocations } of lines) {
    for (const { locationId, quantity } of allocations) {
      units[`${sku}@${locationId}`] = (units[`${sku}@${locationId}`] ?? 0) + quantity;
    }
  }
  return units;
}

/** Another world, in which the hold has these lines. */
function holding({ sights, inactive }: World, lines: readonly SourcedLine[]): World {
  const [all, open] = [held(lines), held(lines.filter(({ locationId }) => locationId === null))];
  return {
    inactive,
    sights: sights.map((sight) => {
      const place = `${sight.sku}@${sight.locationId}`;
      return { ...sight, own: all[place] ?? 0, ownOpen: open[place] ?? 0 };
    }),
  };
}

/** Jest's `expect` takes most of the time when it is called for every line of every world. */
function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`Broken: ${rule}`);
}

describe('planSourcing, whatever the stock and the lines', () => {
  it('finds a plan exactly when there is one, and one that moves as few units as possible', () => {
    fc.assert(
      fc.property(worlds(3), wantedLines, (world, lines) => {
        const least = SKUS.map((sku) => leastMoves(sku, lines, world));
        const result = planIn(world, lines);
        expect(result.kind).toBe(least.includes(null) ? 'short' : 'plan');
        if (result.kind === 'short') return;
        SKUS.forEach((sku, index) => {
          const moved = result.changes.filter((change) => change.sku === sku);
          expect(moved.reduce((sum, { delta }) => sum + Math.abs(delta), 0)).toBe(least[index]);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('allots every line its quantity, at the asked location, by no more than what is available', () => {
    fc.assert(
      fc.property(worlds(3), wantedLines, (world, lines) => {
        const result = planIn(world, lines);
        fc.pre(result.kind === 'plan');
        const summed = (allocations: readonly Allocation[]): number =>
          allocations.reduce((sum, { quantity }) => sum + quantity, 0);
        result.lines.forEach(({ sku, quantity, locationId, allocations }, index) => {
          const line = lines[index];
          check(line?.sku === sku && line.quantity === quantity && line.locationId === locationId, 'same lines');
          check(summed(allocations) === quantity, 'allocations add up');
          check(
            allocations.every((one) => one.quantity > 0),
            'no empty allocation',
          );
          check(locationId === null || allocations.every((one) => one.locationId === locationId), 'as asked');
        });
        const units = held(result.lines);
        for (const sight of world.sights) {
          const { sku, locationId, own, sellsOnline } = sight;
          const total = units[`${sku}@${locationId}`] ?? 0;
          const changed = result.changes.filter((c) => c.sku === sku && c.locationId === locationId);
          check(changed.length === (total === own ? 0 : 1), 'one change where something changes');
          check((changed[0]?.delta ?? 0) === total - own, 'changes lead from own units to the allocations');
          check(total - own <= fresh(sight, world), 'no more than is available');
          const askedHere = lines.find((line) => line.sku === sku && line.locationId === locationId)?.quantity ?? 0;
          const stays = sellsOnline || total - askedHere <= mayStay(sight, askedHere);
          check(stays, 'an open line gets nothing new where nothing is sold online');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('changes nothing for the lines that the hold has, however stock, shops and products changed since', () => {
    fc.assert(
      fc.property(worlds(0), wantedLines, worlds(0), (world, lines, later) => {
        const first = planIn(world, lines);
        fc.pre(first.kind === 'plan');
        expect(planIn(holding(later, first.lines), lines)).toEqual({ kind: 'plan', lines: first.lines, changes: [] });
      }),
      { numRuns: RUNS },
    );
  });

  it('lets every line that stays as it is keep its units when lines come for which there is room', () => {
    const more = wantedLines.map((lines) => lines.filter(({ locationId }) => locationId !== null));
    fc.assert(
      fc.property(worlds(0), wantedLines, worlds(0), more, (world, lines, later, added) => {
        const first = planIn(world, lines);
        fc.pre(first.kind === 'plan');
        const now = holding(later, first.lines);
        const isNew = ({ sku, locationId }: HoldLine): boolean =>
          lines.every((line) => line.sku !== sku || line.locationId !== locationId);
        const fitting = added.filter((line) => {
          const sight = now.sights.find(({ sku, locationId }) => sku === line.sku && locationId === line.locationId);
          return isNew(line) && sight !== undefined && line.quantity <= fresh(sight, now);
        });
        fc.pre(fitting.length > 0);
        const grown = planIn(now, [...lines, ...fitting]);
        check(grown.kind === 'plan', 'there is room');
        if (grown.kind === 'plan') expect(grown.lines.slice(0, lines.length)).toEqual(first.lines);
      }),
      { numRuns: RUNS },
    );
  });

  it('never refuses to shrink', () => {
    fc.assert(
      fc.property(worlds(0), wantedLines, worlds(0), fc.integer({ min: 1, max: 3 }), (world, lines, later, less) => {
        const first = planIn(world, lines);
        fc.pre(first.kind === 'plan');
        const fewer = lines.map((line) => ({ ...line, quantity: Math.max(1, line.quantity - less) }));
        const shrunk = planIn(holding(later, first.lines), fewer);
        expect(shrunk.kind).toBe('plan');
        if (shrunk.kind === 'plan') expect(shrunk.changes.every(({ delta }) => delta < 0)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('lets no place gain while another loses, unless an asked line forces it', () => {
    fc.assert(
      fc.property(worlds(3), wantedLines, (world, lines) => {
        const result = planIn(world, lines);
        fc.pre(result.kind === 'plan');
        for (const sku of SKUS) {
          const moved = result.changes.filter((change) => change.sku === sku);
          if (!moved.some(({ delta }) => delta < 0)) continue;
          for (const { locationId, delta } of moved.filter((change) => change.delta > 0)) {
            const own = world.sights.find((s) => s.sku === sku && s.locationId === locationId)?.own ?? 0;
            const askedHere = lines.find((line) => line.sku === sku && line.locationId === locationId)?.quantity ?? 0;
            expect(delta).toBe(askedHere - own);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('answers alike in whatever order the sights and the lines come', () => {
    const shuffled = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length });
    const cases = fc.tuple(worlds(3), wantedLines).chain(([world, lines]) =>
      fc.record({
        world: fc.constant(world),
        lines: fc.constant(lines),
        sights: shuffled(world.sights),
        otherLines: shuffled(lines),
      }),
    );
    fc.assert(
      fc.property(cases, ({ world, lines, sights, otherLines }) => {
        const result = planIn(world, lines);
        expect(planIn({ ...world, sights }, lines)).toEqual(result);
        const other = planIn(world, otherLines);
        expect(other.kind).toBe(result.kind);
        if (result.kind === 'plan' && other.kind === 'plan') expect(other.changes).toEqual(result.changes);
      }),
      { numRuns: RUNS },
    );
  });

  it('tells the most that each short line could have, and alternatives that are really there', () => {
    fc.assert(
      fc.property(worlds(3), wantedLines, (world, lines) => {
        const result = planIn(world, lines);
        fc.pre(result.kind === 'short');
        const shortageOf = (line: HoldLine) =>
          result.shortages.find(({ sku, locationId }) => sku === line.sku && locationId === line.locationId);
        const possible = lines
          .map((line) => ({ ...line, quantity: shortageOf(line)?.available ?? line.quantity }))
          .filter(({ quantity }) => quantity > 0);
        expect(planIn(world, possible).kind).toBe('plan');
        for (const { sku, locationId, requested, available } of result.shortages) {
          expect(requested).toBe(lines.find((line) => line.sku === sku && line.locationId === locationId)?.quantity);
          expect(available).toBeLessThan(requested);
          expect(planIn(world, mergeLines([...possible, { sku, locationId, quantity: 1 }])).kind).toBe('short');
        }
        for (const { sku, locationId, available } of result.alternatives) {
          expect(available).toBeGreaterThan(0);
          expect(result.shortages.some((short) => short.sku === sku && short.locationId !== null)).toBe(true);
          expect(planIn(world, mergeLines([...possible, { sku, locationId, quantity: available }])).kind).toBe('plan');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('uses the best single location whenever one can serve a whole open reservation', () => {
    const quantities = fc.record({ A: fc.integer({ min: 1, max: 3 }), B: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(worlds(0), quantities, (world, { A, B }) => {
        const able = LOCATIONS.map((locationId) => {
          const [a, b] = world.sights.filter((sight) => sight.locationId === locationId);
          const serves = a!.sellsOnline && fresh(a!, world) >= A && fresh(b!, world) >= B;
          return { locationId, serves, priority: a!.priority, available: a!.available + b!.available };
        }).filter(({ serves }) => serves);
        fc.pre(able.length > 0);
        const top = Math.min(...able.map(({ priority }) => priority));
        const most = Math.max(...able.filter((c) => c.priority === top).map(({ available }) => available));
        const best = able.find((c) => c.priority === top && c.available === most)!;
        const { locationId } = best;
        const lines = mergeLines([
          { sku: 'A', quantity: A, locationId: null },
          { sku: 'B', quantity: B, locationId: null },
        ]);
        expect(planIn(world, lines)).toMatchObject({
          changes: [
            { sku: 'A', locationId, delta: A },
            { sku: 'B', locationId, delta: B },
          ],
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('plans the same again on the world that the plan has made', () => {
    fc.assert(
      fc.property(worlds(3), wantedLines, (world, lines) => {
        const first = planIn(world, lines);
        fc.pre(first.kind === 'plan');
        expect(planIn(after(world, first), lines)).toEqual({ kind: 'plan', lines: first.lines, changes: [] });
      }),
      { numRuns: RUNS },
    );
  });
});
