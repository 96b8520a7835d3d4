import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allocationsOf, type Reservation, type StockOfSku, stockPath, useShop } from '../support/shop.ts';

// The sweeper rests in this suite: everything has to be true at the instant itself.
describeOnBothEngines('The end of a hold, before any sweep', (engine) => {
  const shop = useShop(engine, { SWEEP_INTERVAL_MS: '60000' });
  let first: string;
  let second: string;

  beforeAll(async () => {
    first = await shop.location({ priority: 1 });
    second = await shop.location({ priority: 2 });
  });

  async function soldOut(ttlSeconds = 60): Promise<{ sku: string; hold: Reservation }> {
    const sku = await shop.stocked({ [first]: 3 });
    return { sku, hold: await shop.reserve([{ sku, quantity: 3 }], { ttlSeconds }) };
  }

  it('has not come one millisecond earlier', async () => {
    for (const verb of ['refresh', 'confirm', 'cancel'] as const) {
      const { sku, hold } = await soldOut();
      shop.clock.set(hold.expiresAt, -1);
      expect(await shop.stock(sku, first)).toMatchObject({ held: 3, available: 0 });
      problemOf(await shop.tryReserve([{ sku, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK');
      expect((await shop.reservation(hold.id)).status).toBe('ACTIVE');
      expect((await shop.tryTo(verb, hold.id, verb === 'confirm' ? { orderId: 'o' } : {})).status).toBe(200);
    }
    const { sku, hold } = await soldOut();
    shop.clock.set(hold.expiresAt, -1);
    await shop.update(hold.id, [{ sku, quantity: 2 }]);
  });

  it.each([0, 1, 1_000, 3_600_000])('has come %i ms after expiresAt: nothing revives it', async (lateMs) => {
    const { sku, hold } = await soldOut();
    shop.clock.set(hold.expiresAt, lateMs);

    expect(await shop.reservation(hold.id)).toMatchObject({ status: 'EXPIRED', lines: hold.lines });
    problemOf(await shop.tryTo('confirm', hold.id, { orderId: 'o' }), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('refresh', hold.id), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('refresh', hold.id, { ttlSeconds: 14_400 }), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryUpdate(hold.id, [{ sku, quantity: 3 }]), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryUpdate(hold.id, [{ sku, quantity: 1 }]), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('cancel', hold.id), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('fulfil', hold.id), 409, 'RESERVATION_EXPIRED');
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 3, held: 0, committed: 0, available: 3 });
  });

  it('reads as free in every single read', async () => {
    const { sku, hold } = await soldOut();
    shop.clock.set(hold.expiresAt);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 0, available: 3 });
    const view = await shop.api.get<StockOfSku>(`/v1/stock/${sku}`);
    expect(view.body.totals).toMatchObject({ onHand: 3, held: 0, available: 3 });
    expect(view.body.locations).toMatchObject([{ held: 0, available: 3 }]);
  });

  it('changes the tags of the stock item and of the reservation, so that no cache hides it', async () => {
    const { sku, hold } = await soldOut();
    for (const path of [stockPath(sku, first), `/v1/reservations/${hold.id}`]) {
      shop.clock.set(hold.expiresAt, -1);
      const before = await shop.api.get(path);
      const tag = { 'if-none-match': before.headers.etag };
      expect((await shop.api.get(path, tag)).status).toBe(304);
      shop.clock.set(hold.expiresAt);
      const after = await shop.api.get(path, tag);
      expect(after.status).toBe(200);
      expect(after.headers.etag).not.toBe(before.headers.etag);
    }
  });

  it('gives the units to the next buyer', async () => {
    const { sku, hold } = await soldOut();
    shop.clock.set(hold.expiresAt);
    const next = await shop.reserve([{ sku, quantity: 3 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 3, held: 3, available: 0 });
    expect((await shop.reservation(hold.id)).status).toBe('EXPIRED');
    problemOf(await shop.tryTo('confirm', hold.id, { orderId: 'o' }), 409, 'RESERVATION_EXPIRED');
    await shop.confirm(next.id);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 0, committed: 3 });
  });

  it('gives the units to a sale, a write-off or an adjustment', async () => {
    for (const [type, quantity] of [
      ['SALE', 3],
      ['WRITE_OFF', 3],
      ['ADJUSTMENT', -3],
    ] as const) {
      const { sku, hold } = await soldOut();
      problemOf(await shop.tryMove(sku, first, type, quantity), 409, 'INSUFFICIENT_STOCK');
      shop.clock.set(hold.expiresAt);
      expect((await shop.tryMove(sku, first, type, quantity)).status).toBe(201);
      expect(await shop.stock(sku, first)).toMatchObject({ onHand: 0, held: 0, available: 0 });
    }
  });

  it('comes earlier after an update that shortens it', async () => {
    const { sku, hold } = await soldOut(600);
    const shorter = await shop.update(hold.id, [{ sku, quantity: 3 }], { ttlSeconds: 5 });
    shop.clock.set(shorter.expiresAt, -1);
    problemOf(await shop.tryReserve([{ sku, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK');
    shop.clock.set(shorter.expiresAt);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 0, available: 3 });
    await shop.reserve([{ sku, quantity: 3 }]);
  });

  it('gives the units to another reservation that grows', async () => {
    const sku = await shop.stocked({ [first]: 4 });
    const short = await shop.reserve([{ sku, quantity: 3 }], { ttlSeconds: 60 });
    const long = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 600 });
    shop.clock.set(short.expiresAt);
    await shop.update(long.id, [{ sku, quantity: 4 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 4, available: 0 });
  });

  it('takes over from several ended holds as much as is needed, and never more than there is', async () => {
    const sku = await shop.stocked({ [first]: 6 });
    for (const ttlSeconds of [30, 10, 20]) await shop.reserve([{ sku, quantity: 2 }], { ttlSeconds });
    shop.clock.advanceSeconds(30);

    const one = await shop.reserve([{ sku, quantity: 3 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 3, available: 3 });
    problemOf(await shop.tryReserve([{ sku, quantity: 4 }]), 409, 'INSUFFICIENT_STOCK');
    await shop.reserve([{ sku, quantity: 3 }]);
    problemOf(await shop.tryReserve([{ sku, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK');
    await shop.cancel(one.id);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 3, available: 3 });
  });

  it('releases nothing when even all ended holds do not suffice', async () => {
    const { sku, hold } = await soldOut();
    shop.clock.set(hold.expiresAt);
    const before = await shop.stock(sku, first);
    const problem = problemOf(await shop.tryReserve([{ sku, quantity: 4 }]), 409, 'INSUFFICIENT_STOCK');
    expect(problem.shortages).toEqual([{ sku, locationId: null, requested: 4, available: 3 }]);
    expect(await shop.stock(sku, first)).toEqual(before);
    problemOf(await shop.tryMove(sku, first, 'SALE', 4), 409, 'INSUFFICIENT_STOCK');
    expect(await shop.stock(sku, first)).toEqual(before);
  });

  it('stays as it was when the next reservation of its cart is refused', async () => {
    const { sku } = await soldOut();
    const cartId = shop.name('cart');
    const scarce = await shop.stocked({ [first]: 1 });
    const hold = await shop.reserve([{ sku: scarce, quantity: 1 }], { cartId, ttlSeconds: 60 });
    shop.clock.set(hold.expiresAt);
    const before = [await shop.reservation(hold.id), await shop.stock(scarce, first), await shop.stock(sku, first)];

    problemOf(await shop.tryReserve([{ sku: scarce, quantity: 2 }], { cartId }), 409, 'INSUFFICIENT_STOCK');

    expect([await shop.reservation(hold.id), await shop.stock(scarce, first), await shop.stock(sku, first)]).toEqual(
      before,
    );
    await shop.reserve([{ sku: scarce, quantity: 1 }], { cartId });
  });

  it('counts ended holds as available when it sources', async () => {
    const sku = await shop.stocked({ [first]: 3, [second]: 2 });
    const hold = await shop.reserve([{ sku, quantity: 3 }], { ttlSeconds: 60 });
    expect(allocationsOf(hold)).toEqual([{ [first]: 3 }]);
    shop.clock.set(hold.expiresAt);
    expect(allocationsOf(await shop.reserve([{ sku, quantity: 2 }]))).toEqual([{ [first]: 2 }]);
    const { shortages } = problemOf(await shop.tryReserve([{ sku, quantity: 4 }]), 409, 'INSUFFICIENT_STOCK');
    expect(shortages).toEqual([{ sku, locationId: null, requested: 4, available: 3 }]);
  });

  it('frees the whole of a reservation although only one line was taken over', async () => {
    const a = await shop.stocked({ [first]: 2 });
    const b = await shop.stocked({ [first]: 2 });
    const hold = await shop.reserve([
      { sku: a, quantity: 2 },
      { sku: b, quantity: 2 },
    ]);
    shop.clock.set(hold.expiresAt);
    await shop.reserve([{ sku: a, quantity: 1 }]);
    problemOf(await shop.tryTo('confirm', hold.id, { orderId: 'o' }), 409, 'RESERVATION_EXPIRED');
    expect(await shop.stock(a, first)).toMatchObject({ held: 1, available: 1 });
    expect(await shop.stock(b, first)).toMatchObject({ held: 0, available: 2 });
  });

  it('counts an oversold item right: facts first, then what is still promised', async () => {
    const { sku, hold } = await soldOut();
    await shop.count(sku, first, 1);
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 1, held: 3, available: -2 });
    shop.clock.set(hold.expiresAt);
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 1, held: 0, available: 1 });
    await shop.reserve([{ sku, quantity: 1 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 1, held: 1, available: 0 });
  });

  it('leaves no way for two buyers to confirm the same unit around the edge', async () => {
    const { sku, hold } = await soldOut();
    shop.clock.set(hold.expiresAt);
    const answers = await Promise.all([
      shop.tryTo('confirm', hold.id, { orderId: 'late' }),
      ...Array.from({ length: 10 }, () => shop.tryReserve([{ sku, quantity: 1 }])),
      shop.tryUpdate(hold.id, [{ sku, quantity: 3 }]),
      shop.tryTo('refresh', hold.id),
    ]);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(3);
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(0);
    expect(await shop.stock(sku, first)).toMatchObject({ onHand: 3, held: 3, committed: 0, available: 0 });
  });
});
