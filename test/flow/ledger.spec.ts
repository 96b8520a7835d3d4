import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Movement, type Page, stockPath, useShop } from '../support/shop.ts';

describeOnBothEngines('The ledger of a stock item', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  async function withReceipts(quantities: readonly number[]): Promise<{ sku: string; path: string }> {
    const sku = await shop.product();
    for (const quantity of quantities) await shop.receive(sku, place, quantity);
    return { sku, path: stockPath(sku, place, '/movements') };
  }

  async function page(path: string, query: string): Promise<Page<Movement>> {
    return bodyOf(await shop.api.get<Page<Movement>>(`${path}?${query}`));
  }

  const deltas = (items: readonly Movement[]) => items.map((movement) => movement.delta);

  it('is newest first, adds up to on-hand, and tells the balance after each movement', async () => {
    const { sku } = await withReceipts([5, 6]);
    await shop.tryMove(sku, place, 'SALE', 4);
    await shop.count(sku, place, 9);
    const reservation = await shop.reserve([{ sku, quantity: 2, locationId: place }]);
    await shop.confirm(reservation.id);
    await shop.fulfil(reservation.id);

    const ledger = await shop.ledger(sku, place);

    expect(ledger.map(({ type, delta, onHandAfter }) => [type, delta, onHandAfter])).toEqual([
      ['FULFILMENT', -2, 7],
      ['COUNT', 2, 9],
      ['SALE', -4, 7],
      ['RECEIPT', 6, 11],
      ['RECEIPT', 5, 5],
    ]);
    expect(new Set(ledger.map((movement) => movement.movementId)).size).toBe(5);
    expect((await shop.stock(sku, place)).onHand).toBe(7);
  });

  it('shows exactly the documented members, and whose request it was', async () => {
    const sku = await shop.product();
    const headers = { 'x-correlation-id': 'till-7:receipt.1' };
    const { movementId } = bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 3, {}, { headers }), 201);
    expect(await shop.ledger(sku, place)).toEqual([
      {
        movementId,
        type: 'RECEIPT',
        delta: 3,
        onHandAfter: 3,
        reason: null,
        reference: null,
        occurredAt: shop.clock.iso(),
        correlationId: 'till-7:receipt.1',
        clientId: 'default',
        keyId: null,
      },
    ]);
  });

  it('keeps its order when many movements share one instant', async () => {
    const { sku } = await withReceipts([1]);
    await Promise.all(Array.from({ length: 40 }, () => shop.receive(sku, place, 1)));

    const inPages = await allPages<Movement>(shop.api, stockPath(sku, place, '/movements'), 7);

    expect(inPages.map((movement) => movement.onHandAfter)).toEqual(Array.from({ length: 41 }, (_, i) => 41 - i));
  });

  it('pages on without a gap or a repeat while rows are added', async () => {
    const { sku, path } = await withReceipts([1, 2, 3, 4, 5]);

    const first = await page(path, 'limit=2');
    await shop.receive(sku, place, 6);
    await shop.receive(sku, place, 7);
    const second = await page(path, `limit=2&cursor=${first.nextCursor}`);
    await shop.receive(sku, place, 8);
    const third = await page(path, `limit=2&cursor=${second.nextCursor}`);

    expect([first, second, third].map(({ items }) => deltas(items))).toEqual([[5, 4], [3, 2], [1]]);
    expect(third.nextCursor).toBeNull();
  });

  it('ends with the last row when the rows fill the pages exactly', async () => {
    const { path } = await withReceipts([1, 2, 3, 4]);
    const first = await page(path, 'limit=2');
    const second = await page(path, `limit=2&cursor=${first.nextCursor}`);
    expect(second.nextCursor).toBeNull();
    expect((await page(path, 'limit=4')).nextCursor).toBeNull();
  });

  it('gives the same page for the same cursor again, and lets the limit change', async () => {
    const { path } = await withReceipts([1, 2, 3, 4, 5]);
    const { nextCursor } = await page(path, 'limit=1');
    expect(await page(path, `limit=2&cursor=${nextCursor}`)).toEqual(await page(path, `limit=2&cursor=${nextCursor}`));
    expect(deltas((await page(path, `limit=4&cursor=${nextCursor}`)).items)).toEqual([4, 3, 2, 1]);
    expect(deltas((await page(path, `cursor=${nextCursor}`)).items)).toEqual([4, 3, 2, 1]);
  });

  it('gives 50 rows unless told otherwise and at most 200', async () => {
    const { sku, path } = await withReceipts([1]);
    await Promise.all(Array.from({ length: 204 }, () => shop.receive(sku, place, 1)));
    expect((await page(path, '')).items).toHaveLength(50);
    expect((await page(path, 'limit=200')).items).toHaveLength(200);
    expect((await page(path, 'limit=1')).items).toHaveLength(1);
  });

  it.each([
    '0',
    '201',
    '-1',
    '1.5',
    '1.0',
    '1e1',
    '0x10',
    '+5',
    '%205',
    '5%20',
    '',
    'ten',
    '%D9%A3',
    '9007199254740993',
    '00000000000000000000000',
  ])('refuses limit=%s', async (limit) => {
    const { path } = await withReceipts([1]);
    const problem = problemOf(await shop.api.get(`${path}?limit=${limit}`), 400, 'VALIDATION_FAILED');
    expect(problem.errors).toMatchObject([{ field: 'limit' }]);
  });

  it('refuses a limit given twice, an unknown parameter, and both faults at once', async () => {
    const { path } = await withReceipts([1]);
    problemOf(await shop.api.get(`${path}?limit=5&limit=5`), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(`${path}?offset=5`), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(`${path}?limit[]=5`), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(`${path}?__proto__=5`), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(`${path}?constructor=5`), 400, 'VALIDATION_FAILED');
    const problem = problemOf(await shop.api.get(`${path}?limit=x&offset=5`), 400, 'VALIDATION_FAILED');
    expect((problem.errors as { field: string }[]).map((error) => error.field).sort()).toEqual(['limit', 'offset']);
  });

  it.each([
    'garbage',
    '%00',
    'e30',
    'bnVsbA',
    'W10',
    'eyJ2IjoxfQ',
    '%ff%fe',
    '../..',
    'a'.repeat(5000),
    '1',
    '-1',
    "'%20OR%201=1--",
  ])('refuses the cursor %s', async (cursor) => {
    const { path } = await withReceipts([1, 2]);
    const problem = problemOf(await shop.api.get(`${path}?cursor=${cursor}`), 400, 'VALIDATION_FAILED');
    expect(JSON.stringify(problem)).toContain('cursor');
  });

  it('refuses an empty cursor', async () => {
    const { path } = await withReceipts([1]);
    problemOf(await shop.api.get(`${path}?cursor=`), 400, 'VALIDATION_FAILED');
  });

  it('refuses a cursor of another item, of another list and one with a changed letter', async () => {
    const { path } = await withReceipts([1, 2, 3]);
    const other = await withReceipts([1, 2, 3]);
    const { nextCursor } = await page(path, 'limit=1');
    const cursor = nextCursor ?? '';

    problemOf(await shop.api.get(`${other.path}?cursor=${cursor}`), 400, 'VALIDATION_FAILED');
    for (const list of ['/v1/stock', '/v1/reservations', '/v1/locations', '/v1/products']) {
      problemOf(await shop.api.get(`${list}?cursor=${cursor}`), 400, 'VALIDATION_FAILED');
    }
    problemOf(await shop.api.get(`${path}?cursor=${cursor}x`), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(`${path}?cursor=${cursor.slice(0, -4)}`), 400, 'VALIDATION_FAILED');
  });
});
