import { counts } from '../support/counts.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type OrderResult, OrderScript, OutsideShop, type SentOrderEvent, shown } from '../support/order-events.ts';
import { Random } from '../support/random.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { allPages, bodyOf, type Reservation, ShopClient } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const ORDERS = counts(12, 150);
/** What was answered to an event, all times that it was sent. */
type Answers = Map<string, string[]>;

/** Every event twice, in any order, cut into calls that are all under way at once. */
async function sendAll(
  shops: readonly OutsideShop[],
  events: readonly SentOrderEvent[],
  seed: number,
): Promise<Answers> {
  const random = new Random(seed);
  const calls: SentOrderEvent[][] = [];
  for (const event of shuffled([...events, ...events], random)) {
    if (calls.length === 0 || random.chance(30)) calls.push([]);
    calls.at(-1)?.push(event);
  }
  const answers: Answers = new Map();
  await Promise.all(
    calls.map(async (call) => {
      for (const result of await sendUntilTaken(random.pick(shops), call)) {
        answers.set(result.id, [...(answers.get(result.id) ?? []), shown(result)]);
      }
    }),
  );
  return answers;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.whole(0, left.length - 1), 1)[0]!);
}

/** Whoever loses too many races is told to come again. */
async function sendUntilTaken(shop: OutsideShop, call: readonly SentOrderEvent[]): Promise<OrderResult[]> {
  const answer = await shop.trySend(...call);
  return answer.status === 503 ? sendUntilTaken(shop, call) : bodyOf(answer).results;
}

/** As many orders as units: each is held, paid and shipped once, or the sums tell. */
async function runStory(servers: readonly RunningApp[], seed: number): Promise<void> {
  const [first] = servers as [RunningApp];
  const shop = new ShopClient(first.api, `s${seed}-`);
  const place = await shop.location();
  const sku = await shop.stocked({ [place]: ORDERS });
  const orders = Array.from({ length: ORDERS }, (_, index) => new OrderScript(`o${seed}-${index}`));
  const events = orders.flatMap((order) => [order.created(1, [{ sku, quantity: 1 }]), order.paid(2), order.shipped(3)]);
  const answers = await sendAll(
    servers.map(({ api }) => new OutsideShop(api, 'any')),
    events,
    seed,
  );
  for (const { id } of events) {
    // None of the two is new when the first one's call was told to come again although it had been taken.
    const fresh = answers.get(id)?.filter((outcome) => outcome !== 'duplicate') ?? [];
    expect(fresh.length).toBeLessThanOrEqual(1);
    expect(['applied', 'parked']).toEqual(expect.arrayContaining(fresh));
  }
  expect(await shop.stock(sku, place)).toMatchObject({ onHand: 0, held: 0, committed: 0 });
  const outside = new OutsideShop(first.api, 'any');
  for (const { orderId } of orders) {
    expect(await outside.known(orderId)).toMatchObject({ status: 'SHIPPED', nextVersion: 4, parked: [] });
    const reservations = await allPages<Reservation>(first.api, `/v1/reservations?orderId=${orderId}`);
    expect(reservations.map(({ status }) => status)).toEqual(['FULFILLED']);
  }
  expect(await brokenInvariants(first.api, { commandsOnly: false })).toEqual([]);
}

describeOnBothEngines('Events of one order in many calls at once', (engine) => {
  it('are carried out once each, in order', async () => {
    const server = await startApp(engine);
    try {
      await runStory([server], 1);
    } finally {
      await server.close();
    }
  });
});

describeOnPostgres('Events of one order at two servers at once', () => {
  let servers: RunningApp[] = [];

  beforeAll(async () => {
    const first = await startApp('postgres');
    servers = [first, await startApp('postgres', { DATABASE_URL: first.databaseUrl })];
  });

  afterAll(async () => {
    for (const server of [...servers].reverse()) await server.close();
  });

  it('are carried out once each, in order', async () => {
    for (const seed of Array.from({ length: counts(2, 10) }, (_, index) => 10 + index)) await runStory(servers, seed);
  });

  it('of which one is a cancellation leave nothing held, whoever is first', async () => {
    const [first] = servers as [RunningApp];
    const shop = new ShopClient(first.api, 'c-');
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: ORDERS });
    const orders = Array.from({ length: ORDERS }, (_, index) => new OrderScript(`cancelled-${index}`));
    const events = orders.flatMap((order) => [
      order.created(1, [{ sku, quantity: 1 }]),
      order.paid(2),
      order.cancelled(3),
    ]);
    await sendAll(
      servers.map(({ api }) => new OutsideShop(api, 'any')),
      events,
      99,
    );
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: ORDERS, held: 0, committed: 0 });
    const outside = new OutsideShop(first.api, 'any');
    for (const { orderId } of orders) {
      expect(await outside.known(orderId)).toMatchObject({ status: 'CANCELLED', nextVersion: 4, parked: [] });
    }
    expect(await brokenInvariants(first.api, { commandsOnly: false })).toEqual([]);
  });
});
