import { type HoldLine, RECORDABLE_MOVEMENTS } from '../../src/modules/inventory/contract.ts';
import type { Chance } from '../chance.ts';
import { type Ask, LOCATIONS, SKUS } from '../model/asks.ts';
import type { Request } from '../model/requests.ts';
import { balancesOf, holdsOf, itemAt, type World } from '../model/world.ts';

/** How often each is asked for. What a location's keeper tells is told by stores here. */
const ASKS = {
  putLocation: 1,
  putProduct: 2,
  move: 6,
  count: 2,
  policy: 1,
  create: 10,
  replace: 3,
  adjust: 6,
  refresh: 3,
  confirm: 6,
  cancel: 2,
  fulfil: 5,
  dispatch: 3,
  receive: 2,
  cancelTransfer: 1,
} satisfies Partial<Record<Ask['ask'], number>>;

/** Every request has a key: a client that is not answered asks again. */
export function drawAsk(chance: Chance): Ask {
  const ask = chance.weighted(ASKS);
  const common = {
    keyed: true,
    match: chance.happens(0.1) ? chance.pick(['current', 'stale'] as const) : 'none',
  } as const;
  const sku = mistaken(chance, chance.pick([...SKUS]) as string, 'Z');
  const place = (): string => mistaken(chance, chance.pick([...LOCATIONS]) as string, 'L9');
  const number = chance.whole(0, 60);
  switch (ask) {
    case 'putLocation':
      return {
        ask,
        ...common,
        locationId: chance.pick([...LOCATIONS]),
        priority: chance.whole(0, 1),
        sellsOnline: chance.happens(0.8),
      };
    case 'putProduct': {
      const lowStockThreshold = chance.pick([null, null, 0, 3]);
      return { ask, ...common, sku: chance.pick([...SKUS, 'NEW']), lowStockThreshold, active: chance.happens(0.85) };
    }
    case 'move': {
      const type = chance.pick([...RECORDABLE_MOVEMENTS, 'SALE', 'SALE', 'RECEIPT'] as const);
      return { ask, ...common, sku, locationId: place(), type, quantity: chance.pick([-4, -1, 1, 2, 3, 5, 8, 12]) };
    }
    case 'count':
      return { ask, ...common, sku, locationId: place(), counted: chance.pick([0, 1, 2, 4, 7]) };
    case 'policy':
      return { ask, ...common, sku, locationId: place(), safetyStock: chance.whole(0, 3) };
    case 'create':
      return {
        ask,
        ...common,
        lines: drawLines(chance),
        ttlSeconds: drawTtl(chance),
        cartId: chance.pick([null, null, 'K1', 'K2']),
      };
    case 'replace':
      return { ask, ...common, reservation: number, lines: drawLines(chance), ttlSeconds: drawTtl(chance) };
    case 'adjust': {
      const more = chance.pick([-3, -2, -1, 0, 1, 2, 4, 8]);
      return {
        ask,
        ...common,
        reservation: number,
        line: chance.whole(0, 60),
        more,
        to: drawPlaceOrNone(chance),
        ttlSeconds: drawTtl(chance),
      };
    }
    case 'refresh':
      return { ask, ...common, reservation: number, ttlSeconds: chance.pick([null, 1, 60, 300, 900]) };
    case 'confirm':
      return { ask, ...common, reservation: number, orderId: chance.pick(['O1', 'O2']) };
    case 'cancel':
      return { ask, ...common, reservation: number };
    case 'fulfil': {
      const where = chance.pick([
        'everywhere',
        'everywhere',
        'at one of its places',
        'at one of its places',
        'anywhere',
      ] as const);
      return { ask, ...common, reservation: number, where, place: chance.whole(0, 60) };
    }
    case 'dispatch':
      return { ask, ...common, sku, from: place(), onward: chance.whole(1, 2), quantity: chance.pick([1, 2, 3, 5, 8]) };
    case 'receive':
      return { ask, ...common, transfer: number, percent: chance.pick([null, null, 0, 40, 70, 100, 150]) };
    case 'cancelTransfer':
      return { ask, ...common, transfer: number };
  }
}

/** What somebody may want of a reservation, or of the units that it has; undefined: nothing. */
export function aboutReservation(chance: Chance, world: World, id: string): Request | undefined {
  const kept = world.reservations.get(id);
  const [hold] = holdsOf(world, id);
  const ifMatch = null;
  switch (chance.pick(['confirm', 'refresh', 'cancel', 'update', 'fulfil', 'take', 'take', 'same cart'] as const)) {
    case 'confirm':
      return { kind: 'confirm', id, orderId: 'O1', ifMatch };
    case 'refresh':
      return { kind: 'refresh', id, ttlSeconds: 60, ifMatch };
    case 'cancel':
      return { kind: 'cancel', id, ifMatch };
    case 'fulfil':
      return { kind: 'fulfil', id, locationId: null, ifMatch };
    case 'update': {
      const lines = (kept?.lines ?? []).map(({ sku, quantity, locationId }) => ({ sku, quantity, locationId }));
      return lines.length === 0 ? undefined : { kind: 'update', id, lines, ttlSeconds: null, ifMatch };
    }
    case 'same cart': {
      const lines = [{ sku: 'A', quantity: 1, locationId: null }];
      return { kind: 'create', lines, ttlSeconds: null, cartId: kept?.cartId ?? null };
    }
    case 'take': {
      if (hold === undefined) return undefined;
      const { sku, locationId, units } = hold;
      const { available } = balancesOf(world, itemAt(world, sku, locationId));
      const quantity = Math.max(1, available + chance.whole(1, units));
      return { kind: 'create', lines: [{ sku, quantity, locationId }], ttlSeconds: null, cartId: null };
    }
  }
}

export function drawLines(chance: Chance): HoldLine[] {
  return Array.from({ length: chance.whole(1, 3) }, () => ({
    sku: mistaken(chance, chance.pick([...SKUS]) as string, 'Z'),
    quantity: chance.pick([1, 1, 2, 2, 3, 4, 6]),
    locationId: drawPlaceOrNone(chance),
  }));
}

function drawTtl(chance: Chance): number | null {
  return chance.pick([null, null, null, 1, 20, 60, 300, 900]);
}

function drawPlaceOrNone(chance: Chance): string | null {
  return chance.happens(0.6) ? null : mistaken(chance, chance.pick([...LOCATIONS]) as string, 'L9');
}

function mistaken<T>(chance: Chance, usual: T, mistake: T): T {
  return chance.happens(0.02) ? mistake : usual;
}
