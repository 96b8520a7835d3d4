import { jest } from '@jest/globals';
import { counts } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { useKilledServer } from '../support/killed-server.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';
import { type Pushed, type SentEvent, StoreClient } from '../support/store-client.ts';

// The first start waits for a build, and a start takes seconds on a busy machine.
jest.setTimeout(240_000);

const KILLS = counts(1, 20);
const EVENTS = counts(1_000, 20_000);
const CALL_EVENTS = 300;
const SKUS = 5;

describeOnBothEngines(`A centre that is killed while a store pushes, TEST_SEED=${SEED}`, (engine) => {
  const server = useKilledServer(engine);

  it('has what it answered, once, and what waited waits on; the agent sends the rest again', async () => {
    const random = new Random(SEED);
    await server.start();
    const shop = new ShopClient(server.api);
    const place = await shop.location();
    const skus: string[] = [];
    for (let n = 0; n < SKUS; n += 1) skus.push(await shop.product());
    const first = await StoreClient.open(server.api, place);
    const events = Array.from({ length: EVENTS }, (_, n) => {
      const data = { sku: skus[random.whole(0, SKUS - 1)], quantity: random.whole(1, 9) };
      return first.event(n + 1, n % 3 === 0 ? 'return' : 'sale', data);
    });
    const answered = new Map<number, string>();

    for (let kill = 0; kill <= KILLS; kill += 1) {
      const store = StoreClient.resume(server.api, place, first.epoch);
      const enough = kill === KILLS ? Infinity : answered.size + random.whole(100, EVENTS / (KILLS + 2));
      const agent = push(store, events, answered, random);
      if (kill === KILLS) {
        await agent;
        break;
      }
      await eventually('enough is answered', () => Promise.resolve(answered.size >= enough));
      await server.kill();
      await agent;
      await server.start();
    }

    const last = await StoreClient.resume(server.api, place, first.epoch).push(events.slice(-1));
    expect(last).toMatchObject({ nextSequence: EVENTS + 1, missing: [], results: [{ outcome: 'duplicate' }] });
    const after = new ShopClient(server.api);
    const wanted = skus.map((sku) => events.reduce((sum, { type, data }) => sum + unitsOf(sku, type, data), 0));
    const found = await Promise.all(skus.map(async (sku) => (await after.stock(sku, place)).onHand));
    expect(found).toEqual(wanted);
    expect(await brokenInvariants(server.api, { commandsOnly: false })).toEqual([]);
  });
});

/** Sends all that was not answered, out of order, until the centre is gone or has everything. */
async function push(
  store: StoreClient,
  events: readonly SentEvent[],
  answered: Map<number, string>,
  random: Random,
): Promise<void> {
  for (;;) {
    const open = events.filter(({ sequence }) => !answered.has(sequence)).slice(0, 2 * CALL_EVENTS);
    if (open.length === 0) return;
    const call = open.filter(() => random.whole(0, 1) === 0 || open.length < 10).slice(0, CALL_EVENTS);
    const pushed: Pushed | undefined = await store.push(call).catch(() => undefined);
    if (pushed === undefined) return;
    for (const { sequence, outcome } of pushed.results) {
      if (!['applied', 'duplicate', 'parked'].includes(outcome)) throw new Error(`${sequence} is ${outcome}`);
      answered.set(sequence, outcome);
    }
  }
}

function unitsOf(sku: string, type: unknown, data: unknown): number {
  const told = data as { sku: string; quantity: number };
  if (told.sku !== sku) return 0;
  return type === 'sale' ? -told.quantity : told.quantity;
}
