import { type Answer, type Api, freshKey } from './http.ts';
import type { Random } from './random.ts';
import { type Line, type Reservation, ShopClient, type Transfer } from './shop.ts';

export interface StormWorld {
  readonly skus: readonly string[];
  readonly locations: readonly string[];
  /** Ids of all transfers so far; the buyers add theirs. */
  readonly transfers: string[];
}

/**
 * Four skus at three locations, with so little stock that buyers meet.
 * @param name tells the worlds on one server apart
 */
export async function aStormWorld(api: Api, name: string, units: number): Promise<StormWorld> {
  const shop = new ShopClient(api, `${name}-`);
  const locations: string[] = [];
  for (let i = 0; i < 3; i++) locations.push(await shop.location({ priority: i }));
  const stock = Object.fromEntries(locations.map((locationId) => [locationId, units]));
  const skus: string[] = [];
  for (let i = 0; i < 4; i++) skus.push(await shop.stocked(stock));
  return { skus, locations, transfers: [] };
}

/**
 * One buyer: makes, changes, pays, cancels and fulfils reservations in random order, its own and those of others; now and
 * then it moves stock.
 * @param known ids of all reservations so far, shared by the buyers of a storm
 * @returns every answer, so that the suite can judge them
 */
export async function storm(
  api: Api,
  world: StormWorld,
  random: Random,
  steps: number,
  known: string[],
): Promise<Answer[]> {
  const shop = new ShopClient(api);
  const answers: Answer[] = [];
  for (let step = 0; step < steps; step++) {
    const answer = await oneStep(shop, world, random, known);
    answers.push(answer);
    if (answer.status === 201 && isReservation(answer.body)) known.push(answer.body.id);
    if (answer.status === 201 && isTransfer(answer.body)) world.transfers.push(answer.body.id);
  }
  return answers;
}

function oneStep(shop: ShopClient, world: StormWorld, random: Random, known: readonly string[]): Promise<Answer> {
  const dice = random.whole(1, 100);
  if (known.length === 0 || dice <= 35) return shop.tryReserve(someLines(world, random));
  // Mostly the latest ones, so that several buyers want the same reservation at the same moment.
  const id = random.pick(random.chance(70) ? known.slice(-8) : known);
  if (dice <= 60) return shop.tryUpdate(id, someLines(world, random));
  if (dice <= 65) return shop.tryTo('refresh', id, { ttlSeconds: random.whole(3_000, 14_400) });
  if (dice <= 75) return shop.tryTo('confirm', id, { orderId: `order-${random.whole(1, 3)}` });
  if (dice <= 85) return shop.tryTo('cancel', id);
  if (dice <= 92) {
    return shop.tryTo('fulfil', id, random.chance(50) ? {} : { locationId: random.pick(world.locations) });
  }
  const [sku, locationId] = [random.pick(world.skus), random.pick(world.locations)];
  if (dice <= 94) {
    const target = random.pick(world.locations.filter((place) => place !== locationId));
    return shop.tryDispatch(sku, locationId, target, random.whole(1, 4));
  }
  if (dice <= 96 && world.transfers.length > 0) {
    const transferId = random.pick(world.transfers.slice(-4));
    const quantity = random.pick([null, 0, 1]);
    return random.chance(30) ? shop.tryEnd('cancel', transferId) : shop.tryEnd('receive', transferId, { quantity });
  }
  const type = random.pick(['RECEIPT', 'RETURN', 'SALE', 'WRITE_OFF']);
  return shop.tryMove(sku, locationId, type, random.whole(1, 3), {}, { key: freshKey() });
}

export function someLines(world: StormWorld, random: Random): Line[] {
  return Array.from({ length: random.whole(1, 3) }, () => ({
    sku: random.pick(world.skus),
    quantity: random.whole(1, 4),
    ...(random.chance(40) ? { locationId: random.pick(world.locations) } : {}),
  }));
}

/** Answers that no storm may bring: anything but success and the refusals of section 4. */
export function unforeseen(answers: readonly Answer[]): string[] {
  return answers
    .filter(({ status }) => ![200, 201, 409, 422].includes(status))
    .map(({ status, text }) => `${status} ${text}`);
}

/** How many answers of each status and code: shown when a storm turns out to have tested nothing. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = `${status} ${(body as { code?: string } | undefined)?.code ?? ''}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function isReservation(body: unknown): body is Reservation {
  return typeof body === 'object' && body !== null && 'lines' in body;
}

function isTransfer(body: unknown): body is Transfer {
  return typeof body === 'object' && body !== null && 'fromLocationId' in body;
}
