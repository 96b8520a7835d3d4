import { jest } from '@jest/globals';
import { Sweeper } from '../../src/modules/reservation/sweeper.ts';
import { EventHistory } from '../../src/shared/outbox/event-history.ts';
import { eventually } from '../support/eventually.ts';
import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Page, type Reservation, useShop } from '../support/shop.ts';

interface TimelineItem {
  readonly type: string;
  readonly at: string;
  readonly version: number;
  readonly clientId: string | null;
  readonly correlationId: string | null;
  readonly [more: string]: unknown;
}

describeOnBothEngines('The timeline of a reservation', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  const path = (id: string, query = '') => `/v1/reservations/${id}/timeline${query}`;
  const timeline = (id: string, limit?: number) => allPages<TimelineItem>(shop.api, path(id), limit);
  const asRequest = (correlationId: string) => ({ headers: { 'x-correlation-id': correlationId } });
  const types = (items: readonly TimelineItem[]) => items.map(({ type }) => type.replace('reservation.', ''));

  function linesAt(sku: string, quantity: number, fulfilled = false): Reservation['lines'] {
    return [{ sku, quantity, locationId: null, allocations: [{ locationId: place, quantity, fulfilled }] }];
  }

  it('tells everything that happened, oldest first, with who, under which request, and what it was', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const cartId = shop.name('cart');
    const times = [shop.clock.iso()];
    const step = () => {
      shop.clock.advanceSeconds(10);
      times.push(shop.clock.iso());
    };
    const made = bodyOf(await shop.tryReserve([{ sku, quantity: 1 }], { cartId }, asRequest('made')), 201);
    step();
    const updated = bodyOf(await shop.tryUpdate(made.id, [{ sku, quantity: 3 }], {}, asRequest('changed')));
    step();
    const refreshed = bodyOf(await shop.tryTo('refresh', made.id, { ttlSeconds: 60 }, asRequest('refreshed')));
    step();
    bodyOf(await shop.tryTo('confirm', made.id, { orderId: 'order-1' }, asRequest('paid')));
    step();
    bodyOf(await shop.tryTo('fulfil', made.id, { locationId: place }, asRequest('picked')));

    const answer = bodyOf(await shop.api.get<Page<TimelineItem>>(path(made.id)));

    const who = (index: number, correlationId: string) => ({
      at: times[index],
      version: index + 1,
      clientId: 'default',
      keyId: null,
      correlationId,
    });
    const { expiresAt } = refreshed;
    expect(answer).toEqual({
      items: [
        {
          type: 'reservation.created',
          ...who(0, 'made'),
          cartId,
          lines: linesAt(sku, 1),
          expiresAt: made.expiresAt,
        },
        {
          type: 'reservation.updated',
          ...who(1, 'changed'),
          linesBefore: linesAt(sku, 1),
          lines: linesAt(sku, 3),
          expiresAt: updated.expiresAt,
        },
        { type: 'reservation.refreshed', ...who(2, 'refreshed'), expiresAtBefore: updated.expiresAt, expiresAt },
        { type: 'reservation.confirmed', ...who(3, 'paid'), orderId: 'order-1', lines: linesAt(sku, 3) },
        {
          type: 'reservation.fulfilled',
          ...who(4, 'picked'),
          orderId: 'order-1',
          locationId: place,
          complete: true,
          lines: linesAt(sku, 3, true),
        },
      ],
      nextCursor: null,
    });
  });

  it('tells of a cancellation and its reason, and nothing of what was refused, repeated or of others', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const other = await shop.reserve([{ sku, quantity: 1 }]);
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    problemOf(await shop.tryUpdate(id, [{ sku, quantity: 10 }]), 409, 'INSUFFICIENT_STOCK');
    await shop.tryTo('cancel', id, { reason: 'changed their mind' }, asRequest('given-up'));
    await shop.tryTo('cancel', id, { reason: 'again' });
    const items = await timeline(id);
    expect(types(items)).toEqual(['created', 'cancelled']);
    expect(items[1]).toMatchObject({
      version: 2,
      correlationId: 'given-up',
      orderId: null,
      reason: 'changed their mind',
      lines: linesAt(sku, 2),
    });
    expect(types(await timeline(other.id))).toEqual(['created']);
  });

  it('ends at the very instant at which the reservation does, although nobody has stored it yet', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const cartId = shop.name('cart');
    const { id, expiresAt } = await shop.reserve([{ sku, quantity: 2 }], { cartId });
    shop.clock.set(expiresAt, -1);
    expect(types(await timeline(id))).toEqual(['created']);

    shop.clock.set(expiresAt);

    const end = { type: 'reservation.expired', at: expiresAt, version: 2, cartId, expiresAt, lines: linesAt(sku, 2) };
    const unstored = await timeline(id);
    expect(unstored[1]).toEqual({ ...end, clientId: null, keyId: null, correlationId: null });
    expect(await timeline(id, 1)).toEqual(unstored);

    // The cart's next reservation stores the end of the one before it, later.
    shop.clock.advanceSeconds(5);
    bodyOf(await shop.tryReserve([{ sku, quantity: 1 }], { cartId }, asRequest('next')), 201);
    const stored = await timeline(id);
    expect(stored[1]).toEqual({ ...end, clientId: 'default', keyId: null, correlationId: 'next' });
    expect(stored).toHaveLength(2);
    expect(await timeline(id, 1)).toEqual(stored);
  });

  it('ends once, also when it is swept between the two reads that it is made of', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const { id, expiresAt } = await shop.reserve([{ sku, quantity: 2 }]);
    shop.clock.set(expiresAt);
    const { app } = shop.app;
    const history = app.get(EventHistory, { strict: false });
    const readEvents = jest.spyOn(history, 'of').mockImplementationOnce(async (...which) => {
      await app.get(Sweeper, { strict: false }).sweep();
      return history.of(...which);
    });
    const items = await timeline(id);
    expect(readEvents).toHaveBeenCalledTimes(2);
    expect(types(items)).toEqual(['created', 'expired']);
    expect(items[1]?.clientId).toBe('sweeper');
  });

  it('is paged in its order while more happens, also behind its last page', async () => {
    const sku = await shop.stocked({ [place]: 9 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    for (let i = 0; i < 6; i++) await shop.refresh(id);

    const first = bodyOf(await shop.api.get<Page<TimelineItem>>(path(id, '?limit=3')));
    await shop.confirm(id);
    const rest = bodyOf(await shop.api.get<Page<TimelineItem>>(path(id, `?cursor=${first.nextCursor}`)));

    expect([...first.items, ...rest.items].map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(rest.items.at(-1)?.type).toBe('reservation.confirmed');
    expect(rest.nextCursor).toBeNull();
    expect(await timeline(id, 1)).toEqual(await timeline(id));
  });

  it('does not know an unknown reservation, and refuses a cursor of another one', async () => {
    problemOf(await shop.api.get(path('nobody')), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(path('a%20b')), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(path('nobody', '?limit=0')), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(path('nobody', '?order=asc')), 400, 'VALIDATION_FAILED');
    const sku = await shop.stocked({ [place]: 9 });
    const [one, other] = [await shop.reserve([{ sku, quantity: 1 }]), await shop.reserve([{ sku, quantity: 1 }])];
    await shop.refresh(one.id);
    const { nextCursor } = bodyOf(await shop.api.get<Page<TimelineItem>>(path(one.id, '?limit=1')));
    problemOf(await shop.api.get(path(other.id, `?cursor=${nextCursor}`)), 400, 'VALIDATION_FAILED');
    problemOf(await shop.api.get(path(one.id, '?cursor=x')), 400, 'VALIDATION_FAILED');
  });
});

describeOnBothEngines('The timeline of a reservation that was swept', (engine) => {
  const shop = useShop(engine, { SWEEP_INTERVAL_MS: '10' });

  it('names the sweeper, but ends when the reservation did', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 9 });
    const { id, expiresAt } = await shop.reserve([{ sku, quantity: 2 }]);
    shop.clock.set(expiresAt, 3_000);
    await eventually('it is swept', async () => (await shop.reservation(id)).version === 2);
    const { items } = bodyOf(await shop.api.get<Page<TimelineItem>>(`/v1/reservations/${id}/timeline`));
    expect(items).toHaveLength(2);
    expect(items[1]).toMatchObject({
      type: 'reservation.expired',
      at: expiresAt,
      clientId: 'sweeper',
      correlationId: expect.any(String),
    });
  });
});
