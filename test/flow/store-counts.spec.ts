import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, useShop } from '../support/shop.ts';
import { StoreClient } from '../support/store-client.ts';

describeOnBothEngines('A count of a store', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let sku: string;
  let store: StoreClient;

  beforeEach(async () => {
    place = await shop.location();
    sku = await shop.stocked({ [place]: 10 });
    store = await StoreClient.open(shop.api, place, () => shop.clock.iso());
  });

  const onHand = async (): Promise<number> => (await shop.stock(sku, place)).onHand;

  it('is placed by its number: what was sold before it is in it, what is sold after it comes off', async () => {
    const cursor = await store.cursor();
    const events = [
      store.event(1, 'sale', { sku, quantity: 2 }),
      store.event(2, 'count', { sku, counted: 7, cursor }),
      store.event(3, 'sale', { sku, quantity: 3 }),
    ];
    await store.push([events[2]!]);
    await store.push([events[1]!]);
    expect(await onHand()).toBe(10);
    await store.push([events[0]!]);
    expect(await onHand()).toBe(4);
    expect((await shop.ledger(sku, place)).map(({ type, delta }) => [type, delta])).toEqual([
      ['SALE', -3],
      ['COUNT', -1],
      ['SALE', -2],
      ['RECEIPT', 10],
    ]);
  });

  it('leaves on top what the centre changed behind its cursor, and nothing of what it knew', async () => {
    await shop.receive(sku, place, 5);
    const cursor = await store.cursor();
    await shop.receive(sku, place, 100);
    const { id } = await shop.reserve([{ sku, quantity: 4, locationId: place }]);
    await shop.confirm(id);
    await shop.fulfil(id);
    bodyOf(await shop.tryMove(sku, place, 'SALE', 6), 201);
    await store.push([
      store.event(1, 'sale', { sku, quantity: 1 }),
      store.event(2, 'count', { sku, counted: 3, cursor }),
      store.event(3, 'count', { sku, counted: 3, cursor: await store.cursor() }),
    ]);
    const deltas = (await shop.ledger(sku, place)).slice(0, 3).map(({ type, onHandAfter }) => [type, onHandAfter]);
    expect(deltas).toEqual([
      ['COUNT', 3],
      ['COUNT', 3 + 100 - 4 - 6],
      ['SALE', 104],
    ]);
    expect(await onHand()).toBe(3);
  });

  it('counts transfers that the centre moved meanwhile, too', async () => {
    const elsewhere = await shop.location();
    const cursor = await store.cursor();
    const out = await shop.dispatch(sku, place, elsewhere, 3);
    await store.push([store.event(1, 'count', { sku, counted: 10, cursor })]);
    expect(await onHand()).toBe(7);
    await shop.end('cancel', out.id);
    await store.push([store.event(2, 'count', { sku, counted: 11, cursor })]);
    expect(await onHand()).toBe(11);
  });

  it('is recorded also when it found what was known, and may leave less than nothing', async () => {
    const cursor = await store.cursor();
    await store.push([store.event(1, 'count', { sku, counted: 10, cursor })]);
    expect((await shop.ledger(sku, place))[0]).toMatchObject({ type: 'COUNT', delta: 0 });
    bodyOf(await shop.tryMove(sku, place, 'SALE', 5), 201);
    await store.push([store.event(2, 'count', { sku, counted: 0, cursor })]);
    expect(await onHand()).toBe(-5);
  });

  it('of many items in one call is right for each', async () => {
    const skus: string[] = [];
    for (let n = 0; n < 60; n += 1) skus.push(await shop.stocked({ [place]: n + 1 }));
    const cursor = await store.cursor();
    for (const one of skus.filter((_, n) => n % 3 === 0)) await shop.receive(one, place, 7);
    await store.push(skus.map((one, n) => store.event(n + 1, 'count', { sku: one, counted: n, cursor })));
    const found: number[] = [];
    for (const one of skus) found.push((await shop.stock(one, place)).onHand);
    expect(found).toEqual(skus.map((_, n) => n + (n % 3 === 0 ? 7 : 0)));
  });

  it('with a cursor that the log does not reach is dead: nobody could say what it has seen', async () => {
    const { results } = await store.push([
      store.event(1, 'count', { sku, counted: 1, cursor: '9999999999999999' }),
      store.event(2, 'sale', { sku, quantity: 1 }),
    ]);
    expect(results).toMatchObject([{ outcome: 'dead', code: 'CURSOR_GONE' }, { outcome: 'applied' }]);
    expect(await onHand()).toBe(9);
  });
});

describeOnBothEngines('A pickup in a store', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let elsewhere: string;
  let sku: string;
  let store: StoreClient;

  beforeEach(async () => {
    place = await shop.location();
    elsewhere = await shop.location();
    sku = await shop.stocked({ [place]: 10, [elsewhere]: 10 });
    store = await StoreClient.open(shop.api, place, () => shop.clock.iso());
  });

  const pickup = async (sequence: number, reservationId: string): Promise<unknown[]> =>
    (await store.push([store.event(sequence, 'pickup', { reservationId })])).results.map(({ outcome, code }) =>
      code === undefined ? outcome : `${outcome} ${code}`,
    );

  it('fulfils the lines of this location, once, and those of no other', async () => {
    const { id } = await shop.reserve([
      { sku, quantity: 2, locationId: place },
      { sku, quantity: 3, locationId: elsewhere },
    ]);
    await shop.confirm(id);
    expect(await pickup(1, id)).toEqual(['applied']);
    expect(await pickup(2, id)).toEqual(['applied']);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 8, committed: 0 });
    expect(await shop.stock(sku, elsewhere)).toMatchObject({ onHand: 10, committed: 3 });
    expect((await shop.reservation(id)).status).toBe('CONFIRMED');
    await shop.fulfil(id);
    expect(await pickup(3, id)).toEqual(['applied']);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 8 });
  });

  it('is a fact: on-hand may be short of the units', async () => {
    const { id } = await shop.reserve([{ sku, quantity: 2, locationId: place }]);
    await shop.confirm(id);
    await store.push([store.event(1, 'sale', { sku, quantity: 10 })]);
    expect(await pickup(2, id)).toEqual(['applied']);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: -2, held: 0, committed: 0 });
    expect((await shop.reservation(id)).status).toBe('FULFILLED');
  });

  it('is seen by a count behind it', async () => {
    const { id } = await shop.reserve([{ sku, quantity: 2, locationId: place }]);
    await shop.confirm(id);
    const cursor = await store.cursor();
    await store.push([
      store.event(1, 'pickup', { reservationId: id }),
      store.event(2, 'count', { sku, counted: 8, cursor }),
    ]);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 8, committed: 0 });
    expect((await shop.ledger(sku, place))[0]).toMatchObject({ type: 'COUNT', delta: 0 });
  });

  it('of a reservation that is not confirmed, has nothing here, or is not there, is dead', async () => {
    const active = await shop.reserve([{ sku, quantity: 1, locationId: place }]);
    const cancelled = await shop.reserve([{ sku, quantity: 1, locationId: place }]);
    await shop.cancel(cancelled.id);
    const expired = await shop.reserve([{ sku, quantity: 1, locationId: place }], { ttlSeconds: 1 });
    shop.clock.advanceSeconds(1);
    const other = await shop.reserve([{ sku, quantity: 1, locationId: elsewhere }]);
    await shop.confirm(other.id);
    expect(await pickup(1, active.id)).toEqual(['dead RESERVATION_NOT_CONFIRMED']);
    expect(await pickup(2, cancelled.id)).toEqual(['dead RESERVATION_NOT_CONFIRMED']);
    expect(await pickup(3, expired.id)).toEqual(['dead RESERVATION_NOT_CONFIRMED']);
    expect(await pickup(4, other.id)).toEqual(['dead UNKNOWN_LOCATION']);
    expect(await pickup(5, 'nothing')).toEqual(['dead NOT_FOUND']);
    expect((await shop.stock(sku, place)).onHand).toBe(10);
  });
});
