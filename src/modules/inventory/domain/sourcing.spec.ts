import type { HoldLine } from '../contract.ts';
import { mergeLines, planSourcing, type SourcingPlan, type StockSight } from './sourcing.ts';

/** Own units are those of the open line unless something else is said. */
function at(locationId: string, available: number, more: Partial<StockSight> = {}): StockSight {
  const { own = 0, ownOpen = own } = more;
  return { sku: 'A', locationId, available, priority: 100, sellsOnline: true, ...more, own, ownOpen };
}

function open(quantity: number, sku = 'A'): HoldLine {
  return { sku, quantity, locationId: null };
}

function asked(quantity: number, locationId: string, sku = 'A'): HoldLine {
  return { sku, quantity, locationId };
}

function plan(
  lines: readonly HoldLine[],
  sights: readonly StockSight[],
  inactive: readonly string[] = [],
): SourcingPlan {
  return planSourcing({ lines, sights, takesNewHolds: (sku) => !inactive.includes(sku) });
}

/** The changes in short: `A@S1 +2`. */
function changes(
  lines: readonly HoldLine[],
  sights: readonly StockSight[],
  inactive: readonly string[] = [],
): string[] {
  const result = plan(lines, sights, inactive);
  if (result.kind === 'short') throw new Error(`short: ${JSON.stringify(result.shortages)}`);
  return result.changes.map(({ sku, locationId, delta }) => `${sku}@${locationId} ${delta > 0 ? '+' : ''}${delta}`);
}

describe('mergeLines', () => {
  it('sums lines of one sku and one asked location and keeps the order of first mention', () => {
    const lines = [open(1, 'B'), asked(2, 'S1'), open(3), asked(4, 'S1'), asked(5, 'S2'), open(6, 'B')];
    expect(mergeLines(lines)).toEqual([open(7, 'B'), asked(6, 'S1'), open(3), asked(5, 'S2')]);
  });
});

describe('planSourcing of a new hold', () => {
  it('serves a line at its asked location, also where nothing is sold online', () => {
    const sights = [at('S1', 5, { sellsOnline: false }), at('S2', 5)];
    expect(plan([asked(5, 'S1')], sights)).toEqual({
      kind: 'plan',
      lines: [{ ...asked(5, 'S1'), allocations: [{ locationId: 'S1', quantity: 5 }] }],
      changes: [{ sku: 'A', locationId: 'S1', delta: 5 }],
    });
  });

  it('passes by locations that do not sell online', () => {
    expect(changes([open(1)], [at('S1', 9, { sellsOnline: false, priority: 0 }), at('S2', 1)])).toEqual(['A@S2 +1']);
  });

  it('chooses by priority, then most available, then id', () => {
    expect(changes([open(1)], [at('S1', 9), at('S2', 1, { priority: 1 })])).toEqual(['A@S2 +1']);
    expect(changes([open(1)], [at('S1', 8), at('S2', 9)])).toEqual(['A@S2 +1']);
    expect(changes([open(1)], [at('s1', 9), at('S2', 9)])).toEqual(['A@S2 +1']);
  });

  it('prefers one location that can serve the whole reservation', () => {
    const sights = [at('S1', 9, { priority: 1 }), at('S2', 2), at('S2', 2, { sku: 'B' })];
    expect(changes([open(2), open(2, 'B')], sights)).toEqual(['A@S2 +2', 'B@S2 +2']);
  });

  it('sums what is available over the skus when it compares locations for the whole', () => {
    const sights = [at('S1', 5), at('S1', 2, { sku: 'B' }), at('S2', 3), at('S2', 5, { sku: 'B' })];
    expect(changes([open(2), open(2, 'B')], sights)).toEqual(['A@S2 +2', 'B@S2 +2']);
  });

  it('takes one location per line when none can serve the whole', () => {
    const first = { priority: 1 };
    const sights = [at('S1', 1, first), at('S2', 2), at('S1', 2, { sku: 'B', ...first }), at('S2', 1, { sku: 'B' })];
    expect(changes([open(2), open(2, 'B')], sights)).toEqual(['A@S2 +2', 'B@S1 +2']);
  });

  it('splits a line, in the order of candidates, only when no location can serve it alone', () => {
    const sights = [at('S1', 2), at('S2', 3), at('S3', 1, { priority: 1 })];
    expect(changes([open(3)], sights)).toEqual(['A@S2 +3']);
    expect(changes([open(5)], sights)).toEqual(['A@S1 +1', 'A@S2 +3', 'A@S3 +1']);
  });

  it('lets an open line see only what the asked lines of its sku leave', () => {
    expect(changes([open(2), asked(4, 'S1')], [at('S1', 5), at('S2', 2)])).toEqual(['A@S1 +4', 'A@S2 +2']);
    expect(plan([open(3), asked(4, 'S1')], [at('S1', 4), at('S2', 2)])).toEqual({
      kind: 'short',
      shortages: [{ sku: 'A', locationId: null, requested: 3, available: 2 }],
      alternatives: [],
    });
  });

  it('names every short line and, for asked ones, where else units are left', () => {
    const sights = [at('S1', 1), at('S2', 4), at('S3', 7), at('S4', 9, { sellsOnline: false }), at('S5', 0)];
    const lines = [asked(2, 'S1'), asked(1, 'S2'), open(3, 'B'), asked(1, 'S9')];
    expect(plan(lines, [...sights, at('S1', -1, { sku: 'B' }), at('S2', 2, { sku: 'B' })])).toEqual({
      kind: 'short',
      shortages: [
        { sku: 'A', locationId: 'S1', requested: 2, available: 1 },
        { sku: 'B', locationId: null, requested: 3, available: 2 },
        { sku: 'A', locationId: 'S9', requested: 1, available: 0 },
      ],
      alternatives: [
        { sku: 'A', locationId: 'S3', available: 7 },
        { sku: 'A', locationId: 'S2', available: 3 },
      ],
    });
  });

  it('gives nothing of an inactive product', () => {
    expect(plan([asked(1, 'S1'), open(1, 'B')], [at('S1', 5), at('S1', 5, { sku: 'B' })], ['A'])).toEqual({
      kind: 'short',
      shortages: [{ sku: 'A', locationId: 'S1', requested: 1, available: 0 }],
      alternatives: [],
    });
  });
});

describe('planSourcing of a hold that has units', () => {
  it('leaves units where they are, although sourcing would choose otherwise today', () => {
    const sights = [at('S1', -4, { own: 2, sellsOnline: false, priority: 900 }), at('S2', 50, { priority: 0 })];
    expect(changes([open(2)], sights)).toEqual([]);
    expect(changes([open(2)], sights, ['A'])).toEqual([]);
  });

  it('sources only the difference when a line grows', () => {
    expect(changes([open(5)], [at('S1', 1, { own: 2 }), at('S2', 9)])).toEqual(['A@S2 +3']);
    expect(changes([open(3)], [at('S1', 1, { own: 2 }), at('S2', 2)])).toEqual(['A@S1 +1']);
  });

  it('gives back first what sourcing would choose last', () => {
    const sights = [at('S1', 0, { own: 2, priority: 1 }), at('S2', 0, { own: 2 }), at('S3', 1, { own: 2 })];
    expect(changes([open(5)], sights)).toEqual(['A@S2 -1']);
    expect(changes([open(3)], sights)).toEqual(['A@S2 -2', 'A@S3 -1']);
  });

  it('gives back first where nothing is sold online any more', () => {
    const sights = [at('S1', 0, { own: 2, priority: 0, sellsOnline: false }), at('S2', 0, { own: 2 })];
    expect(changes([open(3)], sights)).toEqual(['A@S1 -1']);
  });

  it('gives back the units of a line that is gone', () => {
    expect(changes([open(1)], [at('S1', 0, { own: 1 }), at('S1', 0, { sku: 'B', own: 3 })])).toEqual(['B@S1 -3']);
  });

  it('moves a line to another asked location', () => {
    expect(changes([asked(2, 'S2')], [at('S1', 0, { own: 2 }), at('S2', 2)])).toEqual(['A@S1 -2', 'A@S2 +2']);
  });

  it('does not move a line of an inactive product, but lets it shrink', () => {
    const sights = [at('S1', 0, { own: 2 }), at('S2', 2)];
    expect(plan([asked(2, 'S2')], sights, ['A'])).toEqual({
      kind: 'short',
      shortages: [{ sku: 'A', locationId: 'S2', requested: 2, available: 0 }],
      alternatives: [{ sku: 'A', locationId: 'S1', available: 2 }],
    });
    expect(changes([asked(1, 'S1')], sights, ['A'])).toEqual(['A@S1 -1']);
  });

  it('counts its own units in what a line could have', () => {
    expect(plan([asked(9, 'S1')], [at('S1', 3, { own: 2 }), at('S2', -1, { own: 1 })])).toEqual({
      kind: 'short',
      shortages: [{ sku: 'A', locationId: 'S1', requested: 9, available: 5 }],
      alternatives: [{ sku: 'A', locationId: 'S2', available: 1 }],
    });
  });

  it('lets an asked line have own units at its place before the open line', () => {
    expect(changes([asked(2, 'S1'), open(2)], [at('S1', 0, { own: 3 }), at('S2', 5)])).toEqual(['A@S2 +1']);
  });

  it('leaves the open line where it is when a line comes that asks for that place, and holds anew for the new one', () => {
    const better = at('S2', 9, { priority: 0 });
    expect(changes([open(2), asked(2, 'S1')], [at('S1', 5, { own: 2 }), better])).toEqual(['A@S1 +2']);
    expect(changes([open(2), asked(6, 'S1')], [at('S1', 5, { own: 2 }), better])).toEqual(['A@S1 +5', 'A@S2 +1']);
    expect(changes([open(3), asked(2, 'S1')], [at('S1', 5, { own: 2 }), better])).toEqual(['A@S1 +2', 'A@S2 +1']);
  });

  it('finds room for a new line where nothing is sold online any more, although the open line has its units there', () => {
    const closed = (own: number, ownOpen = own) => [at('S1', 2, { own, ownOpen, sellsOnline: false })];
    expect(changes([open(2), asked(2, 'S1')], closed(2))).toEqual(['A@S1 +2']);
    expect(plan([open(2), asked(3, 'S1')], closed(2))).toMatchObject({
      shortages: [{ locationId: null, requested: 2, available: 1 }],
    });
    // Units of the asked line are no reason to give a new open line any there.
    expect(plan([open(2), asked(2, 'S1')], closed(2, 0))).toMatchObject({
      shortages: [{ locationId: null, requested: 2, available: 0 }],
    });
  });

  it('sources a new open line by the order of candidates, not by where the asked line is', () => {
    const sights = [at('S1', 5, { own: 2, ownOpen: 0 }), at('S2', 9, { priority: 0 })];
    expect(changes([open(2), asked(2, 'S1')], sights)).toEqual(['A@S2 +2']);
  });

  it('gives back nothing that another line of the sku could use, although the line that shrinks is elsewhere', () => {
    const sights = [at('S1', 5, { own: 2, priority: 0 }), at('S2', 0, { own: 2 })];
    expect(changes([open(2), asked(2, 'S1')], sights)).toEqual([]);
  });

  it('treats lines that are not merged as a bug', () => {
    expect(() => plan([open(1), open(1)], [at('S1', 5)])).toThrow('Bug');
    expect(() => plan([asked(1, 'S1'), asked(1, 'S1')], [at('S1', 5)])).toThrow('Bug');
  });
});
