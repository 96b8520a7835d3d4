import { aStockItem, BUILT_AT } from '../../../../test/support/builders.ts';
import { toIsoInstant } from '../../../shared/kernel/clock.ts';
import { BALANCE_MAX, type RecordableMovement } from '../contract.ts';
import { InsufficientStock, QuantityLimit } from './inventory.errors.ts';
import { StockItem } from './stock-item.ts';

const AT = BUILT_AT + 60_000;
const EXPIRES_AT = AT + 900_000;

function movement(type: RecordableMovement, units: number) {
  return { movementId: 'M-9', type, units, reason: 'because', reference: 'PO-1' };
}

function eventTypes(item: StockItem): string[] {
  return item.recordedEvents.map(({ type }) => type.replace('inventory.stock.', ''));
}

/** The refusal of `work`, after a check that it has left nothing behind. */
function refusalOf(item: StockItem, work: () => void): InsufficientStock {
  const before = item.state;
  let refusal: unknown;
  try {
    work();
  } catch (error) {
    refusal = error;
  }
  expect(item.state).toBe(before);
  expect(item.recordedEvents).toEqual([]);
  if (!(refusal instanceof InsufficientStock)) throw new Error('It was not refused for want of stock');
  return refusal;
}

describe('StockItem', () => {
  it('starts with nothing, at version 0', () => {
    const item = StockItem.unstocked('SKU-1', 'S1', 5, undefined);
    expect(item.state).toEqual({
      sku: 'SKU-1',
      locationId: 'S1',
      onHand: 0,
      held: 0,
      committed: 0,
      incoming: 0,
      safetyStock: 0,
      lowStockThreshold: 5,
      noHoldDueBefore: null,
      version: 0,
      updatedAt: null,
    });
    expect(item.availableAt(BUILT_AT)).toBe(0);
    expect(item.isOversold).toBe(false);
  });

  it('has available what is on hand, not promised and not kept for safety', () => {
    expect(aStockItem({ onHand: 10, held: 3, committed: 2, safetyStock: 1 }).availableAt(BUILT_AT)).toBe(4);
    expect(aStockItem({ onHand: 1, safetyStock: 3 }).availableAt(BUILT_AT)).toBe(-2);
  });

  it('is oversold when more is promised than on hand, whatever the safety stock', () => {
    expect(aStockItem({ onHand: 5, held: 3, committed: 2, safetyStock: 9 }).isOversold).toBe(false);
    expect(aStockItem({ onHand: 4, held: 3, committed: 2 }).isOversold).toBe(true);
  });
});

describe('StockItem.move', () => {
  it.each([
    ['RECEIPT', 3, 3],
    ['RETURN', 3, 3],
    ['ADJUSTMENT', 3, 3],
    ['ADJUSTMENT', -3, -3],
    ['SALE', 3, -3],
    ['WRITE_OFF', 3, -3],
  ] as const)('records %s of %i as a ledger entry of %i', (type, units, delta) => {
    const item = aStockItem({ onHand: 10 });
    const entry = item.move(movement(type, units), AT);
    expect(entry).toEqual({
      movementId: 'M-9',
      sku: 'SKU-1',
      locationId: 'S1',
      itemVersion: item.version,
      type,
      delta,
      onHandAfter: 10 + delta,
      reason: 'because',
      reference: 'PO-1',
      occurredAt: AT,
    });
    expect(item.state).toMatchObject({ onHand: 10 + delta, updatedAt: AT });
  });

  it('publishes the movement with the balances that it left', () => {
    const item = aStockItem({ onHand: 10, held: 2, committed: 1, safetyStock: 3 });
    const { version } = item;
    item.move(movement('SALE', 4), AT);
    expect(item.recordedEvents).toEqual([
      {
        type: 'inventory.stock.moved',
        version: 1,
        subject: 'stock/SKU-1/S1',
        subjectVersion: version + 1,
        locationId: 'S1',
        data: {
          sku: 'SKU-1',
          locationId: 'S1',
          movementId: 'M-9',
          movementType: 'SALE',
          delta: -4,
          reason: 'because',
          reference: 'PO-1',
          stock: { onHand: 6, held: 2, committed: 1, incoming: 0, safetyStock: 3, available: 0 },
        },
        occurredAt: AT,
      },
    ]);
  });

  it.each([
    ['SALE', 5],
    ['WRITE_OFF', 5],
    ['ADJUSTMENT', -5],
  ] as const)('refuses a %s beyond what is available and records nothing', (type, units) => {
    const item = aStockItem({ onHand: 8, held: 2, committed: 1, safetyStock: 1 });
    const refusal = refusalOf(item, () => item.move(movement(type, units), AT));
    expect(refusal).toMatchObject({ code: 'INSUFFICIENT_STOCK', kind: 'refused' });
    expect(refusal.details).toEqual({
      shortages: [{ sku: 'SKU-1', locationId: 'S1', requested: 5, available: 4 }],
      alternatives: [],
    });
  });

  it('says 0 available, not less, when facts took it below', () => {
    const item = aStockItem({ onHand: 1, held: 3 });
    const refusal = refusalOf(item, () => item.move(movement('SALE', 1), AT));
    expect(refusal.details).toMatchObject({ shortages: [{ available: 0 }] });
  });

  it('refuses a receipt that would take on-hand beyond the limit, and only that', () => {
    const item = aStockItem({ onHand: BALANCE_MAX - 1 });
    item.move(movement('RECEIPT', 1), AT);
    const before = item.state;
    expect(() => item.move(movement('RETURN', 1), AT)).toThrow(QuantityLimit);
    expect(() => item.move(movement('RETURN', 1), AT)).toThrow(expect.objectContaining({ code: 'QUANTITY_LIMIT' }));
    expect(item.state).toBe(before);
  });

  it.each([0, -1, 1.5, NaN, Infinity])('treats %d units as a bug, not as a refusal', (units) => {
    const item = aStockItem({ onHand: 5 });
    expect(() => item.move(movement('RECEIPT', units), AT)).toThrow('Bug');
    expect(() => item.hold(units, 'H', EXPIRES_AT, AT)).toThrow('Bug');
    expect(item.recordedEvents).toEqual([]);
  });
});

describe('StockItem.count', () => {
  it('sets on-hand to what was found, also below what is promised, and raises the alarm', () => {
    const item = aStockItem({ onHand: 10, held: 4, committed: 3 });
    expect(item.count(5, { movementId: 'M-9', reason: 'inventory day' }, AT)).toMatchObject({
      type: 'COUNT',
      delta: -5,
      onHandAfter: 5,
      reference: null,
    });
    expect(eventTypes(item)).toEqual(['moved', 'oversold']);
    expect(item.recordedEvents[1]?.data).toMatchObject({ shortBy: 2, stock: { onHand: 5, available: -2 } });
  });

  it('records a count that found what was known, with a version of its own', () => {
    const item = aStockItem({ onHand: 10 });
    const { version } = item;
    expect(item.count(10, { movementId: 'M-9', reason: null }, AT)).toMatchObject({ delta: 0, onHandAfter: 10 });
    expect(item.version).toBe(version + 1);
    expect(eventTypes(item)).toEqual(['moved']);
  });

  it('raises the alarm again only when it gets worse', () => {
    const item = aStockItem({ onHand: 5, held: 5 });
    const alarms = [3, 3, 4, 2].map((counted) => {
      item.count(counted, { movementId: 'M-9', reason: null }, AT);
      return item.takeEvents().some(({ type }) => type === 'inventory.stock.oversold');
    });
    expect(alarms).toEqual([true, false, false, true]);
  });
});

describe('StockItem.recordFact', () => {
  it('records what happened although there was not enough, and sets off the alarm', () => {
    const item = aStockItem({ onHand: 5, held: 3, committed: 1 });
    const entry = item.recordFact({ movementId: 'M-1', type: 'SALE', units: 7, reference: 'receipt-1' }, AT);
    expect(entry).toMatchObject({ type: 'SALE', delta: -7, onHandAfter: -2, reason: null, reference: 'receipt-1' });
    expect(eventTypes(item)).toEqual(['moved', 'oversold']);
  });

  it('stops at the limit of a balance only', () => {
    const item = aStockItem({ onHand: BALANCE_MAX });
    const receipt = { movementId: 'M-1', type: 'RECEIPT', units: 1, reference: null } as const;
    expect(() => item.recordFact(receipt, AT)).toThrow(QuantityLimit);
    expect(item.recordedEvents).toEqual([]);
  });
});

describe('StockItem.settle', () => {
  it('makes on-hand what a count makes of it, also less than nothing, and tells a count that changes nothing', () => {
    const item = aStockItem({ onHand: 5 });
    expect(item.settle(-3, { movementId: 'M-1', reason: null }, AT)).toMatchObject({ type: 'COUNT', delta: -8 });
    expect(item.settle(-3, { movementId: 'M-2', reason: null }, AT)).toMatchObject({ type: 'COUNT', delta: 0 });
    expect(item.state.onHand).toBe(-3);
  });
});

describe('StockItem.handOver', () => {
  it('lets committed units leave although on-hand is short of them', () => {
    const item = aStockItem({ onHand: 1, committed: 3 });
    const entry = item.handOver(3, 'R1', { movementId: 'M-1', reference: 'ORDER-1' }, AT);
    expect(entry).toMatchObject({ type: 'FULFILMENT', delta: -3, onHandAfter: -2 });
    expect(item.state).toMatchObject({ onHand: -2, committed: 0 });
    expect(() => item.handOver(1, 'R1', { movementId: 'M-2', reference: null }, AT)).toThrow('Bug');
  });
});

describe('StockItem.setPolicy and followThreshold', () => {
  it('sets the safety stock above what is there: it only limits what commands may take', () => {
    const item = aStockItem({ onHand: 3 });
    item.setPolicy(5, AT);
    expect(item.availableAt(BUILT_AT)).toBe(-2);
    expect(eventTypes(item)).toEqual(['policy-changed']);
    expect(item.recordedEvents[0]?.data).toMatchObject({ safetyStock: 5, lowStockThreshold: null });
    item.takeEvents();
    refusalOf(item, () => item.hold(1, 'H', EXPIRES_AT, AT));
  });

  it('changes nothing when the value is the same', () => {
    const item = aStockItem({ onHand: 3, safetyStock: 2, lowStockThreshold: 1 });
    const before = item.state;
    item.setPolicy(2, AT);
    item.followThreshold(1, AT);
    expect(item.state).toBe(before);
    expect(item.recordedEvents).toEqual([]);
  });

  it('takes over the threshold of the product', () => {
    const item = aStockItem({ onHand: 3 });
    item.followThreshold(2, AT);
    item.followThreshold(null, AT);
    expect(item.recordedEvents.map(({ data }) => data)).toMatchObject([
      { lowStockThreshold: 2 },
      { lowStockThreshold: null },
    ]);
  });
});

describe('StockItem low stock', () => {
  it('tells when available comes down to the threshold, once per crossing, whichever verb it was', () => {
    const item = aStockItem({ onHand: 10, lowStockThreshold: 5 });
    const tells = (verb: () => void): boolean => {
      verb();
      return item.takeEvents().some(({ type }) => type === 'inventory.stock.low');
    };
    expect(tells(() => item.move(movement('SALE', 4), AT))).toBe(false); // 6 available
    expect(tells(() => item.hold(1, 'H', EXPIRES_AT, AT))).toBe(true); // 5
    expect(tells(() => item.hold(1, 'H', EXPIRES_AT, AT))).toBe(false); // 4: no second crossing
    expect(tells(() => item.release(2, 'HELD', 'H', 'CHANGED', AT))).toBe(false); // 6
    expect(tells(() => item.setPolicy(1, AT))).toBe(true); // 5
    expect(tells(() => item.setPolicy(0, AT))).toBe(false); // 6
    expect(tells(() => item.count(2, { movementId: 'M-9', reason: null }, AT))).toBe(true);
    expect(tells(() => item.followThreshold(1, AT))).toBe(false); // 2 available, above
    expect(tells(() => item.followThreshold(2, AT))).toBe(true);
    expect(tells(() => item.followThreshold(null, AT))).toBe(false);
    expect(tells(() => item.move(movement('SALE', 2), AT))).toBe(false); // no threshold, no alarm
  });

  it('carries the threshold and the balances', () => {
    const item = aStockItem({ onHand: 6, lowStockThreshold: 5 });
    item.move(movement('SALE', 2), AT);
    expect(item.recordedEvents[1]).toMatchObject({
      type: 'inventory.stock.low',
      subjectVersion: item.version,
      data: { lowStockThreshold: 5, stock: { available: 4 } },
    });
  });
});

describe('StockItem holds', () => {
  it('sets units aside, so that nobody else can take them', () => {
    const item = aStockItem({ onHand: 5 });
    item.hold(3, 'H-7', EXPIRES_AT, AT);
    expect(item.state).toMatchObject({ onHand: 5, held: 3, updatedAt: AT });
    expect(item.recordedEvents[0]).toMatchObject({
      type: 'inventory.stock.held',
      data: { holdId: 'H-7', units: 3, expiresAt: toIsoInstant(EXPIRES_AT), stock: { held: 3, available: 2 } },
    });
  });

  it('holds the last available unit and refuses one more', () => {
    const item = aStockItem({ onHand: 5, held: 4 });
    item.hold(1, 'H-7', EXPIRES_AT, AT);
    item.takeEvents();
    refusalOf(item, () => item.hold(1, 'H-8', EXPIRES_AT, AT));
  });

  it('gives back held or committed units and says why', () => {
    const item = aStockItem({ onHand: 5, held: 2, committed: 2 });
    item.release(1, 'HELD', 'H-1', 'EXPIRED', AT);
    item.release(2, 'COMMITTED', 'H-1', 'CANCELLED', AT);
    expect(item.state).toMatchObject({ onHand: 5, held: 1, committed: 0 });
    expect(item.recordedEvents.map(({ data }) => data)).toMatchObject([
      { holdId: 'H-1', units: 1, from: 'HELD', cause: 'EXPIRED' },
      { holdId: 'H-1', units: 2, from: 'COMMITTED', cause: 'CANCELLED' },
    ]);
  });

  it('commits held units even when facts oversold the item: a hold, once given, holds', () => {
    const item = aStockItem({ onHand: 0, held: 3 });
    item.commit(3, 'H-1', AT);
    expect(item.state).toMatchObject({ onHand: 0, held: 0, committed: 3 });
    expect(eventTypes(item)).toEqual(['committed']);
  });

  it('knows before when no hold can be due: from the first to end, until nothing is held', () => {
    const item = aStockItem({ onHand: 9 });
    const bound = (verb: () => void): number | null => {
      verb();
      return item.state.noHoldDueBefore;
    };
    expect(bound(() => item.hold(1, 'H-1', AT + 500, AT))).toBe(AT + 500);
    expect(bound(() => item.hold(1, 'H-2', AT + 900, AT))).toBe(AT + 500);
    expect(bound(() => item.shortenHold(1, 'H-2', AT + 600, AT))).toBe(AT + 500);
    expect(bound(() => item.shortenHold(1, 'H-2', AT + 400, AT))).toBe(AT + 400);
    expect(bound(() => item.release(1, 'HELD', 'H-1', 'CHANGED', AT))).toBe(AT + 400);
    expect(bound(() => item.commit(1, 'H-2', AT))).toBeNull();
    expect(bound(() => item.hold(2, 'H-3', AT + 700, AT))).toBe(AT + 700);
    expect(bound(() => item.release(1, 'COMMITTED', 'H-2', 'CANCELLED', AT))).toBe(AT + 700);
    expect(bound(() => item.release(2, 'HELD', 'H-3', 'EXPIRED', AT))).toBeNull();
  });

  it('records that a hold ends earlier, as a change of its own', () => {
    const item = aStockItem({ onHand: 9, held: 2 });
    const { version, held } = item.state;
    item.shortenHold(2, 'H-1', AT + 400, AT);
    expect(item.state).toMatchObject({ version: version + 1, updatedAt: AT, held });
    expect(item.recordedEvents).toMatchObject([
      { type: 'inventory.stock.hold-shortened', data: { holdId: 'H-1', units: 2, stock: { held } } },
    ]);
  });

  it('remembers what a look at the holds has told, which nobody else can see', () => {
    const item = aStockItem({ onHand: 9, held: 2 });
    const { version, updatedAt } = item.state;
    item.knowNoHoldDueBefore(AT + 800);
    expect(item.state).toMatchObject({ noHoldDueBefore: AT + 800, version, updatedAt });
    expect(item.recordedEvents).toEqual([]);
  });

  it('treats giving back or committing more than there is as a bug', () => {
    const item = aStockItem({ onHand: 5, held: 2, committed: 1 });
    const before = item.state;
    expect(() => item.release(3, 'HELD', 'H-1', 'CHANGED', AT)).toThrow('Bug');
    expect(() => item.release(2, 'COMMITTED', 'H-1', 'CHANGED', AT)).toThrow('Bug');
    expect(() => item.commit(3, 'H-1', AT)).toThrow('Bug');
    expect(() => item.fulfil(2, 'H-1', { movementId: 'M-9', reference: null }, AT)).toThrow('Bug');
    expect(item.state).toBe(before);
  });
});

describe('StockItem.fulfil', () => {
  it('takes committed units off the shelf', () => {
    const item = aStockItem({ onHand: 5, held: 1, committed: 3 });
    expect(item.fulfil(2, 'H-1', { movementId: 'M-9', reference: 'ORDER-1' }, AT)).toMatchObject({
      type: 'FULFILMENT',
      delta: -2,
      onHandAfter: 3,
      reason: null,
      reference: 'ORDER-1',
    });
    expect(item.state).toMatchObject({ onHand: 3, held: 1, committed: 1 });
    expect(eventTypes(item)).toEqual(['moved']);
  });

  it('is refused while fewer units are on hand, and possible as soon as they are', () => {
    const item = aStockItem({ onHand: 1, committed: 2 });
    const refusal = refusalOf(item, () => item.fulfil(2, 'H-1', { movementId: 'M-9', reference: null }, AT));
    expect(refusal.details).toMatchObject({ shortages: [{ requested: 2, available: 1 }] });
    item.move(movement('RECEIPT', 1), AT);
    item.fulfil(2, 'H-1', { movementId: 'M-9', reference: null }, AT);
    expect(item.state).toMatchObject({ onHand: 0, committed: 0 });
  });
});

describe('StockItem.dispatch', () => {
  const movement = { movementId: 'M-9', transferId: 'T-7' };

  it('takes units off the shelf for a transfer, which the ledger names', () => {
    const item = aStockItem({ onHand: 5, held: 1, incoming: 3 });
    expect(item.dispatch(4, movement, AT)).toEqual({
      movementId: 'M-9',
      sku: 'SKU-1',
      locationId: 'S1',
      itemVersion: item.version,
      type: 'TRANSFER_OUT',
      delta: -4,
      onHandAfter: 1,
      reason: null,
      reference: 'T-7',
      occurredAt: AT,
    });
    expect(item.state).toMatchObject({ onHand: 1, held: 1, incoming: 3 });
    expect(eventTypes(item)).toEqual(['moved']);
  });

  it('is a command: refused beyond what is available', () => {
    const item = aStockItem({ onHand: 5, held: 1, committed: 1, safetyStock: 1, incoming: 9 });
    const refusal = refusalOf(item, () => item.dispatch(3, movement, AT));
    expect(refusal.details).toMatchObject({ shortages: [{ locationId: 'S1', requested: 3, available: 2 }] });
  });
});

const arrival = { movementId: 'M-8', lossId: 'M-9', transferId: 'T-7', reason: 'as found' };

describe('StockItem.expect and expectNoMore', () => {
  it('counts units on their way apart from those that may be taken, and publishes each change', () => {
    const item = aStockItem({ onHand: 2 });
    const { version } = item;
    item.expect(5, 'T-7', AT);
    item.expectNoMore(5, 'T-7', AT);
    expect(item.state).toMatchObject({ onHand: 2, incoming: 0, version: version + 2, updatedAt: AT });
    expect(item.recordedEvents).toMatchObject([
      {
        type: 'inventory.stock.incoming-changed',
        subjectVersion: version + 1,
        data: { transferId: 'T-7', delta: 5, stock: { incoming: 5, onHand: 2, available: 2 } },
      },
      {
        type: 'inventory.stock.incoming-changed',
        subjectVersion: version + 2,
        data: { transferId: 'T-7', delta: -5, stock: { incoming: 0 } },
      },
    ]);
  });

  it('refuses more on their way than a balance may be, to the unit', () => {
    const item = aStockItem({ incoming: BALANCE_MAX - 1 });
    item.expect(1, 'T-7', AT);
    const before = item.state;
    expect(() => {
      item.expect(1, 'T-8', AT);
    }).toThrow(QuantityLimit);
    expect(item.state).toBe(before);
  });

  it('treats units that were not on their way as a bug', () => {
    const item = aStockItem({ onHand: 9, incoming: 2 });
    expect(() => {
      item.expectNoMore(3, 'T-7', AT);
    }).toThrow('Bug');
    expect(() => item.receive(3, 3, arrival, AT)).toThrow('Bug');
    expect(item.recordedEvents).toEqual([]);
  });
});

describe('StockItem.receive', () => {
  it('brings in what was on its way in one change', () => {
    const item = aStockItem({ onHand: 1, incoming: 6 });
    const { version } = item;
    expect(item.receive(4, 4, arrival, AT)).toMatchObject([
      { movementId: 'M-8', type: 'TRANSFER_IN', delta: 4, onHandAfter: 5, reason: 'as found', reference: 'T-7' },
    ]);
    expect(item.state).toMatchObject({ onHand: 5, incoming: 2, version: version + 1 });
    expect(item.recordedEvents).toMatchObject([
      { type: 'inventory.stock.moved', data: { movementType: 'TRANSFER_IN', stock: { onHand: 5, incoming: 2 } } },
    ]);
  });

  it('brings all of it in and writes off what is missing, each with its version and event', () => {
    const item = aStockItem({ onHand: 1, incoming: 4 });
    const { version } = item;
    expect(item.receive(4, 1, arrival, AT)).toMatchObject([
      { movementId: 'M-8', type: 'TRANSFER_IN', delta: 4, onHandAfter: 5, itemVersion: version + 1 },
      {
        movementId: 'M-9',
        type: 'WRITE_OFF',
        delta: -3,
        onHandAfter: 2,
        itemVersion: version + 2,
        reason: 'as found',
        reference: 'T-7',
      },
    ]);
    expect(item.state).toMatchObject({ onHand: 2, incoming: 0 });
    expect(item.recordedEvents.map(({ subjectVersion }) => subjectVersion)).toEqual([version + 1, version + 2]);
  });

  it('is a fact: an oversold item that gets less than it lacks stays oversold, and that is no new alarm', () => {
    const item = aStockItem({ onHand: 0, committed: 5, incoming: 4, lowStockThreshold: 0 });
    item.receive(4, 0, arrival, AT);
    expect(item.state).toMatchObject({ onHand: 0, committed: 5, incoming: 0 });
    expect(item.isOversold).toBe(true);
    expect(eventTypes(item)).toEqual(['moved', 'moved']);
  });

  it('is refused only where all of it together would pass the limit', () => {
    const item = aStockItem({ onHand: BALANCE_MAX - 3, incoming: 4 });
    const before = item.state;
    expect(() => item.receive(4, 3, arrival, AT)).toThrow(QuantityLimit);
    expect(item.state).toBe(before);
    item.receive(3, 3, arrival, AT);
    expect(item.state).toMatchObject({ onHand: BALANCE_MAX, incoming: 1 });
  });
});

describe('StockItem.takeBack', () => {
  it('puts dispatched units back on the shelf', () => {
    const item = aStockItem({ onHand: 1, incoming: 2 });
    const entry = item.takeBack(4, { movementId: 'M-9', transferId: 'T-7', reason: 'no van' }, AT);
    expect(entry).toMatchObject({ type: 'TRANSFER_IN', delta: 4, onHandAfter: 5, reason: 'no van', reference: 'T-7' });
    expect(item.state).toMatchObject({ onHand: 5, incoming: 2 });
    expect(eventTypes(item)).toEqual(['moved']);
  });
});
