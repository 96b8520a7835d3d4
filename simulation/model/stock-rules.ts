import type {
  Balances,
  LocationView,
  RecordableMovement,
  ReleaseCause,
  StockItemView,
} from '../../src/modules/inventory/contract.ts';
import { type Instant, toIsoInstant } from '../../src/shared/kernel/clock.ts';
import type { RequestOf } from './requests.ts';
import {
  balancesOf,
  type Hold,
  holdsAt,
  isDue,
  type Item,
  itemAt,
  keptBack,
  placeOf,
  Refused,
  viewItem,
  type Work,
} from './world.ts';

/* Rules 1, 2 and 5 of DESIGN section 3 for stock items, and the catalogue that they need. */

/** Every change of an item: a version, an event with the balances after it, and the alarms that it sets off. */
export function changeItem(
  work: Work,
  item: Item,
  type: string,
  data: object,
  change: () => void,
  alarms: 'loudly' | 'quietly' = 'loudly',
): void {
  const { world, at } = work;
  const { sku, locationId } = item;
  const before = balancesOf(world, item);
  const wasLow = isLow(item, before);
  world.items.set(placeOf(sku, locationId), item);
  change();
  item.version += 1;
  item.updatedAt = at;
  const stock = balancesOf(world, item);
  const publish = (kind: string, more: object): void => {
    work.events.push({
      type: `inventory.stock.${kind}`,
      subject: `stock/${sku}/${locationId}`,
      subjectVersion: item.version,
      locationId,
      occurredAt: at,
      data: { sku, locationId, ...more, stock },
    });
  };
  publish(type, data);
  if (alarms === 'quietly') return;
  const shortBy = shortage(stock);
  if (shortBy > 0 && shortBy > shortage(before)) publish('oversold', { shortBy });
  if (isLow(item, stock) && !wasLow) publish('low', { lowStockThreshold: item.lowStockThreshold });
}

function isLow({ lowStockThreshold }: Item, { available }: Balances): boolean {
  return lowStockThreshold !== null && available <= lowStockThreshold;
}

/** Units that are promised and not there. */
function shortage({ onHand, held, committed }: Balances): number {
  return held + committed - onHand;
}

export function putLocation({ world, at }: Work, request: RequestOf<'putLocation'>): object {
  const { locationId, priority, sellsOnline } = request;
  const stored = world.locations.get(locationId);
  if (stored?.priority === priority && stored.sellsOnline === sellsOnline) return { location: stored, created: false };
  const name = `Place ${locationId}`;
  const version = (stored?.version ?? 0) + 1;
  const times = { createdAt: stored?.createdAt ?? at, updatedAt: at };
  const location = { locationId, name, kind: 'STORE' as const, priority, sellsOnline, version, ...times };
  world.locations.set(locationId, location);
  return { location, created: stored === undefined };
}

/** The items of a product follow its threshold. */
export function putProduct(work: Work, { sku, lowStockThreshold, active }: RequestOf<'putProduct'>): object {
  const { world, at } = work;
  const stored = world.products.get(sku);
  if (stored?.lowStockThreshold === lowStockThreshold && stored.active === active) {
    return { product: stored, created: false };
  }
  const times = { createdAt: stored?.createdAt ?? at, updatedAt: at };
  const version = (stored?.version ?? 0) + 1;
  const product = { sku, name: `Thing ${sku}`, lowStockThreshold, active, version, ...times };
  world.products.set(sku, product);
  if (stored === undefined) {
    work.events.push({
      type: 'inventory.product.created',
      subject: `product/${sku}`,
      subjectVersion: version,
      locationId: null,
      occurredAt: at,
      data: { sku, name: product.name, lowStockThreshold, active },
    });
  }
  for (const item of world.items.values()) {
    if (item.sku !== sku || item.lowStockThreshold === lowStockThreshold) continue;
    changeItem(work, item, 'policy-changed', { safetyStock: item.safetyStock, lowStockThreshold }, () => {
      item.lowStockThreshold = lowStockThreshold;
    });
  }
  return { product, created: stored === undefined };
}

export function assertVersion(ifMatch: number | null, version: number): void {
  if (ifMatch !== null && ifMatch !== version) throw new Refused('VERSION_MISMATCH');
}

interface NamedItem {
  readonly sku: string;
  readonly locationId: string;
  readonly ifMatch: number | null;
}

/** What the path names has to exist and be at the wanted version. */
function itemInPath({ world }: Work, { sku, locationId, ifMatch }: NamedItem): Item {
  if (!world.products.has(sku) || !world.locations.has(locationId)) throw new Refused('NOT_FOUND');
  const item = itemAt(world, sku, locationId);
  assertVersion(ifMatch, item.version);
  return item;
}

/** What takes units is a command and may be refused; what brings some is a fact. */
export function move(work: Work, request: RequestOf<'move'>): object {
  const item = itemInPath(work, request);
  const { sku, locationId, type: movementType, quantity } = request;
  const delta = movementType === 'SALE' || movementType === 'WRITE_OFF' ? -quantity : quantity;
  if (delta < 0) {
    const isSale = movementType === 'SALE';
    if (isSale && work.world.products.get(sku)?.active === false) refuseUnits(sku, locationId, -delta, 0);
    // A sale may be told of other places that sell online, what only takes units of all of them.
    makeRoom(work, item, -delta, (place) => !isSale || place.sellsOnline);
  }
  return record(work, item, movementType, delta);
}

export function count(work: Work, request: RequestOf<'count'>): object {
  const item = itemInPath(work, request);
  return record(work, item, 'COUNT', request.counted - item.onHand);
}

function record(work: Work, item: Item, movementType: RecordableMovement | 'COUNT', delta: number): object {
  const data = { movementType, delta, reason: null, reference: null };
  changeItem(work, item, 'moved', data, () => {
    item.onHand += delta;
  });
  return { movementId: work.witness.movementId, stock: viewItem(work.world, item, work.at) };
}

/** What a store has told of an item: recorded, whatever becomes of on-hand. */
export function recordFact(
  work: Work,
  { sku, locationId }: { sku: string; locationId: string },
  told: { movementType: string; delta: number; reason: string | null; reference: string | null },
): void {
  const item = itemAt(work.world, sku, locationId);
  changeItem(work, item, 'moved', told, () => {
    item.onHand += told.delta;
  });
}

/** Never refused; it limits only what commands may still take. */
export function setPolicy(work: Work, request: RequestOf<'policy'>): StockItemView {
  const item = itemInPath(work, request);
  const { safetyStock } = request;
  if (safetyStock !== item.safetyStock) {
    changeItem(work, item, 'policy-changed', { safetyStock, lowStockThreshold: item.lowStockThreshold }, () => {
      item.safetyStock = safetyStock;
    });
  }
  return viewItem(work.world, item, work.at);
}

function refuseUnits(
  sku: string,
  locationId: string,
  requested: number,
  available: number,
  alternatives: readonly object[] = [],
): never {
  const shortages = [{ sku, locationId, requested, available: Math.max(0, available) }];
  throw new Refused('INSUFFICIENT_STOCK', { shortages, alternatives });
}

/** Where else a command could take units of the sku; places that do not sell online come last. */
function elsewhere(work: Work, sku: string, fits: (place: LocationView) => boolean): object[] {
  return [...work.world.locations.values()]
    .filter(fits)
    .map((place) => ({ ...place, available: reachable(work, sku, place.locationId) }))
    .filter(({ available }) => available > 0)
    .sort(
      (a, b) =>
        Number(b.sellsOnline) - Number(a.sellsOnline) ||
        a.priority - b.priority ||
        b.available - a.available ||
        (a.locationId < b.locationId ? -1 : 1),
    )
    .map(({ locationId, available }) => ({ sku, locationId, available }));
}

/** What a command could take here now: holds that are over are free for it. May be negative. */
export function reachable({ world, at }: Work, sku: string, locationId: string): number {
  return viewItem(world, itemAt(world, sku, locationId), at).available;
}

/**
 * Rule 5: a command that is short first releases due holds, oldest first and no more than it needs; if all of them do
 * not suffice, none. Of holds that end together the one that was given first is the oldest: ids rise with time.
 */
export function makeRoom(
  work: Work,
  item: Item,
  units: number,
  fitsElsewhere: (place: LocationView) => boolean = () => false,
): void {
  const { world, at } = work;
  const { sku, locationId } = item;
  const most = reachable(work, sku, locationId);
  if (most < units) {
    const fits = (place: LocationView): boolean => place.locationId !== locationId && fitsElsewhere(place);
    refuseUnits(sku, locationId, units, most, elsewhere(work, sku, fits));
  }
  const due = holdsAt(world, sku, locationId).filter((hold) => isDue(hold, at));
  due.sort((a, b) => a.expiresAt - b.expiresAt || (a.holdId < b.holdId ? -1 : 1));
  for (const hold of due) {
    if (balancesOf(world, item).available - keptBack(world, item, at) >= units) return;
    release(work, hold, hold.units, 'EXPIRED');
  }
}

function holdName(hold: Pick<Hold, 'holdId' | 'sku' | 'locationId'>): string {
  return `${hold.holdId} ${placeOf(hold.sku, hold.locationId)}`;
}

/** Sets units aside, of which commands could take as many. */
export function hold(work: Work, wanted: Omit<Hold, 'state'>): void {
  const { holdId, sku, locationId, units, expiresAt } = wanted;
  const item = itemAt(work.world, sku, locationId);
  makeRoom(work, item, units);
  changeItem(work, item, 'held', { holdId, units, expiresAt: toIsoInstant(expiresAt) }, () => {
    const present = work.world.holds.get(holdName(wanted));
    if (present === undefined) work.world.holds.set(holdName(wanted), { ...wanted, state: 'HELD' });
    else present.units += units;
  });
}

/**
 * Moves the end of a hold. To end earlier is a change of the item, because others may have those units earlier.
 * @param kept units that it had before and still has
 */
export function renew(work: Work, given: Hold, expiresAt: Instant, kept: number): void {
  const { holdId, sku, locationId } = given;
  const isEarlier = expiresAt < given.expiresAt;
  given.expiresAt = expiresAt;
  if (!isEarlier || kept === 0) return;
  const data = { holdId, units: kept, expiresAt: toIsoInstant(expiresAt) };
  changeItem(work, itemAt(work.world, sku, locationId), 'hold-shortened', data, () => undefined);
}

export function release(work: Work, given: Hold, units: number, cause: ReleaseCause): void {
  const { holdId, sku, locationId, state } = given;
  const item = itemAt(work.world, sku, locationId);
  changeItem(work, item, 'released', { holdId, units, from: state, cause }, () => {
    given.units -= units;
    if (given.units === 0) work.world.holds.delete(holdName(given));
  });
}

export function commit(work: Work, given: Hold): void {
  const { holdId, sku, locationId, units } = given;
  changeItem(work, itemAt(work.world, sku, locationId), 'committed', { holdId, units }, () => {
    given.state = 'COMMITTED';
  });
}

/** Committed units leave the shelves, from all of them or from none; what was picked up has left, on hand or not. */
export function fulfilUnits(
  work: Work,
  given: readonly Hold[],
  reference: string,
  by: 'command' | 'pickup' = 'command',
): void {
  const { world } = work;
  const short = given.filter(({ sku, locationId, units }) => itemAt(world, sku, locationId).onHand < units);
  if (short.length > 0 && by === 'command') {
    const shortages = short.map(({ sku, locationId, units }) => {
      const available = Math.max(0, itemAt(world, sku, locationId).onHand);
      return { sku, locationId, requested: units, available };
    });
    throw new Refused('INSUFFICIENT_STOCK', { shortages, alternatives: [] });
  }
  for (const one of given) {
    const item = itemAt(world, one.sku, one.locationId);
    const data = { movementType: 'FULFILMENT', delta: -one.units, reason: null, reference, holdId: one.holdId };
    changeItem(work, item, 'moved', data, () => {
      item.onHand -= one.units;
      world.holds.delete(holdName(one));
    });
  }
}
