import { EventStreamClient } from '../../support/feeds.ts';
import { useGuardedApp } from '../../support/guarded-app.ts';
import type { Api } from '../../support/http.ts';
import { problemOf } from '../../support/http.ts';
import { OutsideShop } from '../../support/order-events.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { bodyOf, type Reservation, ShopClient } from '../../support/shop.ts';
import { StoreClient } from '../../support/store-client.ts';

/* Ways of one tenant into another that are no id in a path or body: attacks.spec.ts has those. */
describeOnBothEngines('Two tenants whose things are called alike', (engine) => {
  const app = useGuardedApp(engine, { FEED_HEARTBEAT_MS: '100' });
  const OURS = 'Ours-4711';
  let one: Api;
  let other: Api;
  let otherKey: string;
  let held: Reservation;

  beforeAll(async () => {
    [one, other] = [await app.it.operatorOf('one'), await app.it.operatorOf('other')];
    otherKey = (await app.it.makeKey({ role: 'operator', tenantId: 'other' })).key;
    for (const api of [one, other]) {
      const shop = new ShopClient(api);
      await shop.location({}, 'S1');
      await shop.product({}, 'P');
      await shop.receive('P', 'S1', 10);
    }
    held = await new ShopClient(one).reserve([{ sku: 'P', quantity: 2 }], { cartId: OURS });
  });

  const itemOf = (api: Api) => new ShopClient(api).stock('P', 'S1');

  it('hear nothing of each other in streams, whatever place they ask for', async () => {
    const streams = await Promise.all(
      [
        '/v1/sync/stores/S1/changes/stream',
        '/v1/streams/stock?skus=P',
        '/v1/sync/stores/S1/changes/stream?after=0',
      ].map((path) => EventStreamClient.open(app.it.running, path, { 'x-api-key': otherKey })),
    );
    try {
      await Promise.all(streams.map((stream) => stream.opened()));
      await new ShopClient(one).tryMove('P', 'S1', 'RECEIPT', 1, { reason: OURS });
      // What is heard of the own one comes behind whatever could have been heard of the other.
      await new ShopClient(other).receive('P', 'S1', 1);
      await Promise.all(streams.map((stream) => stream.has(1)));
      const told = JSON.stringify(streams.map(({ events }) => events));
      expect(told).not.toContain(OURS);
      expect(told).not.toContain(held.id);
      expect(told).not.toContain('"onHand":11,"held":2');
    } finally {
      streams.forEach((stream) => {
        stream.close();
      });
    }
  });

  it("cannot use each other's cursors, versions and epochs", async () => {
    const { nextCursor } = bodyOf(await one.get<{ nextCursor: string }>('/v1/stock/P/S1/movements?limit=1'));
    problemOf(await other.get(`/v1/stock/P/S1/movements?limit=1&cursor=${nextCursor}`), 400, 'VALIDATION_FAILED');
    const { etag = '' } = (await one.get('/v1/stock/P/S1')).headers;
    const policy = { safetyStock: 1 };
    const before = await itemOf(one);
    const answer = await other.put('/v1/stock/P/S1/policy', policy, { headers: { 'if-match': etag } });
    expect([200, 412]).toContain(answer.status);
    expect(await itemOf(one)).toEqual(before);
    await StoreClient.open(one, 'S1');
    const there = await StoreClient.open(one, 'S1');
    const event = there.event(1, 'sale', { sku: 'P', quantity: 1 });
    // It was never given to the store of this name over there.
    problemOf(
      await other.post('/v1/sync/stores/S1/events', { epoch: there.epoch, events: [event] }),
      400,
      'VALIDATION_FAILED',
    );
    expect((await itemOf(one)).onHand).toBe(before.onHand);
  });

  it('adopt, confirm and pick up nothing of each other by events', async () => {
    const before = await itemOf(one);
    const shop = new OutsideShop(other, 'o');
    const order = shop.order();
    await shop.send(order.adopted(1, held.id));
    await shop.send(order.paid(2));
    const store = await StoreClient.open(other, 'S1');
    await store.push([store.event(1, 'pickup', { reservationId: held.id })]);
    expect(await itemOf(one)).toEqual(before);
    expect(bodyOf(await one.get<Reservation>(`/v1/reservations/${held.id}`))).toEqual(held);
    const letters = await other.get('/v1/dead-letters');
    expect(letters.text).not.toContain(OURS);
  });

  it('export nothing of each other', async () => {
    const { text } = await app.it.admin.get('/v1/admin/tenants/other/export');
    expect(text.split('\n').length).toBeGreaterThan(10);
    expect(text).not.toContain(OURS);
    problemOf(await other.get('/v1/admin/tenants/one/export'), 403, 'FORBIDDEN');
  });
});
