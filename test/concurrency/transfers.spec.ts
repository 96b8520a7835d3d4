import { Api, problemOf } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { ShopClient, useShop } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

const CALLERS = 100;
const UNITS = 50;

/** The calls are spread over these clients. */
function inTurn<T>(clients: readonly ShopClient[], call: (client: ShopClient, n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(
    Array.from({ length: CALLERS }, (_, n) => {
      const client = clients[n % clients.length];
      if (client === undefined) throw new Error('A server is needed');
      return call(client, n);
    }),
  );
}

/** @param clientsOf the clients of the servers under test, once they run */
function raceOnTransfers(shopOf: () => ShopClient, clientsOf: () => ShopClient[]): void {
  const setUp = async () => {
    const shop = shopOf();
    const [source, target] = [await shop.location(), await shop.location()];
    return { shop, source, target, sku: await shop.stocked({ [source]: UNITS }) };
  };

  it(`dispatches exactly ${UNITS} of ${UNITS} units for ${CALLERS} callers who want one each`, async () => {
    const { shop, source, target, sku } = await setUp();

    const answers = await inTurn(clientsOf(), (client) => client.tryDispatch(sku, source, target, 1));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(UNITS);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      const { shortages } = problemOf(answer, 409, 'INSUFFICIENT_STOCK');
      expect(shortages).toEqual([{ sku, locationId: source, requested: 1, available: 0 }]);
    }
    expect(await shop.stock(sku, source)).toMatchObject({ onHand: 0 });
    expect(await shop.stock(sku, target)).toMatchObject({ incoming: UNITS, version: UNITS });
    expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
  });

  it(`brings a transfer in once, and tells all ${CALLERS} callers the same`, async () => {
    const { shop, source, target, sku } = await setUp();
    const { id } = await shop.dispatch(sku, source, target, 10);

    const answers = await inTurn(clientsOf(), (client) => client.tryEnd('receive', id, { quantity: 8 }));

    expect(new Set(answers.map(({ status, text, headers }) => `${status} ${text} ${headers.etag}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 200, body: { status: 'RECEIVED', received: 8 } });
    expect(await shop.stock(sku, target)).toMatchObject({ onHand: 8, incoming: 0, version: 3 });
    expect(await shop.ledger(sku, target)).toHaveLength(2);
  });

  it('lets one ending win when a transfer is received in several ways and cancelled at the same moment', async () => {
    const { shop, source, target, sku } = await setUp();
    const { id } = await shop.dispatch(sku, source, target, 10);

    const answers = await inTurn(clientsOf(), (client, n) =>
      n % 3 === 0 ? client.tryEnd('cancel', id) : client.tryEnd('receive', id, { quantity: 10 - (n % 3) }),
    );

    const won = answers.filter(({ status }) => status === 200);
    expect(new Set(won.map(({ text }) => text)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      problemOf(answer, 409, 'TRANSFER_NOT_IN_TRANSIT');
    }
    expect(await shop.transfer(id)).toEqual(won[0]?.body);
    expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
  });

  it('keeps every unit when transfers cross, are received short and cancelled while the units are sold', async () => {
    const shop = shopOf();
    const places = [await shop.location(), await shop.location(), await shop.location()];
    const sku = await shop.stocked(Object.fromEntries(places.map((place) => [place, UNITS])));
    const random = new Random(SEED);
    const plans = Array.from({ length: CALLERS }, () => {
      const from = random.whole(0, 2);
      const [source = '', target = ''] = [places[from], places[(from + random.whole(1, 2)) % 3]];
      return { source, target, units: random.whole(1, 9), arrives: random.whole(0, 9), ending: random.whole(0, 3) };
    });
    let [lost, sold] = [0, 0];

    await inTurn(clientsOf(), async (client, n) => {
      const plan = plans[n];
      if (plan === undefined) throw new Error('Each caller has a plan');
      const { source, target, units, arrives, ending } = plan;
      const sent = await client.tryDispatch(sku, source, target, units);
      if (ending === 0 && (await client.tryMove(sku, source, 'SALE', 1)).status === 201) sold += 1;
      if (sent.status !== 201) return;
      if (ending === 1) await client.end('cancel', sent.body.id);
      if (ending === 2) await client.end('receive', sent.body.id);
      if (ending === 3) {
        const quantity = Math.min(units, arrives);
        await client.end('receive', sent.body.id, { quantity, reason: 'counted' });
        lost += units - quantity;
      }
    });

    const items = await Promise.all(places.map((place) => shop.stock(sku, place)));
    const there = items.reduce((sum, { onHand, incoming }) => sum + onHand + incoming, 0);
    expect(there).toBe(3 * UNITS - lost - sold);
    expect([lost > 0, sold > 0]).toEqual([true, true]);
    expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
  });
}

describeOnBothEngines(`${CALLERS} callers and their transfers, TEST_SEED=${SEED}`, (engine) => {
  const shop = useShop(engine);
  raceOnTransfers(
    () => shop,
    () => [new ShopClient(new Api(shop.url, CALLERS))],
  );
});

describeOnPostgres(`${CALLERS} callers and their transfers at two servers on one database, TEST_SEED=${SEED}`, () => {
  const shop = useShop('postgres');
  let second: RunningApp;

  beforeAll(async () => {
    second = await startApp('postgres', { DATABASE_URL: shop.app.databaseUrl });
  });
  afterAll(() => second.close());

  raceOnTransfers(
    () => shop,
    () => [shop.url, second.url].map((url) => new ShopClient(new Api(url, CALLERS))),
  );
});
