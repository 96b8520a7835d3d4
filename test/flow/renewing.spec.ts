import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type Reservation, useShop } from '../support/shop.ts';

describeOnBothEngines('Refreshing a reservation', (engine) => {
  const shop = useShop(engine, { HOLD_LIFETIME_MAX_SECONDS: '1000', HOLD_TTL_SECONDS: '400' });
  let place: string;
  let sku: string;

  beforeAll(async () => {
    place = await shop.location();
    sku = await shop.stocked({ [place]: 1_000 });
  });

  const reserve = (more: object = {}) => shop.reserve([{ sku, quantity: 1 }], more);

  it('renews the time-to-live from now: as it was made with, or as asked', async () => {
    const made = await reserve();
    expect(made.expiresAt).toBe(shop.clock.iso(400));
    shop.clock.advanceSeconds(100);

    const renewed = await shop.refresh(made.id);

    expect(renewed).toEqual({ ...made, expiresAt: shop.clock.iso(400), updatedAt: shop.clock.iso(), version: 2 });
    expect((await shop.refresh(made.id, { ttlSeconds: 50 })).expiresAt).toBe(shop.clock.iso(50));
    expect((await shop.refresh(made.id, { ttlSeconds: null })).expiresAt).toBe(shop.clock.iso(400));
  });

  it('needs no body, no content type and no key', async () => {
    const { id } = await reserve();
    shop.clock.advanceSeconds(1);
    const answer = await shop.api.post<Reservation>(`/v1/reservations/${id}/refresh`, undefined, { key: null });
    expect(bodyOf(answer).expiresAt).toBe(shop.clock.iso(400));
  });

  it('keeps the units past the old end', async () => {
    const one = await shop.stocked({ [place]: 1 });
    const made = await shop.reserve([{ sku: one, quantity: 1 }]);
    shop.clock.advanceSeconds(200);
    await shop.refresh(made.id);
    shop.clock.set(made.expiresAt);
    expect((await shop.stock(one, place)).held).toBe(1);
    expect((await shop.reservation(made.id)).status).toBe('ACTIVE');
  });

  it('shortens the time-to-live as well, and the units are free at the new end', async () => {
    const one = await shop.stocked({ [place]: 1 });
    const made = await shop.reserve([{ sku: one, quantity: 1 }]);
    const shorter = await shop.refresh(made.id, { ttlSeconds: 10 });
    shop.clock.set(shorter.expiresAt);
    expect((await shop.stock(one, place)).available).toBe(1);
    await shop.reserve([{ sku: one, quantity: 1 }]);
  });

  describe('near the end of its whole life of 1,000 s', () => {
    it('makes nothing that outlives the cap', async () => {
      expect((await reserve({ ttlSeconds: 14_400 })).expiresAt).toBe(shop.clock.iso(1000));
    });

    it('stops at the cap, is then refused because nothing is gained, and may still shorten', async () => {
      const made = await reserve();
      const end = shop.clock.iso(1000);
      shop.clock.advanceSeconds(399);
      await shop.refresh(made.id);
      shop.clock.advanceSeconds(301);
      expect((await shop.refresh(made.id)).expiresAt).toBe(end);

      shop.clock.advanceSeconds(1);
      const before = await shop.reservation(made.id);
      problemOf(await shop.tryTo('refresh', made.id), 422, 'HOLD_LIFETIME_EXCEEDED');
      problemOf(await shop.tryTo('refresh', made.id, { ttlSeconds: 300 }), 422, 'HOLD_LIFETIME_EXCEEDED');
      expect(await shop.reservation(made.id)).toEqual(before);

      const shorter = await shop.refresh(made.id, { ttlSeconds: 100 });
      expect(shorter.expiresAt).toBe(shop.clock.iso(100));
      // There is something to gain again, up to the cap.
      expect((await shop.refresh(made.id)).expiresAt).toBe(end);
    });

    it('tells that it is over, not that it is at its cap, when its units have gone and the clock then steps back', async () => {
      const one = await shop.stocked({ [place]: 1 });
      const made = await shop.reserve([{ sku: one, quantity: 1 }], { ttlSeconds: 1000 });
      shop.clock.set(made.expiresAt);
      await shop.reserve([{ sku: one, quantity: 1 }]);
      shop.clock.set(made.expiresAt, -3_000);
      problemOf(await shop.tryTo('refresh', made.id), 409, 'RESERVATION_EXPIRED');
    });

    it('never refuses an update for the cap', async () => {
      const made = await reserve({ ttlSeconds: 1000 });
      shop.clock.advanceSeconds(900);
      const updated = await shop.update(made.id, [{ sku, quantity: 2 }]);
      expect(updated.expiresAt).toBe(made.expiresAt);
      expect((await shop.update(made.id, [{ sku, quantity: 2 }], { ttlSeconds: 14_400 })).expiresAt).toBe(
        made.expiresAt,
      );
      expect((await shop.update(made.id, [{ sku, quantity: 2 }], { ttlSeconds: 50 })).expiresAt).toBe(
        shop.clock.iso(50),
      );
    });
  });

  it('is refused unless the reservation is active', async () => {
    const paid = await reserve();
    await shop.confirm(paid.id);
    const cancelled = await reserve();
    await shop.cancel(cancelled.id);
    const over = await reserve();
    shop.clock.set(over.expiresAt);
    problemOf(await shop.tryTo('refresh', paid.id), 409, 'RESERVATION_NOT_ACTIVE');
    problemOf(await shop.tryTo('refresh', cancelled.id), 409, 'RESERVATION_NOT_ACTIVE');
    problemOf(await shop.tryTo('refresh', over.id), 409, 'RESERVATION_EXPIRED');
    problemOf(await shop.tryTo('refresh', 'nobody'), 404, 'NOT_FOUND');
  });

  it.each([
    { ttlSeconds: 0 },
    { ttlSeconds: 14_401 },
    { ttlSeconds: 1.5 },
    { ttlSeconds: '60' },
    { ttl: 60 },
    [],
    5,
    'x',
  ])('refuses %j', async (body) => {
    const { id } = await reserve();
    const answer = await shop.api.post(`/v1/reservations/${id}/refresh`, body);
    problemOf(answer, 400, 'VALIDATION_FAILED');
    expect((await shop.reservation(id)).version).toBe(1);
  });
});
