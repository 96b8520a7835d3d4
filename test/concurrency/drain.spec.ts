import { counts } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnBothEngines, type Engine } from '../support/services.ts';
import { ShopClient } from '../support/shop.ts';
import { change, rowsOf } from '../support/sql.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

/** The many that fall due at the same instant; a multiple of what one answer may wait for. */
const DUE = counts(3_000, 100_000);
/** Sweeping one reservation must never cost a waiting request more than a few chunks of them. */
const CHUNKS_BETWEEN_ANSWERS_MAX = 40;
const CHUNK = 25;

describeOnBothEngines('Many holds that fall due at the same second', (engine) => {
  let app: RunningApp;
  let shop: ShopClient;

  beforeAll(async () => {
    app = await startApp(engine, { SWEEP_INTERVAL_MS: '50', SWEEP_CHUNK_RESERVATIONS: String(CHUNK) });
    shop = new ShopClient(app.api);
  });

  afterAll(() => app.close());

  it('are drained in the background while requests go through, and every unit comes back', async () => {
    const locationId = await shop.location();
    const sku = await shop.stocked({ [locationId]: DUE });
    const other = await shop.stocked({ [locationId]: 1_000_000 });
    await plant(engine, app.databaseUrl, { sku, locationId, at: app.clock.now() });
    expect(await held()).toBe(DUE);

    app.clock.advanceSeconds(60);
    // True at once, swept or not.
    expect(await held()).toBe(0);
    const leftBetweenAnswers: number[] = [];
    await eventually(
      'nothing is due any more',
      async () => {
        await shop.reserve([{ sku: other, quantity: 1, locationId }]);
        leftBetweenAnswers.push(await expired());
        return leftBetweenAnswers.at(-1) === DUE;
      },
      counts(120_000, 1_800_000),
    );
    const steps = leftBetweenAnswers.map((count, index) => count - (leftBetweenAnswers[index - 1] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(CHUNKS_BETWEEN_ANSWERS_MAX * CHUNK);
    const stored = await rowsOf<{ held: number | string; holds: number | string }>(
      app.databaseUrl,
      `SELECT (SELECT held FROM stock_items WHERE sku = '${sku}') AS "held",
         (SELECT COUNT(*) FROM holds WHERE sku = '${sku}') AS "holds"`,
    );
    expect(Number(stored[0]?.held)).toBe(0);
    expect(Number(stored[0]?.holds)).toBe(0);

    async function held(): Promise<number> {
      return (await shop.stock(sku, locationId)).held;
    }
  });

  async function expired(): Promise<number> {
    const text = (await app.api.get('/metrics')).text;
    return Number(/^reservations_total\{outcome="expired"\} (\d+)/m.exec(text)?.[1] ?? 0);
  }
});

/** One-unit reservations as their creation would have stored them, all ending in 30 seconds. */
async function plant(
  engine: Engine,
  url: string,
  { sku, locationId, at }: { sku: string; locationId: string; at: number },
): Promise<void> {
  const many = `WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ${DUE})`;
  const id = engine === 'sqlite' ? `printf('due-%08d', n)` : `'due-' || lpad(n::text, 8, '0')`;
  const lines = JSON.stringify([
    { sku, quantity: 1, locationId, allocations: [{ locationId, quantity: 1, fulfilled: false }] },
  ]);
  const ends = at + 30_000;
  const statements = [
    `INSERT INTO reservations (tenant_id, id, status, lines, cart_id, order_id, ttl_seconds, expires_at,
       lifetime_ends_at, created_at, updated_at, version)
     ${many} SELECT 'default', ${id}, 'ACTIVE', '${lines}', NULL, NULL, 30, ${ends}, ${ends}, ${at}, ${at}, 1 FROM many`,
    `INSERT INTO holds (tenant_id, hold_id, sku, location_id, units, state, expires_at, version)
     ${many} SELECT 'default', ${id}, '${sku}', '${locationId}', 1, 'HELD', ${ends}, 1 FROM many`,
    `UPDATE stock_items SET held = ${DUE}, no_hold_due_before = ${ends}, version = version + 1 WHERE sku = '${sku}'`,
  ];
  for (const statement of statements) await change(url, statement);
}
