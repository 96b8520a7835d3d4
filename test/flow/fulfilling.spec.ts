import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

describeOnBothEngines('Fulfilling a reservation', (engine) => {
  const shop = useShop(engine);
  let near: string;
  let far: string;

  beforeAll(async () => {
    near = await shop.location({ priority: 1 });
    far = await shop.location({ priority: 2 });
  });

  /** Two units near and three far, paid. */
  async function paid(): Promise<{ sku: string; id: string; orderId: string }> {
    const sku = await shop.stocked({ [near]: 2, [far]: 9 });
    const { id } = await shop.reserve([
      { sku, quantity: 2, locationId: near },
      { sku, quantity: 3, locationId: far },
    ]);
    const orderId = shop.name('order');
    await shop.confirm(id, orderId);
    return { sku, id, orderId };
  }

  it('takes all committed units off on-hand, with a movement at each location', async () => {
    const { sku, id } = await paid();

    const fulfilled = await shop.fulfil(id);

    expect(fulfilled).toMatchObject({ status: 'FULFILLED', version: 3 });
    expect(fulfilled.lines.flatMap((line) => line.allocations).every((allocation) => allocation.fulfilled)).toBe(true);
    expect(await shop.stock(sku, near)).toMatchObject({ onHand: 0, held: 0, committed: 0, available: 0 });
    expect(await shop.stock(sku, far)).toMatchObject({ onHand: 6, held: 0, committed: 0, available: 6 });
    expect((await shop.ledger(sku, near))[0]).toMatchObject({ type: 'FULFILMENT', delta: -2, onHandAfter: 0 });
    expect((await shop.ledger(sku, far))[0]).toMatchObject({ type: 'FULFILMENT', delta: -3, onHandAfter: 6 });
  });

  it('goes location by location, and is done with the last', async () => {
    const { sku, id } = await paid();

    const part = await shop.fulfil(id, far);
    expect(part.status).toBe('CONFIRMED');
    expect(part.lines.map((line) => line.allocations.map((one) => one.fulfilled))).toEqual([[false], [true]]);
    expect(await shop.stock(sku, near)).toMatchObject({ onHand: 2, committed: 2 });
    expect(await shop.stock(sku, far)).toMatchObject({ onHand: 6, committed: 0 });

    const whole = await shop.fulfil(id, near);
    expect(whole.status).toBe('FULFILLED');
    expect(await shop.stock(sku, near)).toMatchObject({ onHand: 0, committed: 0 });
  });

  it('takes the rest when it is asked for all after a part', async () => {
    const { sku, id } = await paid();
    await shop.fulfil(id, near);
    expect((await shop.fulfil(id)).status).toBe('FULFILLED');
    expect(await shop.ledger(sku, near)).toHaveLength(2);
    expect(await shop.ledger(sku, far)).toHaveLength(2);
  });

  it('gives the same answer again: of the whole, of a part, and of a part after the whole', async () => {
    const { sku, id } = await paid();
    const part = await shop.tryTo('fulfil', id, { locationId: near });
    const partAgain = await shop.tryTo('fulfil', id, { locationId: near });
    expect([partAgain.status, partAgain.text, partAgain.headers.etag]).toEqual([200, part.text, part.headers.etag]);

    const whole = await shop.tryTo('fulfil', id);
    shop.clock.advanceSeconds(5);
    for (const body of [{}, { locationId: near }, { locationId: far }, { locationId: null }]) {
      const again = await shop.tryTo('fulfil', id, body);
      expect([again.status, again.text, again.headers.etag]).toEqual([200, whole.text, whole.headers.etag]);
    }
    expect(await shop.stock(sku, near)).toMatchObject({ onHand: 0, committed: 0 });
    expect(await shop.ledger(sku, near)).toHaveLength(2);
  });

  it('splits no line wrongly when several lines leave one location', async () => {
    const a = await shop.stocked({ [near]: 5, [far]: 5 });
    const b = await shop.stocked({ [near]: 5 });
    const { id } = await shop.reserve([
      { sku: a, quantity: 7 },
      { sku: b, quantity: 2 },
    ]);
    await shop.confirm(id);
    await shop.fulfil(id, near);
    const totals = async (sku: string, place: string) => {
      const { onHand, committed } = await shop.stock(sku, place);
      return [onHand, committed];
    };
    const { lines } = await shop.reservation(id);
    const atNear = (sku: string) =>
      lines.flatMap((line) => (line.sku === sku ? line.allocations : [])).find((one) => one.locationId === near)
        ?.quantity ?? 0;
    expect(await totals(a, near)).toEqual([5 - atNear(a), 0]);
    expect(await totals(a, far)).toEqual([5, 7 - atNear(a)]);
    expect(await totals(b, near)).toEqual([3, 0]);
    await shop.fulfil(id);
    expect(await totals(a, far)).toEqual([5 - 7 + atNear(a), 0]);
  });

  it('is refused before payment, after the end and after cancelling', async () => {
    const sku = await shop.stocked({ [near]: 9 });
    const active = await shop.reserve([{ sku, quantity: 1 }]);
    const cancelled = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.cancel(cancelled.id);
    problemOf(await shop.tryTo('fulfil', active.id), 409, 'RESERVATION_NOT_CONFIRMED');
    problemOf(await shop.tryTo('fulfil', active.id, { locationId: near }), 409, 'RESERVATION_NOT_CONFIRMED');
    problemOf(await shop.tryTo('fulfil', cancelled.id), 409, 'RESERVATION_NOT_CONFIRMED');
    problemOf(await shop.tryTo('fulfil', 'nobody'), 404, 'NOT_FOUND');
    shop.clock.set(active.expiresAt);
    expect((await shop.tryTo('fulfil', active.id)).status).toBe(409);
    expect(await shop.stock(sku, near)).toMatchObject({ onHand: 9, held: 0, committed: 0 });
  });

  it('is refused for a location that it has nothing at, before its state counts', async () => {
    const { id } = await paid();
    const empty = await shop.location();
    problemOf(await shop.tryTo('fulfil', id, { locationId: 'nowhere' }), 422, 'UNKNOWN_LOCATION');
    problemOf(await shop.tryTo('fulfil', id, { locationId: empty }), 422, 'UNKNOWN_LOCATION');
    const sku = await shop.stocked({ [near]: 9 });
    const active = await shop.reserve([{ sku, quantity: 1 }]);
    problemOf(await shop.tryTo('fulfil', active.id, { locationId: 'nowhere' }), 422, 'UNKNOWN_LOCATION');
    problemOf(await shop.tryTo('fulfil', 'nobody', { locationId: 'nowhere' }), 404, 'NOT_FOUND');
  });

  it('is all or nothing when one location is short, and goes on where the goods are', async () => {
    const { sku, id } = await paid();
    await shop.count(sku, near, 1);

    problemOf(await shop.tryTo('fulfil', id), 409, 'INSUFFICIENT_STOCK');
    expect(await shop.stock(sku, far)).toMatchObject({ onHand: 9, committed: 3 });
    problemOf(await shop.tryTo('fulfil', id, { locationId: near }), 409, 'INSUFFICIENT_STOCK');

    expect((await shop.fulfil(id, far)).status).toBe('CONFIRMED');
    await shop.count(sku, near, 2);
    expect((await shop.fulfil(id)).status).toBe('FULFILLED');
  });

  it.each([{ locationId: '' }, { locationId: 'a b' }, { locationId: 5 }, { locationId: ['x'] }, { orderId: 'x' }])(
    'refuses the body %j',
    async (body) => {
      const { id } = await paid();
      problemOf(await shop.api.post(`/v1/reservations/${id}/fulfil`, body), 400, 'VALIDATION_FAILED');
      expect((await shop.reservation(id)).status).toBe('CONFIRMED');
    },
  );
});
