import { Disagreement, show } from '../model/explain.ts';
import { placeOf } from '../model/world.ts';
import { TENANT } from '../world/server.ts';
import type { Store, TillEvent } from './stores.ts';
import type { Telling } from './telling.ts';

/** A movement that a store has reported, or (origin null) that the centre made at its location. */
interface Movement {
  readonly movementId: string;
  readonly sku: string;
  readonly type: string;
  readonly delta: number;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly origin: string | null;
  readonly epoch: number | null;
  readonly sequence: number | null;
}

const MOVEMENTS = `SELECT movement_id AS "movementId", sku AS "sku", type AS "type", delta AS "delta", reason AS "reason",
    reference AS "reference", origin AS "origin", origin_epoch AS "epoch", origin_sequence AS "sequence"
  FROM movements WHERE tenant_id = :tenant AND location_id = :locationId ORDER BY sku, item_version`;

/** Of a COUNT that only takes back what a late fact has moved, because a later count has seen it. */
const RESTORED = 'Seen by a later count of the store';

/** Rule 8 for what stores report: whatever the network did, each event counts once, as what it said, at its place. */
export function checkStores(telling: Telling): void {
  for (const store of telling.stores) {
    const movements = telling.database.rows<Movement>(TENANT, MOVEMENTS, { locationId: store.locationId });
    checkContents(store, movements);
    for (const sku of new Set(movements.map((one) => one.sku))) {
      checkOnHand(
        telling,
        store,
        movements.filter((one) => one.sku === sku),
      );
    }
  }
}

/** @returns ids of events that have moved something */
export function movedEvents({ database }: Telling, store: Store): Set<string> {
  const movements = database.rows<Movement>(TENANT, MOVEMENTS, { locationId: store.locationId });
  return new Set(movements.flatMap((one) => eventOf(store, one)?.id ?? []));
}

function checkContents(store: Store, movements: readonly Movement[]): void {
  const counted = new Set<string>();
  for (const one of movements) {
    if (one.origin === null || one.reason === RESTORED) continue;
    const event = eventOf(store, one);
    if (event === undefined) throw new Disagreement(`${store.locationId} has never told what moved ${show(one)}`);
    const name = `${event.id} ${one.sku}`;
    if (counted.has(name)) throw new Disagreement(`${event.id} of ${store.locationId} has moved something twice`);
    counted.add(name);
    if (!says(event, one)) throw new Disagreement(`${show(event)} has moved ${show(one)}`);
  }
}

function eventOf(store: Store, { epoch, sequence }: Movement): TillEvent | undefined {
  return epoch === null ? undefined : store.told.get(`${epoch} ${sequence}`);
}

const DIRECTION: Readonly<Record<string, { type: string; sign: number }>> = {
  sale: { type: 'SALE', sign: -1 },
  'write-off': { type: 'WRITE_OFF', sign: -1 },
  return: { type: 'RETURN', sign: 1 },
  receipt: { type: 'RECEIPT', sign: 1 },
  adjustment: { type: 'ADJUSTMENT', sign: 1 },
};

function says({ type, data }: TillEvent, moved: Movement): boolean {
  if (type === 'pickup') return moved.type === 'FULFILMENT';
  if (type === 'count') return moved.type === 'COUNT' && moved.sku === data['sku'];
  const direction = DIRECTION[type];
  return (
    direction?.type === moved.type &&
    moved.sku === data['sku'] &&
    moved.delta === direction.sign * Number(data['quantity'])
  );
}

/**
 * On-hand is what the last count found, with what the centre has moved that it cannot have seen, and with what the store
 * has told of since; whatever came first.
 */
function checkOnHand({ record }: Telling, store: Store, movements: readonly Movement[]): void {
  const [first] = movements;
  if (first === undefined) return;
  const counts = movements.filter(
    ({ type, origin, reason }) => type === 'COUNT' && origin !== null && reason !== RESTORED,
  );
  const last = counts.sort(byPlace).at(-1);
  if (last === undefined) return;
  const data = eventOf(store, last)?.data ?? {};
  const positions = new Map(record.log.map((event) => [event.data['movementId'], event.position]));
  const unseen = movements.filter((one) =>
    one.origin === null
      ? (positions.get(one.movementId) ?? Infinity) > Number(data['cursor'])
      : one.type !== 'COUNT' && byPlace(one, last) > 0,
  );
  const expected = unseen.reduce((sum, { delta }) => sum + delta, Number(data['counted']));
  const item = record.world.items.get(placeOf(first.sku, store.locationId));
  if (item?.onHand !== expected) {
    const counted = `${first.sku} at ${store.locationId}, counted by ${show(last)}`;
    throw new Disagreement(`${counted}, has to be ${expected} and is ${item?.onHand ?? 'not there'}`);
  }
}

function byPlace(a: Movement, b: Movement): number {
  return (a.epoch ?? 0) - (b.epoch ?? 0) || (a.sequence ?? 0) - (b.sequence ?? 0);
}
