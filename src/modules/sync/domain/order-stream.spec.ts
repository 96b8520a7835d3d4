import { OrderAlreadyCreated, OrderAlreadyFulfilled } from './order.errors.ts';
import { ORDER_PARKED_MAX, OrderStream } from './order-stream.ts';

const AT = Date.UTC(2026, 10, 22);
const LATER = AT + 1000;
const HOLD = { reservationId: 'R1', lines: [{ sku: 'MUG', quantity: 2, locationId: null }] };

function aStream(): OrderStream {
  return OrderStream.begin('O1', AT);
}

function aHeldOrder(): OrderStream {
  const stream = aStream();
  stream.create(1, HOLD, AT);
  return stream;
}

function aShippedOrder(): OrderStream {
  const stream = aHeldOrder();
  stream.pay(2, 'R1', AT);
  stream.ship(3, true, AT);
  return stream;
}

describe('OrderStream.placeOf', () => {
  it('carries out what is next, parks what is beyond a gap, and passes over what was used up', () => {
    const stream = aHeldOrder();
    expect(stream.placeOf(2, false)).toBe('due');
    expect(stream.placeOf(3, false)).toBe('parked');
    expect(stream.placeOf(1, false)).toBe('stale');
  });

  it('has room for a hundred that wait, and refuses the next', () => {
    const stream = aStream();
    for (let parked = 0; parked < ORDER_PARKED_MAX; parked += 1) {
      expect(stream.placeOf(parked + 2, false)).toBe('parked');
      stream.park(AT);
    }
    expect(stream.placeOf(500, false)).toBe('refused');
    expect(stream.placeOf(1, false)).toBe('due');
    expect(stream.placeOf(500, true)).toBe('due');
  });

  it('carries a cancellation out at once, whatever is missing or dead before it', () => {
    const stream = aStream();
    expect(stream.placeOf(7, true)).toBe('due');
    stream.die(1, AT);
    expect(stream.placeOf(2, false)).toBe('parked');
    expect(stream.placeOf(2, true)).toBe('due');
  });

  it('finds everything stale once the order is cancelled', () => {
    const stream = aStream();
    stream.cancel(5, AT);
    for (const version of [1, 4, 6, 900]) {
      expect(stream.placeOf(version, false)).toBe('stale');
      expect(stream.placeOf(version, true)).toBe('stale');
    }
  });
});

describe('OrderStream', () => {
  it('uses each version up once and counts its own changes', () => {
    const stream = aShippedOrder();
    expect(stream.state).toMatchObject({ status: 'SHIPPED', nextVersion: 4, reservationId: 'R1', version: 3 });
    stream.passOver(4, LATER);
    expect(stream.state).toMatchObject({ nextVersion: 5, version: 4, createdAt: AT, updatedAt: LATER });
  });

  it('keeps the lines of the hold, and takes another reservation when it was held anew', () => {
    const stream = aHeldOrder();
    stream.pay(2, 'R2', AT);
    expect(stream.state).toMatchObject({ status: 'PAID', reservationId: 'R2', lines: HOLD.lines });
  });

  it('refuses a second creation, and changes nothing then', () => {
    const stream = aHeldOrder();
    const before = stream.state;
    expect(() => {
      stream.create(2, HOLD, AT);
    }).toThrow(OrderAlreadyCreated);
    expect(stream.state).toBe(before);
  });

  it('refuses a cancellation once all has left the shelf, and takes one after a part has', () => {
    const shipped = aShippedOrder();
    expect(() => {
      shipped.cancel(4, AT);
    }).toThrow(OrderAlreadyFulfilled);
    const part = aHeldOrder();
    part.ship(2, false, AT);
    part.cancel(3, AT);
    expect(part.state).toMatchObject({ status: 'CANCELLED', cancelledBy: 3 });
  });

  it('is not un-shipped by a payment that is told again', () => {
    const stream = aShippedOrder();
    stream.pay(4, 'R1', AT);
    expect(stream.state.status).toBe('SHIPPED');
  });

  it('gives no turn while a dead event is in the way, and goes on when that is settled', () => {
    const stream = aStream();
    stream.die(1, AT);
    expect(stream.state).toMatchObject({ nextVersion: 2, blockedBy: 1, dead: 1 });
    expect(stream.turn).toBeNull();
    stream.settleDead(1, AT);
    expect(stream.state).toMatchObject({ blockedBy: null, dead: 0 });
    expect(stream.turn).toBe(2);
  });

  it('is stopped by an event that died beyond a gap when its turn comes', () => {
    const stream = aStream();
    stream.die(2, AT);
    expect(stream.state).toMatchObject({ nextVersion: 1, blockedBy: null, dead: 1 });
    stream.create(1, HOLD, AT);
    stream.block(2, AT);
    expect(stream.state).toMatchObject({ nextVersion: 3, blockedBy: 2, dead: 1 });
  });

  it('ends with a cancellation: nothing waits or blocks any more, and later versions are used up as they come', () => {
    const stream = aStream();
    stream.die(1, AT);
    stream.park(AT);
    stream.cancel(5, AT);
    expect(stream.state).toMatchObject({ nextVersion: 6, parked: 0, blockedBy: null, dead: 1 });
    expect(stream.turn).toBeNull();
    stream.passOver(8, AT);
    stream.passOver(3, AT);
    expect(stream.state.nextVersion).toBe(9);
  });

  it('is at rest when nothing waits and nothing is dead', () => {
    const stream = aStream();
    expect(stream.isAtRest).toBe(true);
    stream.park(AT);
    expect(stream.isAtRest).toBe(false);
    stream.unpark(AT);
    stream.die(4, AT);
    expect(stream.isAtRest).toBe(false);
    stream.settleDead(4, AT);
    expect(stream.isAtRest).toBe(true);
  });

  it('has room for a hundred dead ones, and always for the one whose turn it is', () => {
    const stream = aStream();
    for (let dead = 0; dead < ORDER_PARKED_MAX; dead += 1) {
      expect(stream.placeOfDead(dead + 2)).toBe('dead');
      stream.die(dead + 2, AT);
    }
    expect(stream.placeOfDead(500)).toBe('refused');
    expect(stream.placeOfDead(1)).toBe('dead');
  });
});

describe('OrderStream.alarmOf', () => {
  it('tells of money and goods that a cancelled order should not have', () => {
    const stream = aStream();
    expect(stream.alarmOf(9, 'order.paid')).toBeNull();
    stream.cancel(5, AT);
    expect(stream.alarmOf(6, 'order.paid')).toBe('PAID_AFTER_CANCELLED');
    expect(stream.alarmOf(4, 'order.paid')).toBeNull();
    expect(stream.alarmOf(6, 'order.shipped')).toBe('SHIPPED_AFTER_CANCELLED');
    expect(stream.alarmOf(4, 'order.shipped')).toBe('SHIPPED_AFTER_CANCELLED');
    expect(stream.alarmOf(6, 'order.created')).toBeNull();
  });
});
