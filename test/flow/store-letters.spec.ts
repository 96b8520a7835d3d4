import { eventually } from '../support/eventually.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type Page, type StockItem, useShop } from '../support/shop.ts';
import { StoreClient } from '../support/store-client.ts';

interface Letter {
  readonly id: string;
  readonly eventId: string;
  readonly locationId: string;
  readonly sequence: number;
  readonly type: string | null;
  readonly data: unknown;
  readonly code: string;
  readonly status: string;
  readonly attempts: number;
}

interface Rehearsal {
  readonly before: Record<string, StockItem[]>;
  readonly after: Record<string, StockItem[]>;
  readonly failure: { code: string } | null;
}

describeOnBothEngines('Dead letters of stores', (engine) => {
  const shop = useShop(engine, { RELAY_INTERVAL_MS: '20' });
  let place: string;
  let store: StoreClient;

  beforeEach(async () => {
    place = await shop.location();
    store = await StoreClient.open(shop.api, place, () => shop.clock.iso());
  });

  async function letters(status = 'DEAD'): Promise<Letter[]> {
    const all: Letter[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: Page<Letter> = bodyOf(
        await shop.api.get<Page<Letter>>(`/v1/dead-letters?status=${status}&limit=200${more}`),
      );
      all.push(...page.items.filter(({ locationId }) => locationId === place));
      cursor = page.nextCursor;
    }
    return all;
  }

  const post = <Body>(id: string, verb: string, body?: unknown): Promise<Body> =>
    shop.api.post<Body>(`/v1/dead-letters/${id}/${verb}`, body, { key: null }).then((answer) => bodyOf(answer));

  it('are events of products that nobody knows, and are replayed by themselves when the product is created', async () => {
    const sku = shop.name('unknown');
    const events = [
      store.event(1, 'receipt', { sku, quantity: 10 }),
      store.event(2, 'sale', { sku, quantity: 3 }),
      store.event(3, 'count', { sku, counted: 6, cursor: '0' }),
      store.event(4, 'sale', { sku, quantity: 1 }),
    ];
    const { results } = await store.push(events);
    expect(results.map(({ outcome, code }) => [outcome, code])).toEqual(events.map(() => ['dead', 'UNKNOWN_PRODUCT']));
    expect(
      (await letters()).map(({ eventId, sequence, type, data, code }) => ({ eventId, sequence, type, data, code })),
    ).toEqual(
      events.map(({ id, sequence, type, data }) => ({ eventId: id, sequence, type, data, code: 'UNKNOWN_PRODUCT' })),
    );
    await shop.product({}, sku);
    await eventually('all are replayed', async () => (await letters('REPLAYED')).length === events.length);
    expect((await shop.stock(sku, place)).onHand).toBe(5);
    expect((await shop.ledger(sku, place)).map(({ type, delta }) => [type, delta]).reverse()).toEqual([
      ['RECEIPT', 10],
      ['SALE', -3],
      ['COUNT', -1],
      ['SALE', -1],
    ]);
    expect((await store.push(events)).results.map(({ outcome }) => outcome)).toEqual(events.map(() => 'duplicate'));
  });

  it('are very many of one product, and all are replayed, some with each commit', async () => {
    const sku = shop.name('unknown');
    const events = Array.from({ length: 450 }, (_, n) => store.event(n + 1, 'receipt', { sku, quantity: 1 }));
    await store.push(events);
    await shop.product({}, sku);
    await eventually('all are replayed', async () => (await letters()).length === 0);
    expect((await shop.stock(sku, place)).onHand).toBe(450);
  });

  it('are replayed as of their place: a later count has seen them, and keeps its word', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const { id } = await shop.reserve([{ sku, quantity: 2, locationId: place }]);
    await store.push([
      store.event(1, 'pickup', { reservationId: id }),
      store.event(2, 'count', { sku, counted: 8, cursor: await store.cursor() }),
      store.event(3, 'sale', { sku, quantity: 1 }),
    ]);
    expect((await shop.stock(sku, place)).onHand).toBe(7);
    const [letter] = await letters();
    expect(letter).toMatchObject({ code: 'RESERVATION_NOT_CONFIRMED', sequence: 1, type: 'pickup' });
    await shop.confirm(id);
    expect(await post<Letter>(letter!.id, 'replay')).toMatchObject({ status: 'REPLAYED' });
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 7, committed: 0 });
    expect((await shop.reservation(id)).status).toBe('FULFILLED');
  });

  it('of a count that is replayed late leave what the store sold since', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    await store.push([store.event(2, 'count', { sku, counted: 20, cursor: '0' })]);
    const next = await StoreClient.open(shop.api, place, () => shop.clock.iso());
    await next.push([next.event(1, 'sale', { sku, quantity: 4 })]);
    const [letter] = await letters();
    expect(letter).toMatchObject({ code: 'EPOCH_ENDED', sequence: 2 });
    await post<Letter>(letter!.id, 'replay');
    // The centre had received 10 that a store with the cursor 0 cannot have seen.
    expect((await shop.stock(sku, place)).onHand).toBe(20 + 10 - 4);
  });

  it('are rehearsed and replayed once; what still fails stays dead', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    await store.push([store.event(2, 'sale', { sku, quantity: 4 }), store.event(3, 'sale', { sku, quantity: 0 })]);
    await StoreClient.open(shop.api, place);
    const [good, bad] = await letters();
    const rehearsal = await post<Rehearsal>(good!.id, 'replay?dryRun=true');
    expect(rehearsal.failure).toBeNull();
    expect([rehearsal.before['stock']?.[0]?.onHand, rehearsal.after['stock']?.[0]?.onHand]).toEqual([10, 6]);
    expect((await shop.stock(sku, place)).onHand).toBe(10);
    expect(await post<Letter>(good!.id, 'replay')).toMatchObject({ status: 'REPLAYED' });
    expect(await post<Letter>(good!.id, 'replay')).toMatchObject({ status: 'REPLAYED' });
    expect((await shop.stock(sku, place)).onHand).toBe(6);
    expect(await post<Rehearsal>(bad!.id, 'replay?dryRun=true')).toMatchObject({
      failure: { code: 'VALIDATION_FAILED' },
    });
    expect(await post<Letter>(bad!.id, 'replay')).toMatchObject({
      status: 'DEAD',
      code: 'VALIDATION_FAILED',
      attempts: 2,
    });
  });

  it('that are replayed while their event waits again are applied once', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const event = store.event(2, 'sale', { sku, quantity: 4 });
    await store.push([event]);
    const next = await StoreClient.open(shop.api, place, () => shop.clock.iso());
    expect((await next.push([event])).results).toMatchObject([{ outcome: 'parked' }]);
    const [letter] = await letters();
    await post<Letter>(letter!.id, 'replay');
    expect((await shop.stock(sku, place)).onHand).toBe(6);
    expect(await next.push([next.event(1, 'sale', { sku, quantity: 1 })])).toMatchObject({ nextSequence: 3 });
    expect((await shop.stock(sku, place)).onHand).toBe(5);
  });

  it('that are discarded are never applied: not when they come again either', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const event = store.event(2, 'sale', { sku, quantity: 4 });
    await store.push([event]);
    const next = await StoreClient.open(shop.api, place, () => shop.clock.iso());
    const [letter] = await letters();
    await post<Letter>(letter!.id, 'discard', { reason: 'The till was in training mode' });
    expect((await next.push([{ ...event, sequence: 1 }])).results).toMatchObject([{ outcome: 'duplicate' }]);
    expect((await shop.stock(sku, place)).onHand).toBe(10);
  });

  it('of two stores that use the same ids are told apart', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const elsewhere = await shop.location();
    const other = await StoreClient.open(shop.api, elsewhere, () => shop.clock.iso());
    const event = store.event(2, 'sale', { sku, quantity: 4 });
    await store.push([event]);
    await other.push([event]);
    const next = await StoreClient.open(shop.api, place, () => shop.clock.iso());
    await StoreClient.open(shop.api, elsewhere);
    await next.push([{ ...event, sequence: 1 }]);
    expect(await letters()).toEqual([]);
    place = elsewhere;
    expect(await letters()).toHaveLength(1);
  });

  it('that fail with a limit of ours stay dead, and what is behind them is applied', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const events = Array.from({ length: 1001 }, (_, n) => store.event(n + 1, 'receipt', { sku, quantity: 1_000_000 }));
    await store.push(events.slice(0, 1000));
    const { results } = await store.push([events[1000]!, store.event(1002, 'sale', { sku, quantity: 10 })]);
    expect(results.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['dead', 'QUANTITY_LIMIT'],
      ['applied', undefined],
    ]);
  });
});
