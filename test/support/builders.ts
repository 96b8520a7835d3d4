import type { TransferStatus } from '../../src/modules/inventory/contract.ts';
import type { KnownFreshness } from '../../src/modules/inventory/domain/location-freshness.ts';
import { StockItem } from '../../src/modules/inventory/domain/stock-item.ts';
import { Transfer } from '../../src/modules/inventory/domain/transfer.ts';
import { type AllocatedLine, Reservation } from '../../src/modules/reservation/domain/reservation.ts';
import type { ReservationStatus } from '../../src/modules/reservation/contract.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';

/** When everything in these builders happens, unless told otherwise: 2026-01-01T00:00:00.000Z. */
export const BUILT_AT: Instant = 1_767_225_600_000;

/**
 * A stock item that came to be through its verbs; its events have been taken.
 * More held and committed than on hand: it had enough until a count found less.
 * @param wanted.onHand 0 or more
 */
export function aStockItem(
  wanted: {
    sku?: string;
    locationId?: string;
    onHand?: number;
    held?: number;
    committed?: number;
    incoming?: number;
    safetyStock?: number;
    lowStockThreshold?: number | null;
    /** Of its location; left out: DIRECT. */
    freshness?: KnownFreshness;
  } = {},
): StockItem {
  const { sku = 'SKU-1', locationId = 'S1', lowStockThreshold = null, freshness } = wanted;
  const { onHand = 0, held = 0, committed = 0, incoming = 0, safetyStock = 0 } = wanted;
  const promised = held + committed;
  const received = Math.max(onHand, promised);

  const item = StockItem.unstocked(sku, locationId, lowStockThreshold, undefined);
  if (received > 0) {
    item.move({ movementId: 'M-1', type: 'RECEIPT', units: received, reason: null, reference: null }, BUILT_AT);
  }
  if (promised > 0) item.hold(promised, 'H-1', BUILT_AT + 900_000, BUILT_AT);
  if (committed > 0) item.commit(committed, 'H-1', BUILT_AT);
  if (onHand < received) item.count(onHand, { movementId: 'M-2', reason: null }, BUILT_AT);
  if (incoming > 0) item.expect(incoming, 'T-1', BUILT_AT);
  item.setPolicy(safetyStock, BUILT_AT);
  item.takeEvents();
  return StockItem.of(item.state, freshness);
}

/** A transfer of four units from W1 to S1 that came to be through its verbs; its events have been taken. */
export function aTransfer(wanted: { status?: TransferStatus; received?: number } = {}): Transfer {
  const { status = 'IN_TRANSIT', received = 4 } = wanted;
  const units = { id: 'T-1', sku: 'SKU-1', fromLocationId: 'W1', toLocationId: 'S1', quantity: 4 };

  const transfer = Transfer.dispatch(units, BUILT_AT);
  if (status === 'RECEIVED') transfer.receive(received, 'said first', BUILT_AT);
  if (status === 'CANCELLED') transfer.cancel('said first', BUILT_AT);
  transfer.takeEvents();
  return transfer;
}

/** A line of a reservation with its units at one place: `aLine({ quantity: 2, at: 'S1' })`. */
export function aLine(
  wanted: { sku?: string; quantity?: number; locationId?: string | null; at?: string } = {},
): AllocatedLine {
  const { sku = 'SKU-1', quantity = 1, locationId = null, at = locationId ?? 'S1' } = wanted;
  return { sku, quantity, locationId, allocations: [{ locationId: at, quantity }] };
}

/** A reservation that came to be through its verbs; its events have been taken. Its order, if any, is `ORDER-1`. */
export function aReservation(
  wanted: {
    id?: string;
    status?: ReservationStatus;
    lines?: readonly AllocatedLine[];
    cartId?: string | null;
    ttlSeconds?: number;
    lifetimeMaxSeconds?: number;
    at?: Instant;
  } = {},
): Reservation {
  const { id = 'R-1', status = 'ACTIVE', lines = [aLine()], cartId = null, at = BUILT_AT } = wanted;
  const { ttlSeconds = 900, lifetimeMaxSeconds = 86_400 } = wanted;

  const whose = { id, clientId: 'C-1', tallied: false };
  const reservation = Reservation.create({ ...whose, lines, cartId, ttlSeconds, lifetimeMaxSeconds, at });
  if (status === 'CONFIRMED' || status === 'FULFILLED') reservation.confirm('ORDER-1', at);
  if (status === 'FULFILLED') reservation.fulfil(null, at);
  if (status === 'CANCELLED') reservation.cancel(null, at);
  if (status === 'EXPIRED') reservation.expire(reservation.state.expiresAt);
  reservation.takeEvents();
  return reservation;
}
