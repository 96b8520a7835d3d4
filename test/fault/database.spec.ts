import { eventually } from '../support/eventually.ts';
import { type Answer, problemOf } from '../support/http.ts';
import { describeOnPostgres } from '../support/services.ts';
import { useShop } from '../support/shop.ts';
import { blockWriting, rowsOf } from '../support/sql.ts';

describeOnPostgres('A database that drops its connections under load', () => {
  const shop = useShop('postgres', { DATABASE_BUSY_MAX_MS: '1000' });

  it('is answered with 503 and nothing else, loses nothing that was answered, and is found again', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    const keys = Array.from({ length: 200 }, (_, i) => `dropped-${i}`);
    const answers: Answer[] = [];
    const attempt = (key: string) => shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key });

    const waiting = [...keys];
    const callers = Array.from({ length: 16 }, async () => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        answers.push(await attempt(key), await shop.api.get(`/v1/stock/${sku}/${place}`));
      }
    });
    for (const count of [60, 160, 260]) {
      await eventually(`${count} are answered`, () => Promise.resolve(answers.length >= count));
      await rowsOf(
        shop.app.databaseUrl,
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    }
    await Promise.all(callers);

    for (const answer of answers.filter(({ status }) => status >= 300)) {
      problemOf(answer, 503, 'UNAVAILABLE');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    expect(answers.some(({ status }) => status === 503)).toBe(true);
    await eventually('the database is found again', async () => (await shop.api.get('/health/ready')).status === 200);
    for (const key of keys) expect((await attempt(key)).status).toBe(201);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: keys.length, version: keys.length });
    expect(await shop.ledger(sku, place)).toHaveLength(keys.length);
  });
});

describe('A SQLite file that somebody else keeps locked', () => {
  const shop = useShop('sqlite', { DATABASE_BUSY_MAX_MS: '300' });

  it('is waited for without holding anybody else up, refused as busy, and used again when it is free', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 1 });
    const unblock = await blockWriting(shop.app.databaseUrl);

    const writing = shop.tryMove(sku, place, 'RECEIPT', 5, {}, { key: 'locked-out' });
    const reads = await Promise.all(Array.from({ length: 20 }, () => shop.api.get(`/v1/stock/${sku}/${place}`)));
    expect(reads.map((answer) => answer.status)).toEqual(reads.map(() => 200));
    const refused = await writing;
    problemOf(refused, 503, 'BUSY');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);

    await unblock();
    expect((await shop.tryMove(sku, place, 'RECEIPT', 5, {}, { key: 'locked-out' })).status).toBe(201);
    expect((await shop.stock(sku, place)).onHand).toBe(6);
  });
});
