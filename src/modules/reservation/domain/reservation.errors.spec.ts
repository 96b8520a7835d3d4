import { BUILT_AT } from '../../../../test/support/builders.ts';
import {
  AlreadyConfirmed,
  AlreadyFulfilled,
  CartAlreadyReserved,
  HoldLifetimeExceeded,
  NothingAtLocation,
  ReservationIsExpired,
  ReservationNotActive,
  ReservationNotConfirmed,
  ReservationNotFound,
} from './reservation.errors.ts';

const PROBLEM_MEMBERS = ['type', 'title', 'status', 'detail', 'instance', 'code', 'correlationId'];
const instant = '2026-01-01T00:00:00.000Z';

describe('The refusals of reservation', () => {
  it.each([
    [new ReservationNotFound('R-1'), 'NOT_FOUND', 'missing', { reservationId: 'R-1' }],
    [new ReservationIsExpired(BUILT_AT), 'RESERVATION_EXPIRED', 'refused', { expiresAt: instant }],
    [new ReservationNotActive('CANCELLED'), 'RESERVATION_NOT_ACTIVE', 'refused', { reservationStatus: 'CANCELLED' }],
    [new ReservationNotConfirmed('ACTIVE'), 'RESERVATION_NOT_CONFIRMED', 'refused', { reservationStatus: 'ACTIVE' }],
    [new AlreadyConfirmed('CONFIRMED'), 'ALREADY_CONFIRMED', 'refused', { reservationStatus: 'CONFIRMED' }],
    [new AlreadyFulfilled('FULFILLED'), 'ALREADY_FULFILLED', 'refused', { reservationStatus: 'FULFILLED' }],
    [new CartAlreadyReserved('R-1'), 'CART_ALREADY_RESERVED', 'refused', { reservationId: 'R-1' }],
    [new HoldLifetimeExceeded(BUILT_AT), 'HOLD_LIFETIME_EXCEEDED', 'unprocessable', { lifetimeEndsAt: instant }],
    [new NothingAtLocation('S1'), 'UNKNOWN_LOCATION', 'unprocessable', { locationIds: ['S1'] }],
  ])('%s: code, kind and details, none named like a member of the problem document', (refusal, code, kind, details) => {
    expect({ code: refusal.code, kind: refusal.kind, details: refusal.details }).toEqual({ code, kind, details });
    expect(Object.keys(refusal.details).filter((name) => PROBLEM_MEMBERS.includes(name))).toEqual([]);
  });
});
