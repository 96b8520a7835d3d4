import { join } from 'node:path';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { RawBody } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { MIRROR, MirrorModule } from '../support/mirror.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { centreBy, ServerProcess } from '../support/start-process.ts';

const MIRRORING_SERVER = join(__dirname, '..', 'support', 'mirroring-server.mjs');
const EVENTS = counts(600, 20_000);
const KILLS = counts(2, 40);
const DRAIN_MAX_MS = counts(30_000, 300_000);
/** Small, so that a drain has many commits to be killed between. */
const BATCH_EVENTS = '50';

interface Published {
  readonly sku: string;
  readonly place: string;
  readonly mirror: string;
}

describeOnBothEngines(`A server that is killed while it delivers, TEST_SEED=${SEED}`, (engine) => {
  let database: FreshDatabase;
  let env: Record<string, string>;
  let running: ServerProcess | undefined;
  let app: RunningApp | undefined;

  beforeEach(async () => {
    database = await freshDatabase(engine, 'disk');
    env = { DATABASE_URL: database.url, RELAY_BATCH_EVENTS_MAX: BATCH_EVENTS };
  });

  afterEach(async () => {
    await running?.kill();
    await app?.close();
    await database.drop();
  });

  /** Receipts at one place that are to be repeated at another; nobody repeats them yet. */
  async function publish(): Promise<Published> {
    app = await startApp(engine, env);
    const shop = new ShopClient(app.api);
    const [place, mirror] = [await shop.location(), await shop.location()];
    const sku = await shop.product();
    const row = { sku, locationId: place, type: 'RECEIPT', quantity: 1, reference: `${MIRROR}${mirror}` };
    const rows = new RawBody(`${JSON.stringify(row)}\n`.repeat(EVENTS), 'application/x-ndjson');
    expect((await app.api.post('/v1/stock/import', rows)).text).toContain(`"applied":${EVENTS}`);
    await app.close();
    return { sku, place, mirror };
  }

  async function startMirroring(more: Record<string, string> = {}): Promise<ServerProcess> {
    running = await ServerProcess.launch({ ...env, ...more }, 8, centreBy(MIRRORING_SERVER));
    return running;
  }

  /** Units at the mirror; null while the server does not answer. */
  async function repeatedAt(server: ServerProcess, { sku, mirror }: Published): Promise<number | null> {
    const answer = await server.api.get<{ onHand: number }>(`/v1/stock/${sku}/${mirror}`).catch(() => null);
    return answer?.status === 200 ? answer.body.onHand : null;
  }

  it('has made an effect and its step through the log both or neither, so that each effect comes about once', async () => {
    const random = new Random(SEED);
    const published = await publish();
    // Once for certain after an effect and before its commit.
    const { exited } = await startMirroring({ MIRROR_KILL_AT: String(50 + random.whole(1, 99)) });
    expect((await exited).code).toBeNull();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await startMirroring();
      const before = await eventually('it answers', async () => ((await repeatedAt(server, published)) ?? -1) + 1);
      const enough = before + random.whole(0, EVENTS / KILLS / 2);
      await eventually('some more are repeated', async () => Number(await repeatedAt(server, published)) >= enough);
      await server.kill();
    }

    app = await startApp(engine, env, [MirrorModule]);
    const shop = new ShopClient(app.api);
    const { sku, place, mirror } = published;
    await eventually('all is repeated', async () => (await shop.stock(sku, mirror)).onHand >= EVENTS, DRAIN_MAX_MS);
    // Each once and in order: the reason of each is the version of the movement that it repeats.
    const reasons = (await shop.ledger(sku, mirror)).map(({ reason }) => Number(reason)).reverse();
    expect(reasons).toEqual(Array.from({ length: EVENTS }, (_, index) => index + 1));
    expect((await shop.stock(sku, place)).onHand).toBe(EVENTS);
    expect(await brokenInvariants(app.api, { commandsOnly: true })).toEqual([]);
  });
});
