import { GetOrder } from '../../src/modules/sync/contract.ts';
import type { Chance } from '../chance.ts';
import { LOCATIONS, SKUS } from '../model/asks.ts';
import { Disagreement, show } from '../model/explain.ts';
import type { Request } from '../model/requests.ts';
import { holdsOf, isOver } from '../model/world.ts';
import { TENANT } from '../world/server.ts';
import { checkNotes } from './check-notes.ts';
import { checkStores, movedEvents } from './check-stores.ts';
import { NEW_SKU } from './draw-story.ts';
import type { Telling } from './telling.ts';

/** Rounds in which everything that failed is tried again; each has to need fewer. */
const ROUNDS_MAX = 12;
/** Longer than any pause of the relay, time-to-live or lifetime of a hold, and silence of a store. */
const LONG_SECONDS = 1_300;

/** Faults are over: everybody gets an answer, everything comes to rest, and nothing is left over that nobody can explain. */
export async function converge(telling: Telling, chance: Chance): Promise<void> {
  const { network, clients, stores, shop } = telling;
  telling.isCalm = true;
  network.isCalm = true;
  await telling.together(chance, [() => Promise.all(network.arrivals(chance, 1))]);
  await answerAll(telling, chance);
  if (clients.waiting > 0) throw new Disagreement(`${clients.waiting} clients still have no answer`);
  await telling.calmly(chance, plenty());
  for (const store of stores) {
    for (let round = 0; !store.isUpToDate; round += 1) {
      if (round === ROUNDS_MAX) throw new Disagreement(`${store.locationId} cannot tell all that it has recorded`);
      await telling.together(chance, [() => store.push(chance, 'all of it')]);
    }
  }
  await telling.together(chance, [() => shop.tellAll(chance)]);
  await closeLetters(telling, chance);
  await telling.pass(LONG_SECONDS);
  await closeLetters(telling, chance);
  await telling.pass(LONG_SECONDS);

  checkNotes(telling, 'in the end');
  checkStores(telling);
  checkEveryEvent(telling);
  checkNothingWaits(telling);
  checkHoldsOfEnded(telling);
  await checkOrders(telling, chance);
  await telling.record.audit();
}

async function answerAll(telling: Telling, chance: Chance): Promise<void> {
  for (let round = 0; telling.clients.waiting > 0 && round < 500; round += 1) {
    await telling.together(chance, [() => telling.clients.askAgain(chance, 0)]);
  }
}

/** What was wanting is there: the product that nobody knew, and goods for every order. */
function plenty(): Request[] {
  return [
    { kind: 'putProduct', sku: NEW_SKU, lowStockThreshold: null, active: true },
    ...SKUS.map((sku) => ({ kind: 'putProduct' as const, sku, lowStockThreshold: null, active: true })),
    ...LOCATIONS.map((locationId) => ({ kind: 'putLocation' as const, locationId, priority: 1, sellsOnline: true })),
    ...[...SKUS].flatMap((sku) =>
      LOCATIONS.map((locationId) => ({
        kind: 'move' as const,
        ...{ sku, locationId, type: 'RECEIPT' as const, quantity: 1_000, ifMatch: null },
      })),
    ),
  ];
}

/** Every letter is replayed once more, in order; those that are left have a reason that no replay can mend. */
async function closeLetters(telling: Telling, chance: Chance): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const letters = telling.operator.openLetters.filter(({ consumer }) => round === 0 || consumer !== STORE_EVENTS);
    if (letters.length === 0) return;
    for (const letter of letters) {
      await telling.together(chance, [() => telling.operator.send(chance, letter, 'replay')]);
    }
    await telling.pass(120);
  }
}

const STORE_EVENTS = 'sync.store-events';

/** Of what stores report: a thing of no shape, and goods that nobody had paid for or that were not there. */
const MAY_STAY_DEAD: Readonly<Record<string, readonly string[]>> = {
  VALIDATION_FAILED: ['sale'],
  NOT_FOUND: ['pickup'],
  RESERVATION_NOT_CONFIRMED: ['pickup'],
  RESERVATION_EXPIRED: ['pickup'],
  UNKNOWN_LOCATION: ['pickup'],
};

function checkNothingWaits(telling: Telling): void {
  for (const letter of telling.operator.openLetters) {
    const store = telling.stores.find(({ locationId }) => locationId === letter.locationId);
    const event = store?.events.find(({ id }) => id === letter.eventId);
    const isExplained = event !== undefined && MAY_STAY_DEAD[letter.code]?.includes(event.type) === true;
    if (letter.consumer !== STORE_EVENTS || !isExplained)
      throw new Disagreement(`This letter is unexplained: ${show(letter)}`);
  }
  for (const table of ['blocked_subjects', 'set_aside_events']) {
    const left = telling.database.rows(TENANT, `SELECT * FROM ${table} WHERE tenant_id = :tenant`);
    if (left.length > 0) throw new Disagreement(`${table} still has ${show(left)}`);
  }
  const parked = telling.database.rows(TENANT, PARKED);
  if (parked.length > 0) throw new Disagreement(`Events are still parked: ${show(parked)}`);
}

const PARKED = `SELECT location_id, epoch, sequence FROM store_events WHERE tenant_id = :tenant AND status = 'PARKED'`;

/** What a store has recorded has moved stock, unless a letter says why not or an operator gave it up. */
function checkEveryEvent(telling: Telling): void {
  const without = new Set(
    telling.database
      .rows<{ locationId: string; eventId: string }>(TENANT, NOT_APPLIED)
      .map(({ locationId, eventId }) => `${locationId} ${eventId}`),
  );
  for (const store of telling.stores) {
    const moved = movedEvents(telling, store);
    for (const event of store.events) {
      const isDone = moved.has(event.id) || event.type === 'pickup';
      if (isDone === without.has(`${store.locationId} ${event.id}`) && event.type !== 'pickup') {
        throw new Disagreement(`${show(event)} of ${store.locationId} has ${isDone ? '' : 'not '}moved anything`);
      }
    }
  }
}

const NOT_APPLIED = `SELECT location_id AS "locationId", event_id AS "eventId" FROM store_events
  WHERE tenant_id = :tenant AND status IN ('DEAD', 'DISCARDED', 'ENDED')`;

/** Everything that had a time-to-live is over by now; what is committed is for reservations that are paid. */
function checkHoldsOfEnded(telling: Telling): void {
  const { world } = telling.record;
  for (const kept of world.reservations.values()) {
    if (isOver(kept, telling.now)) throw new Disagreement(`${kept.id} is over and was not swept`);
    const holds = holdsOf(world, kept.id);
    if (kept.status !== 'CONFIRMED' && holds.length > 0)
      throw new Disagreement(`${kept.id}, ${kept.status}, has ${show(holds)}`);
  }
}

async function checkOrders(telling: Telling, chance: Chance): Promise<void> {
  const server = telling.stage.server(chance);
  const { shop } = telling;
  for (const [id, times] of shop.applied) {
    if (times > 1) throw new Disagreement(`The event ${id} of an order was applied ${times} times`);
  }
  for (const { orderId, end } of shop.begun) {
    const order = await server?.query(new GetOrder(orderId));
    if (order === undefined) throw new Disagreement(`Nobody knows the order ${orderId}`);
    const { status, parked, deadLetters, blockedBy, reservationId } = order;
    const waits = parked.length > 0 || deadLetters.length > 0 || blockedBy !== null;
    if (status !== end || waits) throw new Disagreement(`The order ${orderId} has to end ${end}: ${show(order)}`);
    const reservation = reservationId === null ? undefined : telling.record.world.reservations.get(reservationId);
    const wanted: (string | undefined)[] = {
      HELD: ['EXPIRED'],
      PAID: ['CONFIRMED'],
      SHIPPED: ['FULFILLED'],
      CANCELLED: ['CANCELLED', 'EXPIRED', undefined],
    }[end];
    if (!wanted.includes(reservation?.status)) throw new Disagreement(`${show(order)} has ${show(reservation)}`);
  }
}
