import fc from 'fast-check';
import { readChange } from './central-change.ts';
import { emptyLine, isOver, noHold, type OwnFact, ShelfItem, type SnapshotLine, withFacts } from './shelf-item.ts';

const AT = 7;

function anItem(onHand: number): ShelfItem {
  const item = ShelfItem.unknown('MUG');
  item.move(onHand, AT);
  return item;
}

describe('ShelfItem', () => {
  it('goes below zero, because what happened is never refused', () => {
    const item = ShelfItem.unknown('MUG');
    item.move(-3, AT);
    expect(item.state).toMatchObject({ onHand: -3, updatedAt: AT, version: 1 });
    expect(item.available).toBe(-3);
  });

  it('tells what a count changed', () => {
    const item = anItem(10);
    expect(item.count(4, AT)).toBe(-6);
    expect(item.count(4, AT)).toBe(0);
    expect(item.state.onHand).toBe(4);
  });

  it('follows a reservation to its end', () => {
    const item = anItem(10);
    let hold = item.hold(noHold('MUG', 'r'), 3, 99, AT);
    expect([item.available, hold.held, hold.expiresAt]).toEqual([7, 3, 99]);
    hold = item.commit(hold, 3, false, AT);
    expect(item.state).toMatchObject({ onHand: 10, held: 0, committed: 3 });
    hold = item.fulfil(hold, 3, AT);
    expect(item.state).toMatchObject({ onHand: 7, held: 0, committed: 0 });
    expect(isOver(hold)).toBe(true);
  });

  it('gives released units back, whatever they were', () => {
    const item = anItem(10);
    const held = item.release(item.hold(noHold('MUG', 'r'), 3, 99, AT), 1, 'HELD', AT);
    const committed = item.release(item.commit(held, 2, false, AT), 2, 'COMMITTED', AT);
    expect(item.state).toMatchObject({ onHand: 10, held: 0, committed: 0 });
    expect(isOver(committed)).toBe(true);
  });

  it('lets the units of a pickup leave once, although the centre tells that they were fulfilled', () => {
    const item = anItem(10);
    const taken = item.take(item.commit(item.hold(noHold('MUG', 'r'), 3, 99, AT), 3, false, AT), AT);
    expect(item.state).toMatchObject({ onHand: 7, committed: 0 });
    expect(isOver(item.fulfil(taken, 3, AT))).toBe(true);
    expect(item.state).toMatchObject({ onHand: 7, committed: 0 });
  });

  it('lets them leave when the confirmation arrives behind the pickup', () => {
    const item = anItem(10);
    item.commit(item.hold(noHold('MUG', 'r'), 3, 99, AT), 3, true, AT);
    expect(item.state).toMatchObject({ onHand: 7, held: 0, committed: 0 });
  });

  it('does not release what a pickup has taken a second time', () => {
    const item = anItem(10);
    const taken = item.take(item.commit(item.hold(noHold('MUG', 'r'), 3, 99, AT), 3, false, AT), AT);
    item.release(taken, 3, 'COMMITTED', AT);
    expect(item.state).toMatchObject({ onHand: 7, committed: 0 });
  });

  it('releases no more than it knows to be held', () => {
    const item = anItem(10);
    item.release(noHold('MUG', 'r'), 3, 'HELD', AT);
    expect(item.state).toMatchObject({ onHand: 10, held: 0 });
  });
});

describe('ShelfItem.start', () => {
  const line: SnapshotLine = {
    sku: 'MUG',
    onHand: 10,
    safetyStock: 1,
    version: 42,
    holds: [
      { holdId: 'a', units: 2, state: 'HELD', expiresAt: 99 },
      { holdId: 'b', units: 3, state: 'COMMITTED', expiresAt: null },
    ],
  };

  it('takes the balances of the centre over', () => {
    const item = anItem(77);
    item.start(line, [], 5, AT);
    expect(item.state).toMatchObject({
      onHand: 10,
      held: 2,
      committed: 3,
      safetyStock: 1,
      centralVersion: 42,
      round: 5,
    });
    expect(item.available).toBe(4);
  });

  it('puts on top what the centre does not have', () => {
    const item = anItem(77);
    item.start(
      line,
      [
        { delta: -4, counted: null },
        { delta: 1, counted: null },
      ],
      5,
      AT,
    );
    expect(item.state.onHand).toBe(7);
  });

  it('lets a count that begins anew replace what was before it', () => {
    const facts: OwnFact[] = [
      { delta: -4, counted: null },
      { delta: 50, counted: 20 },
      { delta: -1, counted: null },
    ];
    expect(withFacts(10, facts)).toBe(19);
  });

  it('leaves nothing but own facts of what the centre does not have at all', () => {
    const item = anItem(77);
    item.start(emptyLine('MUG'), [{ delta: -2, counted: null }], 5, AT);
    expect(item.state).toMatchObject({ onHand: -2, held: 0, committed: 0, centralVersion: 0 });
  });

  it('gives what the feed would have given, wherever the snapshot was taken', () => {
    const change = fc.record({ own: fc.boolean(), delta: fc.integer({ min: -9, max: 9 }) });
    fc.assert(
      fc.property(fc.array(change), fc.nat(), (changes, at) => {
        const cut = changes.length === 0 ? 0 : at % (changes.length + 1);
        const sum = (some: readonly { delta: number }[]): number => some.reduce((units, { delta }) => units + delta, 0);
        // The centre has everything of its own, and of the store's what was sent before the cut.
        const known = changes.filter(({ own }, index) => !own || index < cut);
        const pending = changes.filter(({ own }, index) => own && index >= cut);
        const item = anItem(sum(changes));
        const facts = pending.map(({ delta }) => ({ delta, counted: null }));
        item.start({ ...emptyLine('MUG'), onHand: sum(known) }, facts, 1, AT);
        expect(item.state.onHand).toBe(sum(changes));
      }),
    );
  });
});

describe('readChange', () => {
  const event = { type: 'inventory.stock.held', dataversion: 1, subjectversion: 3 };

  it('reads what changes the shelf, and passes over the rest', () => {
    const data = { sku: 'MUG', holdId: 'r', units: 2, expiresAt: '1970-01-01T00:00:00.007Z', more: 'later' };
    expect(readChange({ ...event, data })).toEqual({
      kind: 'held',
      sku: 'MUG',
      holdId: 'r',
      units: 2,
      expiresAt: 7,
      subjectVersion: 3,
    });
    expect(readChange({ ...event, type: 'inventory.stock.oversold', data: {} })).toBeNull();
    expect(readChange({ ...event, type: 'inventory.stock.admired', data: null })).toBeNull();
  });

  it.each([
    [null],
    ['text'],
    [{}],
    [{ sku: 'MUG', holdId: 'r', units: 1.5, expiresAt: '1970-01-01T00:00:00.007Z' }],
    [{ sku: 'MUG', holdId: 'r', units: 1, expiresAt: 'soon' }],
    [{ holdId: 'r', units: 1, expiresAt: '1970-01-01T00:00:00.007Z' }],
  ])('does not guess at %j', (data) => {
    expect(() => readChange({ ...event, data })).toThrow(event.type);
  });
});
