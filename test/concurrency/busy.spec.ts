import { Api, problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient, useShop } from '../support/shop.ts';

describeOnBothEngines('A server that is asked for more than its queue holds', (engine) => {
  const shop = useShop(engine, { QUEUE_WORKS_MAX: '4', READY_QUEUE_WORKS_MAX: '4', BATCH_WORKS_MAX: '2' });

  it('refuses the rest with BUSY and when to come again, and does exactly what it says it did', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    const crowd = new ShopClient(new Api(shop.url, 200));

    const answers = await Promise.all(Array.from({ length: 200 }, () => crowd.tryMove(sku, place, 'RECEIPT', 1)));

    const busy = answers.filter((answer) => answer.status !== 201);
    for (const answer of busy) {
      problemOf(answer, 503, 'BUSY');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    expect(busy.length).toBeGreaterThan(0);
    expect((await shop.stock(sku, place)).onHand).toBe(answers.length - busy.length);
    crowd.api.close();
  });

  it('goes on reading meanwhile, and takes the same request under the same key afterwards', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    const crowd = new ShopClient(new Api(shop.url, 200));
    const keys = Array.from({ length: 120 }, (_, i) => `again-${engine}-${i}`);
    const attempt = (key: string) => crowd.tryMove(sku, place, 'RECEIPT', 1, {}, { key });

    const [, ...reads] = await Promise.all([
      Promise.all(keys.map(attempt)),
      ...Array.from({ length: 20 }, () => crowd.api.get(`/v1/products/${sku}`)),
    ]);
    expect(reads.map((answer) => answer.status)).toEqual(reads.map(() => 200));
    // One by one, nobody is turned away any more.
    for (const key of keys) expect((await attempt(key)).status).toBe(201);

    expect((await shop.stock(sku, place)).onHand).toBe(keys.length);
    crowd.api.close();
  });
});
