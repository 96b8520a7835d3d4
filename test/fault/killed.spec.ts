import { counts } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { useKilledServer } from '../support/killed-server.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';
import { lossesAndDoubles, OPENING_UNITS, type Sent, Shoppers } from '../support/shoppers.ts';

const KILLS = counts(2, 30);
const SHOPPERS = 16;

describeOnBothEngines(`A server that is killed under load, TEST_SEED=${SEED}`, (engine) => {
  const server = useKilledServer(engine);

  it('loses nothing that it answered, and does nothing twice', async () => {
    const random = new Random(SEED);
    await server.start();
    const shop = new ShopClient(server.api);
    const place = await shop.location();
    const sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
    const sent: Sent[] = [];

    for (let kill = 0; kill < KILLS; kill++) {
      const shoppers = new Shoppers(server.api, place, sku, sent);
      const enough = shoppers.answeredCount + random.whole(20, 150);
      shoppers.start(SHOPPERS);
      await eventually('enough is answered', async () => Promise.resolve(shoppers.answeredCount >= enough));
      await server.kill();
      await shoppers.stop();
      await server.start();
    }

    expect(sent.some(({ answer }) => answer === undefined)).toBe(true);
    expect(sent.filter(({ answer }) => answer !== undefined && answer.status >= 300)).toEqual([]);
    expect(await lossesAndDoubles(server.api, place, sku, sent)).toEqual([]);
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
  });
});
