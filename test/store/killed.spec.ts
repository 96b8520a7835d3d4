import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { Random, SEED } from '../support/random.ts';
import { ShopClient } from '../support/shop.ts';
import type { AgentHealth } from '../support/start-agent.ts';
import { agentOf, ServerProcess } from '../support/start-process.ts';
import { Tills } from '../support/tills.ts';

const KILLS = counts(3, 80);
const TILLS = 4;
const OPENING_UNITS = 1_000_000;
/** The link finds what comes back at once, so that kills meet it at work. */
const QUICK = { STORE_RETRY_FIRST_MS: '10', STORE_RETRY_MAX_MS: '100', STORE_BREAKER_PAUSE_MS: '100' };

describe(`A store and its centre that are killed under load, TEST_SEED=${SEED}`, () => {
  let database: FreshDatabase;
  let folder: string;
  let centre: ServerProcess | undefined;
  let agent: ServerProcess | undefined;

  beforeEach(async () => {
    database = await freshDatabase('sqlite', 'disk');
    folder = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
  });
  afterEach(async () => {
    await agent?.kill();
    await centre?.kill();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('end equal: every sale that was answered is at both, once', async () => {
    const random = new Random(SEED);
    const env = { DATABASE_URL: database.url };
    centre = await ServerProcess.start(env);
    let shop = new ShopClient(centre.api);
    const place = await shop.location();
    const sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
    const program = agentOf({ location: place, central: centre.url, data: folder });
    agent = await ServerProcess.start(QUICK, 64, program);
    const tills = new Tills(sku, random);
    tills.start(TILLS, () => (agent ?? fail()).api);
    let reserved = 0;

    for (let kill = 0; kill < KILLS; kill += 1) {
      const enough = tills.answeredCount + random.whole(20, 150);
      await eventually('enough is sold', () => Promise.resolve(tills.answeredCount >= enough));
      // Each is killed at least once; then it is up to chance.
      if (kill === 0 || (kill > 1 && random.chance(50))) {
        await agent.kill();
        agent = await ServerProcess.start({ ...QUICK, STORE_PORT: agent.port }, 64, program);
      } else {
        await shop.reserve([{ sku, quantity: 2, locationId: place }]);
        reserved += 2;
        await centre.kill();
        centre = await ServerProcess.start({ ...env, PORT: centre.port });
        shop = new ShopClient(centre.api);
      }
    }

    await tills.close();
    expect(tills.answeredCount).toBeGreaterThan(20 * KILLS);
    const wanted = { onHand: OPENING_UNITS - tills.soldUnits, held: reserved, committed: 0 };
    const { api } = agent;
    await eventually('all is told', async () => {
      expect((await shop.stock(sku, place)).onHand).toBe(wanted.onHand);
      expect((await api.get(`/stock/${sku}`)).body).toMatchObject({ ...wanted, pending: 0 });
      return true;
    });
    expect(await shop.stock(sku, place)).toMatchObject(wanted);
    const { link } = (await api.get<AgentHealth>('/health')).body;
    expect({ dead: link.deadEvents, conflicts: link.conflicts }).toEqual({ dead: 0, conflicts: 0 });
  });

  it('refuse a second agent on the same data', async () => {
    const nobody = 'http://127.0.0.1:9';
    agent = await ServerProcess.start({}, 64, agentOf({ location: 'S1', central: nobody, data: folder }));
    const second = await ServerProcess.launch({}, 64, agentOf({ location: 'S1', central: nobody, data: folder }));
    expect(await second.exit()).toMatchObject({ code: 1, output: expect.stringContaining('is using') });
    expect(await agent.stop()).toMatchObject({ code: 0 });
  });
});

function fail(): never {
  throw new Error('There is no agent');
}
