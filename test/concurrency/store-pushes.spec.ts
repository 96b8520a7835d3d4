import { eventually } from '../support/eventually.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { bodyOf, ShopClient, useShop } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { type SentEvent, StoreClient } from '../support/store-client.ts';

const EVENTS = 400;

/** Each agent sends every event, in an order of its own, in calls of any size, some of them twice. */
async function pushAll(store: StoreClient, events: readonly SentEvent[], random: Random): Promise<void> {
  const shuffled = [...events].sort(() => random.whole(0, 2) - 1);
  for (let from = 0; from < shuffled.length;) {
    const size = random.whole(1, 60);
    const call = shuffled.slice(Math.max(0, from - random.whole(0, 5)), from + size);
    const { results } = await store.push(call);
    const odd = results.filter(({ outcome }) => !['applied', 'duplicate', 'parked'].includes(outcome));
    expect(odd).toEqual([]);
    from += size;
  }
}

async function expectInOrder(api: RunningApp['api'], place: string, sku: string, events: readonly SentEvent[]) {
  const shop = new ShopClient(api);
  const units = events.reduce((sum, { type, data }) => {
    const { quantity } = data as { quantity: number };
    return sum + (type === 'sale' ? -quantity : quantity);
  }, 0);
  expect((await shop.stock(sku, place)).onHand).toBe(units);
  const ledger = (await shop.ledger(sku, place)).reverse();
  expect(ledger.map(({ reference }) => reference)).toEqual(events.map(({ sequence }) => `r-${sequence}`));
  expect(bodyOf(await api.get(`/v1/sync/stores/${place}`))).toMatchObject({
    nextSequence: events.length + 1,
    missing: [],
    parked: 0,
    conflicts: 0,
    dead: 0,
  });
}

function aDay(store: StoreClient, sku: string, random: Random): SentEvent[] {
  return Array.from({ length: EVENTS }, (_, n) => {
    const data = { sku, quantity: random.whole(1, 9), reference: `r-${n + 1}` };
    return store.event(n + 1, random.whole(0, 1) === 0 ? 'sale' : 'receipt', data);
  });
}

describeOnBothEngines(`Calls of one store that overlap, TEST_SEED=${SEED}`, (engine) => {
  const shop = useShop(engine);

  it('record each event once, and in the order in which it happened', async () => {
    const random = new Random(SEED);
    const place = await shop.location();
    const sku = await shop.product();
    const store = await StoreClient.open(shop.api, place);
    const events = aDay(store, sku, random);
    await Promise.all([1, 2, 3].map((n) => pushAll(store, events, new Random(SEED + n))));
    await expectInOrder(shop.api, place, sku, events);
  });
});

describeOnPostgres(`Two servers that take the events of one store, TEST_SEED=${SEED}`, () => {
  it('record each event once, and in the order in which it happened', async () => {
    const one = await startApp('postgres');
    const other = await startApp('postgres', { DATABASE_URL: one.databaseUrl });
    try {
      const random = new Random(SEED);
      const shop = new ShopClient(one.api);
      const place = await shop.location();
      const sku = await shop.product();
      const store = await StoreClient.open(one.api, place);
      const events = aDay(store, sku, random);
      const twin = StoreClient.resume(other.api, place, store.epoch);
      await Promise.all([store, twin].map((agent, n) => pushAll(agent, events, new Random(SEED + n))));
      await expectInOrder(other.api, place, sku, events);
    } finally {
      await other.close();
      await one.close();
    }
  });

  it('give one epoch to each of two agents that begin at the same time', async () => {
    const one = await startApp('postgres');
    const other = await startApp('postgres', { DATABASE_URL: one.databaseUrl });
    try {
      const place = await new ShopClient(one.api).location();
      const opened = await Promise.all(
        [one, other, one, other].map(({ api }) => StoreClient.open(api, place).then(({ epoch }) => epoch)),
      );
      expect(opened.sort()).toEqual([1, 2, 3, 4]);
    } finally {
      await other.close();
      await one.close();
    }
  });

  it('replay what waits for a product, whichever of them creates it and whenever', async () => {
    const one = await startApp('postgres', { RELAY_INTERVAL_MS: '20' });
    const other = await startApp('postgres', { DATABASE_URL: one.databaseUrl, RELAY_INTERVAL_MS: '20' });
    try {
      const shop = new ShopClient(one.api);
      const place = await shop.location();
      const store = await StoreClient.open(one.api, place);
      const skus = Array.from({ length: 12 }, (_, n) => `new-${n}`);
      await Promise.all(
        skus.flatMap((sku, n) => [
          store.push([store.event(n + 1, 'receipt', { sku, quantity: 1 })]),
          new ShopClient(other.api).product({}, sku),
        ]),
      );
      const letters = async (): Promise<number> =>
        bodyOf(await one.api.get<{ items: unknown[] }>('/v1/dead-letters')).items.length;
      await eventually('no letter is left', async () => (await letters()) === 0);
      for (const sku of skus) expect((await shop.stock(sku, place)).onHand).toBe(1);
    } finally {
      await other.close();
      await one.close();
    }
  });
});
