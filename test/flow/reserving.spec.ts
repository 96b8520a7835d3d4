import { describeOnBothEngines } from '../support/services.ts';
import { allocationsOf, useShop } from '../support/shop.ts';

describeOnBothEngines('Creating a reservation', (engine) => {
  const shop = useShop(engine);
  let store: string;

  beforeAll(async () => {
    store = await shop.location();
  });

  it('holds the units and answers the whole reservation', async () => {
    const sku = await shop.stocked({ [store]: 5 });
    const cartId = shop.name('cart');

    const answer = await shop.tryReserve([{ sku, quantity: 2, locationId: store }], { cartId });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/) as string,
      status: 'ACTIVE',
      lines: [
        {
          sku,
          quantity: 2,
          locationId: store,
          allocations: [{ locationId: store, quantity: 2, fulfilled: false }],
        },
      ],
      cartId,
      orderId: null,
      expiresAt: shop.clock.iso(900),
      createdAt: shop.clock.iso(),
      updatedAt: shop.clock.iso(),
      version: 1,
    });
    expect(await shop.reservation(answer.body.id)).toEqual(answer.body);
    expect(await shop.stock(sku, store)).toMatchObject({ onHand: 5, held: 2, committed: 0, available: 3, version: 2 });
  });

  it('takes null for what is optional, and shows an open line with null', async () => {
    const sku = await shop.stocked({ [store]: 5 });
    const made = await shop.reserve([{ sku, quantity: 1, locationId: null }], { cartId: null, ttlSeconds: null });
    expect(made).toMatchObject({ cartId: null, lines: [{ locationId: null }], expiresAt: shop.clock.iso(900) });
  });

  it.each([1, 60, 14_400])('lives for ttlSeconds=%i', async (ttlSeconds) => {
    const sku = await shop.stocked({ [store]: 1 });
    expect((await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds })).expiresAt).toBe(shop.clock.iso(ttlSeconds));
  });

  it('adds lines of the same sku and the same asked location up, in the order of first mention', async () => {
    const other = await shop.location();
    const a = await shop.stocked({ [store]: 10, [other]: 10 });
    const b = await shop.stocked({ [store]: 10 });

    const made = await shop.reserve([
      { sku: a, quantity: 1, locationId: store },
      { sku: b, quantity: 2 },
      { sku: a, quantity: 3, locationId: other },
      { sku: a, quantity: 4, locationId: store },
      { sku: b, quantity: 5, locationId: null },
    ]);

    expect(made.lines.map(({ sku, quantity, locationId }) => [sku, quantity, locationId])).toEqual([
      [a, 5, store],
      [b, 7, null],
      [a, 3, other],
    ]);
    expect(await shop.stock(a, store)).toMatchObject({ held: 5 });
  });

  it('holds a hundred lines', async () => {
    const skus = await Promise.all(Array.from({ length: 100 }, () => shop.stocked({ [store]: 1 })));
    const made = await shop.reserve(skus.map((sku) => ({ sku, quantity: 1 })));
    expect(made.lines).toHaveLength(100);
    for (const sku of [skus[0] ?? '', skus[99] ?? '']) expect((await shop.stock(sku, store)).held).toBe(1);
  });
});

describeOnBothEngines('Sourcing of lines without a location', (engine) => {
  const shop = useShop(engine, { SWEEP_INTERVAL_MS: '60000' });
  // Three shops online in this order, one that does not sell online although it would come first.
  let first: string;
  let second: string;
  let third: string;
  let offline: string;

  beforeAll(async () => {
    third = await shop.location({ priority: 30 }, 'A-third');
    second = await shop.location({ priority: 20 }, 'B-second');
    first = await shop.location({ priority: 10 }, 'C-first');
    offline = await shop.location({ priority: 0, sellsOnline: false }, 'D-offline');
  });

  it('takes the location of the lowest priority number that can serve all', async () => {
    const sku = await shop.stocked({ [first]: 5, [second]: 50, [third]: 500 });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 5 }]))).toEqual([{ [first]: 5 }]);
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 5 }]))).toEqual([{ [second]: 5 }]);
  });

  it('prefers one location for the whole reservation to better locations for its lines', async () => {
    const a = await shop.stocked({ [first]: 9, [third]: 9 });
    const b = await shop.stocked({ [second]: 9, [third]: 9 });
    const made = await shop.reserve([
      { sku: a, quantity: 1 },
      { sku: b, quantity: 1 },
    ]);
    expect(allocationsOf(made)).toEqual([{ [third]: 1 }, { [third]: 1 }]);
  });

  it('else takes one location for each line, by priority', async () => {
    const a = await shop.stocked({ [first]: 2, [second]: 9 });
    const b = await shop.stocked({ [third]: 9 });
    const made = await shop.reserve([
      { sku: a, quantity: 2 },
      { sku: b, quantity: 2 },
    ]);
    expect(allocationsOf(made)).toEqual([{ [first]: 2 }, { [third]: 2 }]);
  });

  it('prefers one location for a line to a split over better ones', async () => {
    const sku = await shop.stocked({ [first]: 4, [second]: 4, [third]: 5 });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 5 }]))).toEqual([{ [third]: 5 }]);
  });

  it('else splits the line, by priority', async () => {
    const sku = await shop.stocked({ [first]: 2, [second]: 3, [third]: 4 });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 7 }]))).toEqual([
      { [first]: 2, [second]: 3, [third]: 2 },
    ]);
  });

  it('goes by most available where priorities are equal, then by id', async () => {
    const [x, y, z] = ['Q-x', 'Q-y', 'Q-z'] as const;
    for (const id of [z, y, x]) await shop.location({ priority: 500 }, id);
    const byUnits = await shop.stocked({ [x]: 5, [y]: 9, [z]: 7 });
    expect(allocationsOf(await shop.reserve([{ sku: byUnits, quantity: 5 }]))).toEqual([{ [y]: 5 }]);
    // y has 4 left now, z 7, x 5
    expect(allocationsOf(await shop.reserve([{ sku: byUnits, quantity: 5 }]))).toEqual([{ [z]: 5 }]);

    const byId = await shop.stocked({ [z]: 3, [y]: 3, [x]: 3 });
    expect(allocationsOf(await shop.reserve([{ sku: byId, quantity: 2 }]))).toEqual([{ [x]: 2 }]);
    // y and z have 3, x has 1: y comes first, then z, then x
    expect(allocationsOf(await shop.reserve([{ sku: byId, quantity: 7 }]))).toEqual([{ [y]: 3, [z]: 3, [x]: 1 }]);
  });

  it('never takes from a location that does not sell online, unless the line asks for it', async () => {
    const sku = await shop.stocked({ [offline]: 9, [third]: 1 });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [third]: 1 }]);
    expect((await shop.tryReserve([{ sku, quantity: 1 }])).status).toBe(409);
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 2, locationId: offline }]))).toEqual([{ [offline]: 2 }]);
  });

  it('counts what is available, not what is on hand', async () => {
    const sku = await shop.stocked({ [first]: 5, [second]: 5 });
    await shop.safetyStock(sku, first, 3);
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 3 }]))).toEqual([{ [second]: 3 }]);
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 2 }]))).toEqual([{ [first]: 2 }]);
  });

  it('serves asked lines first, and open lines of the sku from what is left', async () => {
    const sku = await shop.stocked({ [first]: 5, [second]: 5 });
    const made = await shop.reserve([
      { sku, quantity: 4 },
      { sku, quantity: 3, locationId: first },
    ]);
    expect(allocationsOf(made)).toEqual([{ [second]: 4 }, { [first]: 3 }]);
  });

  it('follows a location that changes its priority or stops selling online', async () => {
    const p = await shop.location({ priority: 700 });
    const q = await shop.location({ priority: 600 });
    const sku = await shop.stocked({ [p]: 9, [q]: 9 });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [q]: 1 }]);
    await shop.api.put(`/v1/locations/${p}`, { name: 'p', kind: 'STORE', priority: 1 });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [p]: 1 }]);
    await shop.api.put(`/v1/locations/${p}`, { name: 'p', kind: 'STORE', priority: 1, sellsOnline: false });
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [q]: 1 }]);
  });
});
