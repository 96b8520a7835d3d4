import { counts } from '../support/counts.ts';
import { Api, problemOf } from '../support/http.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { ShopClient, useShop } from '../support/shop.ts';
import { ServerProcess } from '../support/start-process.ts';

const BUYERS = counts(200, 500);
const UNITS = counts(40, 100);

/** Every buyer wants one unit at the same moment, each through the next of the servers. */
async function race(shop: ShopClient, servers: readonly Api[], line: (sku: string, place: string) => object) {
  const place = await shop.location();
  const sku = await shop.stocked({ [place]: UNITS });
  const clients = servers.map((api) => new ShopClient(api));
  const answers = await Promise.all(
    Array.from({ length: BUYERS }, (_, i) => {
      const client = clients[i % clients.length] ?? shop;
      return client.tryReserve([{ sku, quantity: 1, ...line(sku, place) }]);
    }),
  );
  return { sku, place, answers };
}

async function expectExactlyAllSold(shop: ShopClient, outcome: Awaited<ReturnType<typeof race>>): Promise<void> {
  const { sku, place, answers } = outcome;
  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(UNITS);
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    const { shortages } = problemOf(answer, 409, 'INSUFFICIENT_STOCK');
    expect(shortages).toMatchObject([{ sku, requested: 1, available: 0 }]);
  }
  expect(await shop.stock(sku, place)).toMatchObject({ onHand: UNITS, held: UNITS, committed: 0, available: 0 });
  expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
}

describeOnBothEngines(`${BUYERS} buyers and ${UNITS} units`, (engine) => {
  const shop = useShop(engine);

  it.each([
    ['at an asked location', (_sku: string, place: string) => ({ locationId: place })],
    ['wherever they are found', () => ({})],
  ])('exactly those are held %s', async (_what, line) => {
    await expectExactlyAllSold(shop, await race(shop, [new Api(shop.url, BUYERS)], line));
  });

  it('exactly those are held when each buyer takes two of twice as many from two locations at once', async () => {
    const [one, two] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [one]: UNITS, [two]: UNITS });
    const lines = [
      { sku, quantity: 1, locationId: one },
      { sku, quantity: 1, locationId: two },
    ];
    const answers = await Promise.all(
      Array.from({ length: BUYERS }, (_, i) => shop.tryReserve(i % 2 === 0 ? lines : [...lines].reverse())),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(UNITS);
    expect(await shop.stock(sku, one)).toMatchObject({ held: UNITS, available: 0 });
    expect(await shop.stock(sku, two)).toMatchObject({ held: UNITS, available: 0 });
  });

  it('mixes with tills that sell the same units, and still nothing is sold twice', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: UNITS });
    const answers = await Promise.all(
      Array.from({ length: BUYERS }, (_, i) =>
        i % 2 === 0 ? shop.tryReserve([{ sku, quantity: 1 }]) : shop.tryMove(sku, place, 'SALE', 1),
      ),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(UNITS);
    const { onHand, held, available } = await shop.stock(sku, place);
    expect([onHand - held, available]).toEqual([0, 0]);
  });
});

describeOnPostgres(`${BUYERS} buyers, ${UNITS} units and two servers on one database`, () => {
  let database: FreshDatabase;
  let servers: ServerProcess[] = [];

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    // Both migrate the empty database at the same moment.
    const env = { DATABASE_URL: database.url };
    servers = await Promise.all([ServerProcess.start(env, 250), ServerProcess.start(env, 250)]);
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await database.drop();
  });

  it('exactly those are held, and both servers tell the same', async () => {
    const [one, two] = servers.map(({ api }) => new ShopClient(api));
    if (one === undefined || two === undefined) throw new Error('Two servers are needed');
    const outcome = await race(
      one,
      servers.map(({ api }) => api),
      () => ({}),
    );
    await expectExactlyAllSold(one, outcome);
    await expectExactlyAllSold(two, outcome);
  });

  it('one key at both servers from 20 callers is one reservation and one answer', async () => {
    const [one] = servers.map(({ api }) => new ShopClient(api, 'same-key-'));
    if (one === undefined) throw new Error('A server is needed');
    const place = await one.location();
    const sku = await one.stocked({ [place]: 100 });
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          new ShopClient(servers[i % 2]?.api).tryReserve([{ sku, quantity: 2 }], {}, { key: `shared-${round}` }),
        ),
      );
      expect(new Set(answers.map((answer) => `${answer.status} ${answer.text} ${answer.headers.etag}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(201);
      expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(19);
      expect((await one.stock(sku, place)).held).toBe(2 * (round + 1));
    }
  });

  it('one location, product and first movement at both servers are made once', async () => {
    const put = async (path: string, body: object) => {
      const apis = Array.from({ length: 6 }, () => servers.map(({ api }) => api)).flat();
      return Promise.all(apis.map((api) => api.put(`/v1/${path}`, body)));
    };
    for (let round = 0; round < 3; round++) {
      const made = [
        await put(`locations/both-${round}`, { name: 'x', kind: 'STORE' }),
        await put(`products/both-${round}`, { name: 'x' }),
      ];
      for (const answers of made) {
        const statuses = answers.map((answer) => answer.status);
        expect(statuses.sort()).toEqual([...Array.from({ length: 11 }, () => 200), 201]);
      }
      await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          new ShopClient(servers[i % 2]?.api).receive(`both-${round}`, `both-${round}`, 1),
        ),
      );
      const item = await new ShopClient(servers[0]?.api).stock(`both-${round}`, `both-${round}`);
      expect(item).toMatchObject({ onHand: 12, version: 12 });
    }
  });

  it('one cart at both servers has one reservation', async () => {
    const [one] = servers.map(({ api }) => new ShopClient(api, 'cart-'));
    if (one === undefined) throw new Error('A server is needed');
    const place = await one.location();
    const skus = [await one.stocked({ [place]: 100 }), await one.stocked({ [place]: 100 })];
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          // Different skus, so that no stock item makes the two servers meet.
          new ShopClient(servers[i % 2]?.api).tryReserve([{ sku: skus[i % 2] ?? '', quantity: 1 }], {
            cartId: `c-${round}`,
          }),
        ),
      );
      expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 201))
        problemOf(answer, 409, 'CART_ALREADY_RESERVED');
    }
  });
});
