import { eventually } from '../support/eventually.ts';
import { type Answer, problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type Moved, useShop } from '../support/shop.ts';
import { blockWriting, rowsOf } from '../support/sql.ts';

const PATIENT = { DATABASE_BUSY_MAX_MS: '20000', DATABASE_STATEMENT_MAX_MS: '20000' };

function expectBusy(answer: Answer): void {
  problemOf(answer, 503, 'BUSY');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
}

describeOnBothEngines('A queue that is full', (engine) => {
  const shop = useShop(engine, { ...PATIENT, QUEUE_WORKS_MAX: '4', BATCH_WORKS_MAX: '2', QUEUE_WAIT_MAX_MS: '60000' });

  it('refuses the rest at once, goes on reading, and does exactly what it says it did', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    const unblock = await blockWriting(shop.app.databaseUrl);
    const refused: Answer[] = [];
    const all = Array.from({ length: 40 }, async (_, i) => {
      const answer = await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: `full-${engine}-${i}` });
      if (answer.status !== 201) refused.push(answer);
      return answer;
    });

    // Two are in the batch that cannot be written, or are about to be, and four wait.
    await eventually('all others are refused', () => Promise.resolve(refused.length >= 40 - 2 - 4));
    expect((await shop.api.get(`/v1/products/${sku}`)).status).toBe(200);
    await unblock();
    const answers = await Promise.all(all);

    refused.forEach(expectBusy);
    const made = answers.filter((answer) => answer.status === 201);
    expect(made.length).toBeGreaterThanOrEqual(4);
    expect((await shop.stock(sku, place)).onHand).toBe(made.length);
    for (let i = 0; i < 40; i++) {
      expect((await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: `full-${engine}-${i}` })).status).toBe(201);
    }
    expect((await shop.stock(sku, place)).onHand).toBe(40);
  });
});

describeOnBothEngines('A work that waits too long for its turn', (engine) => {
  const shop = useShop(engine, { ...PATIENT, BATCH_WORKS_MAX: '1', QUEUE_WAIT_MAX_MS: '100' });

  /** A reaction to the new product would have its turn first. */
  async function reactionsRest(): Promise<void> {
    const open = `SELECT 1 FROM outbox_events WHERE type = 'inventory.product.created'
      AND position > (SELECT COALESCE(MIN(position), 0) FROM consumer_cursors)`;
    await eventually('the reactions have read what there is', async () => {
      return (await rowsOf(shop.app.databaseUrl, open)).length === 0;
    });
  }

  it('is refused, but one whose turn has come gets its outcome, and a repeat learns that it is in flight', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    await reactionsRest();
    const unblock = await blockWriting(shop.app.databaseUrl);
    const move = (key: string) => shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key });

    let first: Answer<Moved> | undefined;
    const begun = move('in-flight').then((answer) => (first = answer));
    // Another one waits in vain, so the first one's turn has come.
    expectBusy(await move('too-late'));
    problemOf(await move('in-flight'), 409, 'IDEMPOTENCY_KEY_IN_FLIGHT');
    expect(first).toBeUndefined();
    await unblock();
    const { status, text } = await begun;
    expect(status).toBe(201);
    expect((await move('in-flight')).text).toBe(text);
    expect((await shop.stock(sku, place)).onHand).toBe(1);
  });
});
