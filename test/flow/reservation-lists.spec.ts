import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Page, type Reservation, useShop } from '../support/shop.ts';

describeOnBothEngines('The list of reservations', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let sku: string;

  beforeAll(async () => {
    place = await shop.location();
    sku = await shop.stocked({ [place]: 1_000 });
  });

  const find = (query: string) => allPages<Reservation>(shop.api, `/v1/reservations?${query}`);
  const ids = (items: readonly Reservation[]) => items.map((one) => one.id);

  async function reserve(more: object = {}): Promise<string> {
    shop.clock.advanceSeconds(1);
    return (await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 14_400, ...more })).id;
  }

  it('is newest first, and shows each reservation as the single read does', async () => {
    const made = [await reserve(), await reserve(), await reserve()];
    const found = await find('');
    expect(ids(found).slice(0, 3)).toEqual([...made].reverse());
    expect(found[0]).toEqual(await shop.reservation(made[2] ?? ''));
  });

  it('is found by status', async () => {
    const [active, confirmed, fulfilled, cancelled] = [
      await reserve(),
      await reserve(),
      await reserve(),
      await reserve(),
    ];
    await shop.confirm(confirmed);
    await shop.confirm(fulfilled);
    await shop.fulfil(fulfilled);
    await shop.cancel(cancelled);
    for (const [status, id] of Object.entries({
      ACTIVE: active,
      CONFIRMED: confirmed,
      FULFILLED: fulfilled,
      CANCELLED: cancelled,
    })) {
      const found = await find(`status=${status}`);
      expect(found.every((one) => one.status === status)).toBe(true);
      expect(ids(found)).toContain(id);
    }
  });

  it('is found by cart and by order, also together', async () => {
    const cartId = shop.name('cart');
    const first = await reserve({ cartId });
    await shop.confirm(first, 'ORDER-A');
    const second = await reserve({ cartId });
    const third = await reserve();
    await shop.confirm(third, 'ORDER-A');

    expect(ids(await find(`cartId=${cartId}`))).toEqual([second, first]);
    expect(ids(await find('orderId=ORDER-A'))).toEqual([third, first]);
    expect(ids(await find(`orderId=ORDER-A&cartId=${cartId}`))).toEqual([first]);
    expect(ids(await find(`cartId=${cartId}&status=ACTIVE`))).toEqual([second]);
    expect(await find('cartId=nobody')).toEqual([]);
    expect(await find('orderId=order-a')).toEqual([]);
  });

  it('is found by the location that has units of it, each once', async () => {
    const [one, two] = [await shop.location({ priority: 1 }), await shop.location({ priority: 2 })];
    const a = await shop.stocked({ [one]: 2, [two]: 2 });
    const b = await shop.stocked({ [one]: 9 });
    const split = await shop.reserve([
      { sku: a, quantity: 4 },
      { sku: b, quantity: 1, locationId: one },
    ]);
    const single = await shop.reserve([{ sku: b, quantity: 1 }]);
    await shop.confirm(split.id);

    expect(ids(await find(`locationId=${one}`))).toEqual([single.id, split.id]);
    expect(ids(await find(`locationId=${two}`))).toEqual([split.id]);
    expect(ids(await find(`locationId=${one}&status=CONFIRMED`))).toEqual([split.id]);
    expect(await find('locationId=nowhere')).toEqual([]);
  });

  it('is the pick list of a store: what waits there to be handed over, and nothing that was', async () => {
    const [one, two] = [await shop.location(), await shop.location()];
    const a = await shop.stocked({ [one]: 9, [two]: 9 });
    const split = await shop.reserve([
      { sku: a, quantity: 1, locationId: one },
      { sku: a, quantity: 1, locationId: two },
    ]);
    const paid = await shop.reserve([{ sku: a, quantity: 1, locationId: one }]);
    const moved = await shop.reserve([{ sku: a, quantity: 1, locationId: one }]);
    const given = await shop.reserve([{ sku: a, quantity: 1, locationId: one }]);
    const held = await shop.reserve([{ sku: a, quantity: 1, locationId: one }]);
    await shop.update(moved.id, [{ sku: a, quantity: 1, locationId: two }]);
    const picks = async () => [
      ids(await find(`status=CONFIRMED&locationId=${one}`)),
      ids(await find(`status=CONFIRMED&locationId=${two}`)),
    ];
    expect(await picks()).toEqual([[], []]);
    for (const { id } of [split, paid, moved, given]) await shop.confirm(id);
    expect(await picks()).toEqual([
      [given.id, paid.id, split.id],
      [moved.id, split.id],
    ]);

    await shop.cancel(given.id);
    await shop.fulfil(paid.id);
    await shop.fulfil(split.id, one);

    expect(await picks()).toEqual([[], [moved.id, split.id]]);
    // It has to be found all the same, also where its units have left.
    expect(ids(await find(`locationId=${one}`))).toEqual([held.id, given.id, paid.id, split.id]);
    expect((await shop.reservation(split.id)).status).toBe('CONFIRMED');
    await shop.fulfil(split.id);
    expect(await picks()).toEqual([[], [moved.id]]);
    expect(ids(await find(`locationId=${one}&status=FULFILLED`))).toEqual([paid.id, split.id]);
    expect(ids(await find(`locationId=${one}&status=ACTIVE`))).toEqual([held.id]);
    expect(ids(await find(`locationId=${one}&status=CANCELLED`))).toEqual([given.id]);
  });

  it('pages on under filters without a gap or a repeat while reservations are added', async () => {
    const orderId = shop.name('order');
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift(await reserve());
    for (const id of made) await shop.confirm(id, orderId);
    const page = async (cursor: string) =>
      bodyOf(await shop.api.get<Page<Reservation>>(`/v1/reservations?orderId=${orderId}&limit=2${cursor}`));

    const first = await page('');
    await shop.confirm(await reserve(), orderId);
    const second = await page(`&cursor=${first.nextCursor}`);
    const third = await page(`&cursor=${second.nextCursor}`);

    expect([first, second, third].flatMap(({ items }) => ids(items))).toEqual(made);
    expect(third.nextCursor).toBeNull();
  });

  it('keeps its order when many are made in one instant', async () => {
    const cartIds = Array.from({ length: 30 }, () => shop.name('cart'));
    await Promise.all(cartIds.map((cartId) => shop.reserve([{ sku, quantity: 1 }], { cartId, ttlSeconds: 14_400 })));
    const whole = ids(await find('status=ACTIVE'));
    const inThrees = ids(await allPages<Reservation>(shop.api, '/v1/reservations?status=ACTIVE', 3));
    expect(inThrees).toEqual(whole);
    expect(new Set(whole).size).toBe(whole.length);
  });

  it('refuses a cursor under other filters', async () => {
    await Promise.all([reserve(), reserve()]);
    const { nextCursor } = bodyOf(await shop.api.get<Page<Reservation>>('/v1/reservations?status=ACTIVE&limit=1'));
    for (const query of ['', 'status=CONFIRMED', `status=ACTIVE&locationId=${place}`, 'status=ACTIVE&cartId=c']) {
      problemOf(await shop.api.get(`/v1/reservations?${query}&cursor=${nextCursor}`), 400, 'VALIDATION_FAILED');
    }
    expect((await shop.api.get(`/v1/reservations?cursor=${nextCursor}&limit=9&status=ACTIVE`)).status).toBe(200);
  });

  it.each([
    'status=active',
    'status=',
    'status=ACTIVE,EXPIRED',
    'status=ACTIVE&status=EXPIRED',
    'cartId=',
    'cartId=a%20b',
    `orderId=${'o'.repeat(65)}`,
    'locationId=..',
    'sku=a',
    'limit=0',
    'cursor=zzz',
    'orderId=%00',
    'orderId=%ff',
  ])('refuses ?%s', async (query) => {
    problemOf(await shop.api.get(`/v1/reservations?${query}`), 400, 'VALIDATION_FAILED');
  });
});
