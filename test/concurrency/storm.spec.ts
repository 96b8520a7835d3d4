import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import type { Answer, Api } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { useShop } from '../support/shop.ts';
import { ServerProcess } from '../support/start-process.ts';
import { aStormWorld, storm, tally, unforeseen } from '../support/storm.ts';

const BUYERS = 24;
const STEPS = counts(12, 100);

async function expectCalmAfter(servers: readonly Api[], seed: number): Promise<void> {
  const [first] = servers;
  if (first === undefined) throw new Error('A server is needed');
  const world = await aStormWorld(first, 'storm', 30);
  const known: string[] = [];
  const buyers = Array.from({ length: BUYERS }, (_, i) =>
    storm(servers[i % servers.length] ?? first, world, new Random(seed + i), STEPS, known),
  );
  const answers: Answer[] = (await Promise.all(buyers)).flat();

  expect(unforeseen(answers)).toEqual([]);
  // A storm that refused everything, or nothing, has tested nothing.
  const counts = tally(answers);
  expect(Object.keys(counts)).toEqual(
    expect.arrayContaining(['200', '201', '409 INSUFFICIENT_STOCK', '409 RESERVATION_NOT_ACTIVE']),
  );
  for (const api of servers) expect(await brokenInvariants(api, { commandsOnly: true })).toEqual([]);
}

describeOnBothEngines(`A storm of buyers, TEST_SEED=${SEED}`, (engine) => {
  const shop = useShop(engine, { BATCH_WORKS_MAX: '16' });

  it('leaves every balance explained by the ledger and the reservations', async () => {
    await expectCalmAfter([shop.api], SEED);
  });

  it('leaves none behind when works run one by one', async () => {
    const world = await aStormWorld(shop.api, 'calm', 5);
    const answers = await storm(shop.api, world, new Random(SEED + 1000), counts(80, 1_000), []);
    expect(unforeseen(answers)).toEqual([]);
    expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
  });
});

describeOnPostgres(`A storm of buyers over two servers, TEST_SEED=${SEED}`, () => {
  let database: FreshDatabase;
  let servers: ServerProcess[] = [];

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    const env = { DATABASE_URL: database.url };
    servers = await Promise.all([ServerProcess.start(env), ServerProcess.start(env)]);
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await database.drop();
  });

  it('leaves every balance explained, and both servers tell the same', async () => {
    await expectCalmAfter(
      servers.map((server) => server.api),
      SEED + 7,
    );
  });
});
