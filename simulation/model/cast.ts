import type { HoldLine, TransferView } from '../../src/modules/inventory/contract.ts';
import type { ReservationStatus } from '../../src/modules/reservation/contract.ts';
import type { Instant } from '../../src/shared/kernel/clock.ts';
import type { Request, Sent } from './requests.ts';
import { type Ask, LOCATIONS, type Sending } from './asks.ts';
import { isOver, itemAt, type Kept, type World } from './world.ts';

/* Turns what a story has drawn into requests about what is there at that moment. */

type AskOnReservation = Extract<Ask, { reservation: number }>;
type AskOnTransfer = Extract<Ask, { transfer: number }>;

const NO_SUCH_RESERVATION = 'no-such-reservation';
const NO_SUCH_TRANSFER = 'no-such-transfer';

/** @param keyedBefore requests that were sent under a key, oldest first */
export function castSending(sending: Sending, name: string, world: World, at: Instant, keyedBefore: Sent[]): Sent {
  const correlationId = name;
  if (sending.send !== 'new') {
    const earlier = keyedBefore.at(-1 - (sending.earlier % Math.max(1, keyedBefore.length)));
    if (earlier !== undefined && sending.send === 'again') return { ...earlier, correlationId };
    if (earlier !== undefined && sending.send === 'misuse') {
      return { request: castAsk(sending.what, world, at), key: earlier.key, correlationId };
    }
  }
  const what: Ask = sending.send === 'again' ? { ask: 'sweep', everything: false } : sending.what;
  const key = 'keyed' in what && what.keyed ? `key-${name}` : null;
  return { request: castAsk(what, world, at), key, correlationId };
}

function castAsk(ask: Ask, world: World, at: Instant): Request {
  switch (ask.ask) {
    case 'putLocation': {
      const { locationId, priority, sellsOnline } = ask;
      return { kind: ask.ask, locationId, priority, sellsOnline };
    }
    case 'putProduct': {
      const { sku, lowStockThreshold, active } = ask;
      return { kind: ask.ask, sku, lowStockThreshold, active };
    }
    case 'move': {
      const { sku, locationId, type } = ask;
      const quantity = type === 'ADJUSTMENT' ? ask.quantity : Math.abs(ask.quantity);
      return { kind: ask.ask, sku, locationId, type, quantity, ifMatch: itemVersion(ask, world) };
    }
    case 'count': {
      const { sku, locationId, counted } = ask;
      return { kind: ask.ask, sku, locationId, counted, ifMatch: itemVersion(ask, world) };
    }
    case 'policy': {
      const { sku, locationId, safetyStock } = ask;
      return { kind: ask.ask, sku, locationId, safetyStock, ifMatch: itemVersion(ask, world) };
    }
    case 'create': {
      const { lines, ttlSeconds, cartId } = ask;
      return { kind: ask.ask, lines, ttlSeconds, cartId };
    }
    case 'dispatch': {
      const { sku, from: fromLocationId, quantity } = ask;
      const toLocationId = LOCATIONS[(placeNumber(fromLocationId) + ask.onward) % LOCATIONS.length] ?? 'L9';
      return { kind: ask.ask, sku, fromLocationId, toLocationId, quantity };
    }
    case 'receive':
    case 'cancelTransfer':
      return castOnTransfer(ask, transferFor(ask, world));
    case 'report': {
      const { locationId, contactMsAgo, pushed, restarted, policy } = ask;
      const receivedAt = ask.repeats ? null : at;
      const report = {
        ...(contactMsAgo === null ? {} : { contactAt: at - contactMsAgo }),
        ...(pushed === null ? {} : { pushed: { lastSequence: pushed, receivedAt } }),
        ...(restarted ? { restarted } : {}),
        ...(policy === null ? {} : { policy }),
      };
      return { kind: ask.ask, locationId, report };
    }
    case 'sweep':
      return { kind: ask.ask, ids: idsToSweep(world, at, ask.everything) };
    case 'replace':
    case 'adjust':
    case 'refresh':
    case 'confirm':
    case 'cancel':
    case 'fulfil':
      return castOnReservation(ask, reservationFor(ask, world, at));
  }
}

function castOnReservation(ask: AskOnReservation, kept: Kept | undefined): Request {
  const id = kept?.id ?? NO_SUCH_RESERVATION;
  const ifMatch = versionToMatch(ask.match, kept?.version ?? 0);
  switch (ask.ask) {
    case 'replace':
      return { kind: 'update', id, lines: ask.lines, ttlSeconds: ask.ttlSeconds, ifMatch };
    case 'adjust':
      return { kind: 'update', id, lines: adjusted(kept?.lines ?? [], ask), ttlSeconds: ask.ttlSeconds, ifMatch };
    case 'refresh':
      return { kind: 'refresh', id, ttlSeconds: ask.ttlSeconds, ifMatch };
    case 'confirm':
      return { kind: 'confirm', id, orderId: ask.orderId, ifMatch };
    case 'cancel':
      return { kind: 'cancel', id, ifMatch };
    case 'fulfil':
      return { kind: 'fulfil', id, locationId: placeToFulfil(kept?.lines ?? [], ask), ifMatch };
  }
}

function castOnTransfer(ask: AskOnTransfer, transfer: TransferView | undefined): Request {
  const id = transfer?.id ?? NO_SUCH_TRANSFER;
  const ifMatch = versionToMatch(ask.match, transfer?.version ?? 0);
  if (ask.ask === 'cancelTransfer') return { kind: ask.ask, id, ifMatch };
  const quantity = ask.percent === null ? null : Math.ceil(((transfer?.quantity ?? 1) * ask.percent) / 100);
  return { kind: ask.ask, id, quantity, ifMatch };
}

/** Mostly one that is on its way, the latest first; now and then one that does not exist. */
function transferFor({ transfer: pick }: AskOnTransfer, { transfers }: World): TransferView | undefined {
  const all = [...transfers.values()];
  const onTheWay = all.filter(({ status }) => status === 'IN_TRANSIT');
  const among = pick % 4 > 0 && onTheWay.length > 0 ? onTheWay : all;
  return pick % 29 === 28 ? undefined : among.at(-1 - (Math.floor(pick / 4) % Math.max(1, among.length)));
}

/** A place that does not exist is sent to the first one. */
function placeNumber(locationId: string): number {
  return LOCATIONS.findIndex((place) => place === locationId);
}

/** Most picks are among those where the request may succeed; now and then it is one that does not exist. */
function reservationFor({ ask, reservation: pick }: AskOnReservation, world: World, at: Instant): Kept | undefined {
  const all = [...world.reservations.values()];
  const fitting = all.filter((kept) => FITTING[ask].includes(kept.status) && !isOver(kept, at));
  const among = pick % 4 > 0 && fitting.length > 0 ? fitting : all;
  return pick % 29 === 28 ? undefined : among.at(-1 - (Math.floor(pick / 4) % Math.max(1, among.length)));
}

const FITTING: Record<AskOnReservation['ask'], readonly ReservationStatus[]> = {
  replace: ['ACTIVE'],
  adjust: ['ACTIVE'],
  refresh: ['ACTIVE'],
  confirm: ['ACTIVE'],
  cancel: ['ACTIVE', 'CONFIRMED'],
  fulfil: ['CONFIRMED'],
};

function placeToFulfil(lines: Kept['lines'], ask: Extract<Ask, { ask: 'fulfil' }>): string | null {
  if (ask.where === 'everywhere') return null;
  const own = lines.flatMap(({ allocations }) => allocations.map(({ locationId }) => locationId));
  const among = ask.where === 'anywhere' || own.length === 0 ? [...LOCATIONS, 'L9'] : own;
  return among[ask.place % among.length] ?? null;
}

function itemVersion(ask: { sku: string; locationId: string; match: 'none' | 'current' | 'stale' }, world: World) {
  return versionToMatch(ask.match, itemAt(world, ask.sku, ask.locationId).version);
}

function versionToMatch(match: 'none' | 'current' | 'stale', version: number): number | null {
  return match === 'none' ? null : match === 'current' ? version : Math.max(0, version - 1);
}

/** The lines as they are but for one, which grows, shrinks, goes, moves or comes. */
function adjusted(lines: Kept['lines'], ask: Extract<Ask, { ask: 'adjust' }>): HoldLine[] {
  const wanted = lines.map(({ sku, quantity, locationId }) => ({ sku, quantity, locationId }));
  const index = ask.line % (wanted.length + 1);
  const line = wanted[index];
  if (line === undefined) return [...wanted, { sku: 'A', quantity: Math.abs(ask.more) + 1, locationId: ask.to }];
  const locationId = ask.line % 4 === 3 ? ask.to : line.locationId;
  const next = wanted.with(index, { ...line, quantity: line.quantity + ask.more, locationId });
  const left = next.filter(({ quantity }) => quantity > 0);
  return left.length > 0 ? left : wanted;
}

function idsToSweep({ reservations }: World, at: Instant, everything: boolean): string[] {
  const all = [...reservations.values()];
  return (everything ? all : all.filter((kept) => isOver(kept, at))).map(({ id }) => id);
}
