import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, useShop } from '../support/shop.ts';

describeOnBothEngines('Confirming a reservation', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  async function reserved(quantity = 2): Promise<{ sku: string; id: string }> {
    const sku = await shop.stocked({ [place]: 10 });
    const { id } = await shop.reserve([{ sku, quantity }]);
    return { sku, id };
  }

  it('turns held into committed', async () => {
    const { sku, id } = await reserved();
    shop.clock.advanceSeconds(3);

    const confirmed = bodyOf(await shop.tryTo('confirm', id, { orderId: 'ORDER-1' }));

    expect(confirmed).toMatchObject({
      status: 'CONFIRMED',
      orderId: 'ORDER-1',
      version: 2,
      updatedAt: shop.clock.iso(),
    });
    expect(await shop.reservation(id)).toEqual(confirmed);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 10, held: 0, committed: 2, available: 8 });
  });

  it('does not expire any more', async () => {
    const { sku, id } = await reserved();
    const { expiresAt } = await shop.confirm(id);
    shop.clock.set(expiresAt, 86_400_000);
    expect((await shop.reservation(id)).status).toBe('CONFIRMED');
    expect((await shop.stock(sku, place)).committed).toBe(2);
  });

  it('is payment, once: the same order again gets the same answer, another order is refused', async () => {
    const { sku, id } = await reserved();
    const first = await shop.tryTo('confirm', id, { orderId: 'ORDER-2' });
    shop.clock.advanceSeconds(7);

    const again = await shop.tryTo('confirm', id, { orderId: 'ORDER-2' });

    expect([again.status, again.text, again.headers.etag]).toEqual([200, first.text, first.headers.etag]);
    problemOf(await shop.tryTo('confirm', id, { orderId: 'ORDER-3' }), 409, 'ALREADY_CONFIRMED');
    problemOf(await shop.tryTo('confirm', id, { orderId: 'order-2' }), 409, 'ALREADY_CONFIRMED');
    expect((await shop.stock(sku, place)).committed).toBe(2);
  });

  it('stays paid after fulfilment', async () => {
    const { sku, id } = await reserved();
    await shop.confirm(id, 'ORDER-4');
    const fulfilled = await shop.fulfil(id);

    const again = bodyOf(await shop.tryTo('confirm', id, { orderId: 'ORDER-4' }));

    expect(again).toMatchObject({ orderId: 'ORDER-4', version: fulfilled.version });
    problemOf(await shop.tryTo('confirm', id, { orderId: 'ORDER-5' }), 409, 'ALREADY_CONFIRMED');
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 8, held: 0, committed: 0 });
  });

  it('lets one order pay several reservations', async () => {
    const [one, two] = [await reserved(), await reserved()];
    expect((await shop.confirm(one.id, 'ORDER-6')).orderId).toBe('ORDER-6');
    expect((await shop.confirm(two.id, 'ORDER-6')).orderId).toBe('ORDER-6');
  });

  it('is refused for what was cancelled or is over, and for nobody', async () => {
    const [cancelled, over] = [await reserved(), await reserved()];
    await shop.cancel(cancelled.id);
    const { expiresAt } = await shop.reservation(over.id);
    shop.clock.set(expiresAt);
    problemOf(await shop.tryTo('confirm', cancelled.id, { orderId: 'o' }), 409, 'RESERVATION_NOT_ACTIVE');
    problemOf(await shop.tryTo('confirm', over.id, { orderId: 'o' }), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('confirm', 'nobody', { orderId: 'o' }), 404, 'NOT_FOUND');
  });

  it.each([
    undefined,
    {},
    { orderId: null },
    { orderId: '' },
    { orderId: 'a b' },
    { orderId: 5 },
    { orderId: 'o'.repeat(65) },
    { orderId: 'o', x: 1 },
  ])('refuses the body %j', async (body) => {
    const { id } = await reserved();
    problemOf(await shop.api.post(`/v1/reservations/${id}/confirm`, body), 400, 'VALIDATION_FAILED');
    expect((await shop.reservation(id)).status).toBe('ACTIVE');
  });
});

describeOnBothEngines('Cancelling a reservation', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  it('releases held units', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const { id } = await shop.reserve([{ sku, quantity: 4 }]);
    const cancelled = bodyOf(await shop.tryTo('cancel', id, { reason: 'changed my mind' }));
    expect(cancelled).toMatchObject({ status: 'CANCELLED', version: 2 });
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 10, held: 0, committed: 0, available: 10 });
    await shop.reserve([{ sku, quantity: 10 }]);
  });

  it('releases committed units', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const { id } = await shop.reserve([{ sku, quantity: 4 }]);
    await shop.confirm(id, 'ORDER-7');
    expect(await shop.cancel(id)).toMatchObject({ status: 'CANCELLED', orderId: 'ORDER-7', version: 3 });
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 10, held: 0, committed: 0, available: 10 });
  });

  it('gives the same answer again and releases nothing twice', async () => {
    const sku = await shop.stocked({ [place]: 10 });
    const { id } = await shop.reserve([{ sku, quantity: 4 }]);
    await shop.reserve([{ sku, quantity: 3 }]);
    const first = await shop.tryTo('cancel', id);
    shop.clock.advanceSeconds(9);
    const again = await shop.tryTo('cancel', id, { reason: 'again' });
    expect([again.status, again.text, again.headers.etag]).toEqual([200, first.text, first.headers.etag]);
    expect(await shop.stock(sku, place)).toMatchObject({ held: 3, available: 7 });
  });

  it('needs no body', async () => {
    const sku = await shop.stocked({ [place]: 1 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    expect((await shop.api.send('POST', `/v1/reservations/${id}/cancel`)).status).toBe(200);
  });

  it('is refused for what is over, fulfilled or fulfilled in part', async () => {
    const other = await shop.location();
    const sku = await shop.stocked({ [place]: 10, [other]: 10 });
    const lines = [
      { sku, quantity: 1, locationId: place },
      { sku, quantity: 1, locationId: other },
    ];
    const part = await shop.reserve(lines);
    await shop.confirm(part.id);
    await shop.fulfil(part.id, place);
    const whole = await shop.reserve(lines);
    await shop.confirm(whole.id);
    await shop.fulfil(whole.id);
    const over = await shop.reserve(lines);
    shop.clock.set(over.expiresAt);

    problemOf(await shop.tryTo('cancel', part.id), 409, 'ALREADY_FULFILLED');
    problemOf(await shop.tryTo('cancel', whole.id), 409, 'ALREADY_FULFILLED');
    problemOf(await shop.tryTo('cancel', over.id), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('cancel', 'nobody'), 404, 'NOT_FOUND');
    expect(await shop.stock(sku, other)).toMatchObject({ onHand: 9, committed: 1 });
  });

  it.each([{ reason: 'r'.repeat(501) }, { reason: 5 }, { reason: 'a\u0000b' }, { because: 'x' }, null, [], true])(
    'refuses the body %j',
    async (body) => {
      const sku = await shop.stocked({ [place]: 1 });
      const { id } = await shop.reserve([{ sku, quantity: 1 }]);
      problemOf(await shop.api.post(`/v1/reservations/${id}/cancel`, body), 400, 'VALIDATION_FAILED');
      expect((await shop.reservation(id)).status).toBe('ACTIVE');
    },
  );
});
