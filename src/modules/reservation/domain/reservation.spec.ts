import { aLine, aReservation, BUILT_AT } from '../../../../test/support/builders.ts';
import { type Instant, toIsoInstant } from '../../../shared/kernel/clock.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import { Reservation } from './reservation.ts';

const AT = BUILT_AT;
/** When a reservation of the builder, made with 900 s, is over. */
const OVER_AT = AT + 900_000;
const DAY_MS = 86_400_000;

/** The code of the refusal, after a check that it has left nothing behind. */
function refusalOf(reservation: Reservation, work: () => void): string {
  const before = reservation.state;
  let refusal: unknown;
  try {
    work();
  } catch (error) {
    refusal = error;
  }
  expect(reservation.state).toBe(before);
  expect(reservation.recordedEvents).toEqual([]);
  if (!(refusal instanceof DomainError)) throw new Error('It was not refused');
  return refusal.code;
}

const TWO_PLACES = [aLine({ quantity: 2, at: 'S1' }), aLine({ sku: 'SKU-2', quantity: 3, at: 'S2' })];

describe('Reservation.create', () => {
  it('is ACTIVE for its time-to-live, with nothing fulfilled', () => {
    const lines = [aLine({ quantity: 2, at: 'S1' })];
    const wanted = { id: 'R-1', clientId: 'C-1', lines, cartId: 'CART-1', ttlSeconds: 900, at: AT };
    const reservation = Reservation.create({ ...wanted, lifetimeMaxSeconds: 86_400, tallied: true });
    const storedLine = {
      sku: 'SKU-1',
      quantity: 2,
      locationId: null,
      allocations: [{ locationId: 'S1', quantity: 2, fulfilled: false }],
    };
    expect(reservation.state).toEqual({
      id: 'R-1',
      clientId: 'C-1',
      status: 'ACTIVE',
      lines: [storedLine],
      cartId: 'CART-1',
      orderId: null,
      renewals: 0,
      tallied: true,
      ttlSeconds: 900,
      expiresAt: OVER_AT,
      lifetimeEndsAt: AT + DAY_MS,
      createdAt: AT,
      updatedAt: AT,
      version: 1,
    });
    expect(reservation.recordedEvents).toEqual([
      {
        type: 'reservation.created',
        version: 1,
        subject: 'reservation/R-1',
        subjectVersion: 1,
        locationId: null,
        data: { reservationId: 'R-1', cartId: 'CART-1', lines: [storedLine], expiresAt: toIsoInstant(OVER_AT) },
        occurredAt: AT,
      },
    ]);
  });

  it('is over at the cap when the time-to-live is longer', () => {
    const { expiresAt, lifetimeEndsAt } = aReservation({ ttlSeconds: 900, lifetimeMaxSeconds: 60 }).state;
    expect([expiresAt, lifetimeEndsAt]).toEqual([AT + 60_000, AT + 60_000]);
    expect(Reservation.expiryOf(900, 60, AT)).toBe(expiresAt);
  });

  it('counts the units of all lines', () => {
    expect(aReservation({ lines: TWO_PLACES }).heldUnits).toBe(5);
  });

  it('treats allocations that do not add up to their line as a bug', () => {
    const lines = [{ ...aLine({ quantity: 2 }), allocations: [{ locationId: 'S1', quantity: 1 }] }];
    expect(() => aReservation({ lines })).toThrow('Bug');
  });
});

describe('Reservation at its expiry', () => {
  const verbs: [string, (reservation: Reservation, at: Instant) => void][] = [
    ['assertActive', (reservation, at) => reservation.assertActive(at)],
    ['update', (reservation, at) => reservation.update([aLine()], at + 1000, at)],
    ['refresh', (reservation, at) => reservation.refresh(at + 1000, at)],
    ['confirm', (reservation, at) => reservation.confirm('ORDER-1', at)],
    ['cancel', (reservation, at) => reservation.cancel(null, at)],
  ];

  it.each(verbs)(
    'allows %s one millisecond before, refuses it at the very instant and once it is stored',
    (_, verb) => {
      expect(() => verb(aReservation(), OVER_AT - 1)).not.toThrow();
      const due = aReservation();
      expect(refusalOf(due, () => verb(due, OVER_AT))).toBe('RESERVATION_EXPIRED');
      const expired = aReservation({ status: 'EXPIRED' });
      // Also at an earlier time: a clock that goes back revives nothing.
      expect(refusalOf(expired, () => verb(expired, AT))).toBe('RESERVATION_EXPIRED');
    },
  );

  it('tells when it was over', () => {
    const expiresAt = toIsoInstant(OVER_AT);
    expect(() => aReservation().assertActive(OVER_AT)).toThrow(expect.objectContaining({ details: { expiresAt } }));
  });

  it('reads as EXPIRED from that instant, swept or not', () => {
    const reservation = aReservation();
    expect([reservation.statusAt(OVER_AT - 1), reservation.statusAt(OVER_AT)]).toEqual(['ACTIVE', 'EXPIRED']);
    expect([reservation.isDue(OVER_AT - 1), reservation.isDue(OVER_AT)]).toEqual([false, true]);
    expect(reservation.state.status).toBe('ACTIVE');
  });

  it('does not expire once it is confirmed or cancelled', () => {
    for (const status of ['CONFIRMED', 'FULFILLED', 'CANCELLED'] as const) {
      const reservation = aReservation({ status });
      expect(reservation.statusAt(OVER_AT)).toBe(status);
      expect(reservation.expire(OVER_AT)).toBe(false);
    }
  });

  it('is stored as EXPIRED once, and only when it is due', () => {
    const reservation = aReservation({ cartId: 'CART-1' });
    expect(reservation.expire(OVER_AT - 1)).toBe(false);
    expect(reservation.expire(OVER_AT)).toBe(true);
    expect(reservation.expire(OVER_AT)).toBe(false);
    expect(reservation.state).toMatchObject({ status: 'EXPIRED', version: 2, updatedAt: OVER_AT });
    expect(reservation.recordedEvents).toMatchObject([
      { type: 'reservation.expired', data: { cartId: 'CART-1', expiresAt: toIsoInstant(OVER_AT) } },
    ]);
  });
});

describe('Reservation.update', () => {
  it('takes over the final lines and the expiry, and tells both', () => {
    const reservation = aReservation({ lines: [aLine({ quantity: 1 })] });
    reservation.update([aLine({ quantity: 4 })], OVER_AT + 5000, AT + 5000);
    expect(reservation.state).toMatchObject({ status: 'ACTIVE', version: 2, expiresAt: OVER_AT + 5000 });
    expect(reservation.heldUnits).toBe(4);
    expect(reservation.recordedEvents).toMatchObject([
      { type: 'reservation.updated', data: { linesBefore: [{ quantity: 1 }], lines: [{ quantity: 4 }] } },
    ]);
  });

  it('renews from now: with the time-to-live that it was made with, or another for once', () => {
    const reservation = aReservation({ ttlSeconds: 900 });
    expect(reservation.updatedExpiry(null, AT + 5000)).toBe(OVER_AT + 5000);
    expect(reservation.updatedExpiry(60, AT + 5000)).toBe(AT + 65_000);
    reservation.update([aLine()], reservation.updatedExpiry(60, AT), AT);
    expect(reservation.updatedExpiry(null, AT)).toBe(OVER_AT);
  });

  it('stops at the cap and is never refused for it', () => {
    const reservation = aReservation({ ttlSeconds: 900, lifetimeMaxSeconds: 900 });
    expect(reservation.updatedExpiry(14_400, AT + 5000)).toBe(OVER_AT);
  });

  it.each(['CONFIRMED', 'FULFILLED', 'CANCELLED'] as const)('is refused when %s, and says so', (status) => {
    const reservation = aReservation({ status });
    expect(refusalOf(reservation, () => reservation.update([aLine()], OVER_AT, AT))).toBe('RESERVATION_NOT_ACTIVE');
    expect(refusalOf(reservation, () => reservation.refresh(OVER_AT, AT))).toBe('RESERVATION_NOT_ACTIVE');
    expect(() => reservation.assertActive(OVER_AT)).toThrow(
      expect.objectContaining({ kind: 'refused', details: { reservationStatus: status } }),
    );
  });
});

describe('Reservation.refresh', () => {
  it('moves the expiry and nothing else', () => {
    const reservation = aReservation();
    const { lines } = reservation.state;
    reservation.refresh(reservation.refreshedExpiry(null, AT + 5000), AT + 5000);
    expect(reservation.state).toMatchObject({ expiresAt: OVER_AT + 5000, updatedAt: AT + 5000, version: 2 });
    expect(reservation.state.lines).toBe(lines);
    expect(reservation.recordedEvents).toMatchObject([
      {
        type: 'reservation.refreshed',
        data: { expiresAtBefore: toIsoInstant(OVER_AT), expiresAt: toIsoInstant(OVER_AT + 5000) },
      },
    ]);
  });

  it('shortens, also when the cap is reached', () => {
    const capped = aReservation({ ttlSeconds: 900, lifetimeMaxSeconds: 900 });
    expect(capped.refreshedExpiry(60, AT + 5000)).toBe(AT + 65_000);
    expect(aReservation().refreshedExpiry(60, AT)).toBe(AT + 60_000);
  });

  it('stops at the cap while there is something to gain, and is refused when there is not', () => {
    const reservation = aReservation({ ttlSeconds: 900, lifetimeMaxSeconds: 1000 });
    const capAt = AT + 1_000_000;
    expect(reservation.refreshedExpiry(null, AT + 200_000)).toBe(capAt);
    reservation.refresh(capAt, AT + 200_000);
    reservation.takeEvents();
    const refusal = refusalOf(reservation, () => reservation.refreshedExpiry(null, AT + 200_000));
    expect(refusal).toBe('HOLD_LIFETIME_EXCEEDED');
    expect(() => reservation.refreshedExpiry(900, AT + 200_000)).toThrow(
      expect.objectContaining({ kind: 'unprocessable', details: { lifetimeEndsAt: toIsoInstant(capAt) } }),
    );
  });

  it('is not refused when the wanted end is the cap itself', () => {
    const reservation = aReservation({ ttlSeconds: 900, lifetimeMaxSeconds: 900 });
    expect(reservation.refreshedExpiry(899, AT + 1000)).toBe(OVER_AT);
    expect(() => reservation.refreshedExpiry(900, AT + 1000)).toThrow(
      expect.objectContaining({ code: 'HOLD_LIFETIME_EXCEEDED' }),
    );
  });
});

describe('Reservation.confirm', () => {
  it('happens once; the same order again gets the same answer, also after fulfilment', () => {
    const reservation = aReservation();
    expect(reservation.confirm('ORDER-1', AT)).toBe('changed');
    expect(reservation.state).toMatchObject({ status: 'CONFIRMED', orderId: 'ORDER-1', version: 2 });
    const confirmed = reservation.state;
    expect(reservation.confirm('ORDER-1', OVER_AT + 1)).toBe('same');
    expect(reservation.state).toBe(confirmed);
    expect(reservation.recordedEvents).toMatchObject([
      { type: 'reservation.confirmed', data: { orderId: 'ORDER-1', lines: [{ sku: 'SKU-1' }] } },
    ]);
    reservation.fulfil(null, AT);
    expect(reservation.confirm('ORDER-1', AT)).toBe('same');
  });

  it.each(['CONFIRMED', 'FULFILLED'] as const)('is refused for another order when %s, without naming it', (status) => {
    const reservation = aReservation({ status });
    expect(refusalOf(reservation, () => reservation.confirm('ORDER-2', AT))).toBe('ALREADY_CONFIRMED');
    expect(() => reservation.confirm('ORDER-2', AT)).toThrow(expect.not.stringContaining('ORDER-1'));
  });

  it('is refused when it was cancelled', () => {
    const reservation = aReservation({ status: 'CANCELLED' });
    expect(refusalOf(reservation, () => reservation.confirm('ORDER-1', AT))).toBe('RESERVATION_NOT_ACTIVE');
  });
});

describe('Reservation.cancel', () => {
  it('gives up an ACTIVE or a CONFIRMED one; again gets the same answer', () => {
    for (const [status, orderId] of [
      ['ACTIVE', null],
      ['CONFIRMED', 'ORDER-1'],
    ] as const) {
      const reservation = aReservation({ status });
      expect(reservation.cancel('changed my mind', AT)).toBe('changed');
      const cancelled = reservation.state;
      expect(reservation.cancel('again', OVER_AT)).toBe('same');
      expect(reservation.state).toBe(cancelled);
      expect(reservation.recordedEvents).toMatchObject([
        { type: 'reservation.cancelled', data: { orderId, reason: 'changed my mind' } },
      ]);
    }
  });

  it('is refused once units have left the shelf, some or all', () => {
    const partly = aReservation({ status: 'CONFIRMED', lines: TWO_PLACES });
    partly.fulfil('S1', AT);
    partly.takeEvents();
    expect(refusalOf(partly, () => partly.cancel(null, AT))).toBe('ALREADY_FULFILLED');
    const wholly = aReservation({ status: 'FULFILLED' });
    expect(refusalOf(wholly, () => wholly.cancel(null, AT))).toBe('ALREADY_FULFILLED');
  });
});

describe('Reservation.fulfil', () => {
  it('hands over everything that is left', () => {
    const reservation = aReservation({ status: 'CONFIRMED', lines: TWO_PLACES });
    expect(reservation.fulfil(null, OVER_AT + 1)).toBe('changed');
    expect(reservation.state.status).toBe('FULFILLED');
    expect(reservation.recordedEvents).toMatchObject([
      { type: 'reservation.fulfilled', data: { orderId: 'ORDER-1', locationId: null, complete: true } },
    ]);
    expect(reservation.fulfil(null, AT)).toBe('same');
    expect(reservation.fulfil('S1', AT)).toBe('same');
  });

  it('hands over location by location and is FULFILLED with the last', () => {
    const reservation = aReservation({ status: 'CONFIRMED', lines: TWO_PLACES });
    expect(reservation.fulfil('S1', AT)).toBe('changed');
    expect(reservation.state.status).toBe('CONFIRMED');
    expect(reservation.state.lines.map(({ allocations }) => allocations[0]?.fulfilled)).toEqual([true, false]);
    expect(reservation.fulfil('S1', AT)).toBe('same');
    expect(reservation.fulfil('S2', AT)).toBe('changed');
    expect(reservation.state).toMatchObject({ status: 'FULFILLED', version: 4 });
    expect(reservation.recordedEvents.map(({ data }) => data)).toMatchObject([
      { locationId: 'S1', complete: false },
      { locationId: 'S2', complete: true },
    ]);
  });

  it.each([
    ['ACTIVE', 'RESERVATION_NOT_CONFIRMED'],
    ['CANCELLED', 'RESERVATION_NOT_CONFIRMED'],
    ['EXPIRED', 'RESERVATION_EXPIRED'],
  ] as const)('is refused when %s with %s', (status, code) => {
    const reservation = aReservation({ status });
    expect(refusalOf(reservation, () => reservation.fulfil(null, AT))).toBe(code);
    expect(refusalOf(reservation, () => reservation.fulfil('S1', AT))).toBe(code);
  });

  it('is refused as expired when it is due', () => {
    const reservation = aReservation();
    expect(refusalOf(reservation, () => reservation.fulfil(null, OVER_AT))).toBe('RESERVATION_EXPIRED');
  });

  it('is refused at a location where it has nothing, whatever its status', () => {
    for (const status of ['ACTIVE', 'CONFIRMED', 'FULFILLED', 'CANCELLED', 'EXPIRED'] as const) {
      const reservation = aReservation({ status });
      expect(refusalOf(reservation, () => reservation.fulfil('S9', AT))).toBe('UNKNOWN_LOCATION');
    }
  });
});

describe('Reservation.pickUp', () => {
  it('is a fact about one location, once', () => {
    const reservation = aReservation({ status: 'CONFIRMED', lines: TWO_PLACES });
    expect(reservation.pickUp('S1', AT)).toBe('changed');
    expect(reservation.pickUp('S1', AT)).toBe('same');
    expect(reservation.state.status).toBe('CONFIRMED');
    expect(reservation.pickUp('S2', AT)).toBe('changed');
    expect(reservation.state.status).toBe('FULFILLED');
    expect(reservation.pickUp('S2', AT)).toBe('same');
  });

  it.each(['ACTIVE', 'CANCELLED', 'EXPIRED'] as const)('is refused when %s: nobody paid for it', (status) => {
    const reservation = aReservation({ status });
    expect(refusalOf(reservation, () => reservation.pickUp('S1', AT))).toBe('RESERVATION_NOT_CONFIRMED');
  });

  it('is refused where it has no units', () => {
    const reservation = aReservation({ status: 'CONFIRMED' });
    expect(refusalOf(reservation, () => reservation.pickUp('S9', AT))).toBe('UNKNOWN_LOCATION');
  });
});
