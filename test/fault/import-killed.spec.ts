import { jest } from '@jest/globals';
import { freshKey } from '../support/http.ts';
import { importRows, ndjson, type Results, SlowImport } from '../support/importing.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { useKilledServer } from '../support/killed-server.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';

// The first start waits for a build, and a start takes seconds on a busy machine.
jest.setTimeout(240_000);

const LONG = process.env['LONG'] !== undefined;
const KILLS = LONG ? 5 : 1;
const SKUS = 7;
const ROWS = LONG ? 40_000 : 2_000;

describeOnBothEngines(`A server that is killed in the middle of an import, TEST_SEED=${SEED}`, (engine) => {
  const server = useKilledServer(engine);

  it('has done what it told, and the same import again does the rest, to the unit', async () => {
    const random = new Random(SEED);
    await server.start();
    const place = await new ShopClient(server.api).location();
    const skus: string[] = [];
    for (let n = 0; n < SKUS; n += 1) skus.push(await new ShopClient(server.api, `${n}-`).product());
    const rows = Array.from({ length: ROWS }, (_, n) => ({
      sku: skus[random.whole(0, SKUS - 1)],
      locationId: place,
      type: n % 3 === 0 ? 'RETURN' : 'RECEIPT',
      quantity: random.whole(1, 9),
    }));
    const key = freshKey();
    const told: Results[] = [];

    for (let kill = 0; kill < KILLS; kill += 1) {
      const upload = SlowImport.open(server.now.url, key);
      upload.write(ndjson(rows));
      const enough = (told.at(-1)?.rows.length ?? 0) + random.whole(100, ROWS / (2 * KILLS));
      await upload.until((results) => results.rows.length >= enough);
      await server.kill();
      told.push(await upload.done());
      await server.start();
    }

    expect(told.map(({ summary }) => summary)).toEqual(Array.from({ length: KILLS }, () => undefined));
    const shop = new ShopClient(server.api);
    const last = await importRows(shop, rows, { key });
    expect(last.summary).toMatchObject({ rows: ROWS, refused: 0 });
    const undone = told
      .flatMap((results) => results.rows)
      .filter(({ row }) => last.rows[row - 1]?.outcome !== 'duplicate');
    expect(undone).toEqual([]);
    const wanted = skus.map((sku) => rows.reduce((sum, row) => sum + (row.sku === sku ? row.quantity : 0), 0));
    const found = await Promise.all(skus.map(async (sku) => (await shop.stock(sku, place)).onHand));
    expect(found).toEqual(wanted);
    expect(await brokenInvariants(server.api, { commandsOnly: true })).toEqual([]);
  });
});
