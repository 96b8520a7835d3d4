import { Sweeper } from '../../src/modules/reservation/sweeper.ts';
import { gzipSync } from 'node:zlib';
import { OrderEffects } from '../../src/modules/sync/handlers/order-effects.ts';
import { UnitOfWork } from '../../src/shared/persistence/unit-of-work.ts';
import { problemOf, RawBody } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { OutsideShop, type SentOrderEvent, shown } from '../support/order-events.ts';
import { passDays, purge } from '../support/retention.ts';
import { type Engine, describeOnBothEngines } from '../support/services.ts';
import { bodyOf, type Shop, useShop } from '../support/shop.ts';

/** A server, an outside shop, and a place with stock; after each test ledger, balances and reservations have to agree. */
interface Scene {
  readonly shop: Shop;
  readonly outside: OutsideShop;
  readonly place: string;
  stocked(units: number): Promise<string>;
  /** Units of a sku at the place. */
  units(sku: string): Promise<{ held: number; committed: number; onHand: number }>;
  metric(name: string): Promise<number>;
}

function aScene(engine: Engine): Scene {
  const shop = useShop(engine);
  const scene = {
    shop,
    outside: undefined as unknown as OutsideShop,
    place: '',
    stocked: (units: number) => shop.stocked({ [scene.place]: units }),
    units: async (sku: string) => {
      const { held, committed, onHand } = await shop.stock(sku, scene.place);
      return { held, committed, onHand };
    },
    metric: async (name: string) => {
      const text = (await shop.api.get('/metrics')).text;
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')[1],
      );
    },
  };
  beforeAll(async () => {
    scene.outside = new OutsideShop(shop.api, 'order');
    scene.place = await shop.location();
  });
  afterEach(async () => {
    // What is due still counts as held until it is swept.
    await shop.app.app.get(Sweeper, { strict: false }).sweep();
    expect(await brokenInvariants(shop.api, { commandsOnly: false })).toEqual([]);
  });
  return scene;
}

describeOnBothEngines('Events of an order', (engine) => {
  const scene = aScene(engine);
  const { shop } = scene;

  it('hold, commit and hand over its units', async () => {
    const { outside, place } = scene;
    const sku = await scene.stocked(10);
    const order = outside.order();
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 3 }]))).toEqual(['applied']);
    expect(await scene.units(sku)).toEqual({ held: 3, committed: 0, onHand: 10 });
    const { reservationId, ...held } = await outside.known(order.orderId);
    expect(held).toMatchObject({ status: 'HELD', nextVersion: 2, parked: [], blockedBy: null });
    const reservation = await shop.reservation(reservationId!);
    expect(reservation).toMatchObject({ status: 'ACTIVE', orderId: null, cartId: null });
    expect(Date.parse(reservation.expiresAt) - Date.parse(reservation.createdAt)).toBe(900_000);

    expect(await outside.outcomes(order.paid(2))).toEqual(['applied']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 3, onHand: 10 });
    expect(await shop.reservation(reservationId!)).toMatchObject({ status: 'CONFIRMED', orderId: order.orderId });

    expect(await outside.outcomes(order.shipped(3))).toEqual(['applied']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 7 });
    expect((await shop.ledger(sku, place))[0]).toMatchObject({ type: 'FULFILMENT', delta: -3 });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'SHIPPED', nextVersion: 4, reservationId });
  });

  it('are told to the store whose units they take', async () => {
    const { outside, place } = scene;
    const sku = await scene.stocked(3);
    const feed = async (after: string) =>
      bodyOf(
        await shop.api.get<{ changes: { type: string; data: { sku?: string } }[]; cursor: string }>(
          `/v1/sync/stores/${place}/changes?after=${after}`,
        ),
      );
    let { cursor } = await feed('0');
    for (let more = true; more;) {
      const page = await feed(cursor);
      more = page.cursor !== cursor;
      cursor = page.cursor;
    }
    const order = outside.order();
    await outside.send(order.created(1, [{ sku, quantity: 1 }]), order.paid(2), order.shipped(3));
    const told = (await feed(cursor)).changes.filter(({ data }) => data.sku === sku).map(({ type }) => type);
    expect(told).toEqual(['inventory.stock.held', 'inventory.stock.committed', 'inventory.stock.moved']);
  });

  it('give the units back when it is cancelled, before and after it is paid', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const [held, paid] = [outside.order(), outside.order()];
    await outside.send(held.created(1, [{ sku, quantity: 2 }]), paid.created(1, [{ sku, quantity: 3 }]), paid.paid(2));
    expect(await scene.units(sku)).toEqual({ held: 2, committed: 3, onHand: 5 });
    expect(await outside.outcomes(held.cancelled(2), paid.cancelled(3, { reason: 'changed his mind' }))).toEqual([
      'applied',
      'applied',
    ]);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 5 });
    expect(await outside.known(paid.orderId)).toMatchObject({ status: 'CANCELLED', nextVersion: 4 });
  });

  it('take over a reservation that the shop has made before, whose expiry stays', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const { id, expiresAt } = await shop.reserve([{ sku, quantity: 2 }], { ttlSeconds: 60, cartId: shop.name('cart') });
    shop.clock.advanceSeconds(10);
    const order = outside.order();
    expect(await outside.outcomes(order.adopted(1, id))).toEqual(['applied']);
    expect(await shop.reservation(id)).toMatchObject({ status: 'ACTIVE', expiresAt, version: 1 });
    expect(await outside.outcomes(order.paid(2))).toEqual(['applied']);
    expect(await shop.reservation(id)).toMatchObject({ status: 'CONFIRMED', orderId: order.orderId });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 2, onHand: 5 });
  });

  it('are dead when the reservation is not there to be taken over', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const reserve = async (more: object = {}) => (await shop.reserve([{ sku, quantity: 1 }], more)).id;
    const [expired, cancelled, confirmed] = [await reserve({ ttlSeconds: 1 }), await reserve(), await reserve()];
    await shop.cancel(cancelled);
    await shop.confirm(confirmed);
    shop.clock.advanceSeconds(1);
    const adoptions = [expired, cancelled, confirmed, 'none-of-that-name'].map((id) => outside.order().adopted(1, id));
    expect(await outside.outcomes(...adoptions)).toEqual([
      'dead RESERVATION_EXPIRED',
      'dead RESERVATION_NOT_ACTIVE',
      'dead RESERVATION_NOT_ACTIVE',
      'dead NOT_FOUND',
    ]);
  });

  it('are dead where the rules refuse: short, unknown, paid by another order, not paid, not on hand', async () => {
    const { outside, place } = scene;
    const sku = await scene.stocked(2);
    const short = outside.order();
    expect(await outside.outcomes(short.created(1, [{ sku, quantity: 3 }]))).toEqual(['dead INSUFFICIENT_STOCK']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 2 });
    expect(await outside.outcomes(outside.order().created(1, [{ sku: 'no-such', quantity: 1 }]))).toEqual([
      'dead UNKNOWN_PRODUCT',
    ]);
    expect(await outside.outcomes(outside.order().created(1, [{ sku, quantity: 1, locationId: 'nowhere' }]))).toEqual([
      'dead UNKNOWN_LOCATION',
    ]);

    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const [mine, other] = [outside.order(), outside.order()];
    await outside.send(mine.adopted(1, id), other.adopted(1, id), mine.paid(2));
    expect(await outside.outcomes(other.paid(2))).toEqual(['dead ALREADY_CONFIRMED']);

    const unpaid = outside.order();
    expect(await outside.outcomes(unpaid.created(1, [{ sku, quantity: 1 }]), unpaid.shipped(2))).toEqual([
      'applied',
      'dead RESERVATION_NOT_CONFIRMED',
    ]);
    await shop.count(sku, place, 0);
    expect(await outside.outcomes(mine.shipped(3))).toEqual(['dead INSUFFICIENT_STOCK']);
  });

  it('never touch what another order has paid for', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(2);
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const [payer, other] = [outside.order(), outside.order()];
    await outside.send(payer.adopted(1, id), other.adopted(1, id), payer.paid(2));
    expect(await outside.outcomes(other.shipped(2))).toEqual(['dead RESERVATION_NOT_CONFIRMED']);
    expect(await outside.outcomes(other.cancelled(3))).toEqual(['applied']);
    expect(await shop.reservation(id)).toMatchObject({ status: 'CONFIRMED', orderId: payer.orderId });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 1, onHand: 2 });
  });

  it('hand over the units of one location after the other, where they say so', async () => {
    const { outside, place } = scene;
    const second = await shop.location();
    const sku = await shop.stocked({ [place]: 2, [second]: 2 });
    const order = outside.order();
    const lines = [place, second].map((locationId) => ({ sku, quantity: 2, locationId }));
    await outside.send(order.created(1, lines), order.paid(2));
    expect(await outside.outcomes(order.shipped(3, { locationId: second }))).toEqual(['applied']);
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'PAID' });
    expect(await shop.stock(sku, second)).toMatchObject({ onHand: 0, committed: 0 });
    expect(await outside.outcomes(order.cancelled(4))).toEqual(['dead ALREADY_FULFILLED']);
    await outside.discard(await outside.letterOf(order.orderId));
    expect(await outside.outcomes(order.shipped(5))).toEqual(['applied']);
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'SHIPPED' });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 0 });
  });

  it('create an order once, whatever says so again', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(4);
    const order = outside.order();
    const again = order.created(2, [{ sku, quantity: 2 }]);
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 1 }]), again)).toEqual([
      'applied',
      'dead ORDER_ALREADY_CREATED',
    ]);
    expect(await scene.units(sku)).toMatchObject({ held: 1 });
  });

  it('change nothing when they say the same under new ids: paid and shipped twice', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(4);
    const order = outside.order();
    const story = [order.created(1, [{ sku, quantity: 1 }]), order.paid(2), order.paid(3), order.shipped(4)];
    expect(await outside.outcomes(...story, order.shipped(5), order.paid(6))).toEqual(Array(6).fill('applied'));
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 3 });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'SHIPPED', nextVersion: 7 });
  });
});

describeOnBothEngines('Events of an order that come in disorder', (engine) => {
  const scene = aScene(engine);
  const { shop } = scene;

  it('wait for the earlier ones, and are applied when these have come', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(10);
    const order = outside.order();
    expect(await outside.outcomes(order.shipped(3), order.paid(2))).toEqual(['parked', 'parked']);
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'NEW', nextVersion: 1, parked: [2, 3] });
    expect(await scene.metric('sync_order_events_parked')).toBeGreaterThan(0);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 10 });
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 4 }]))).toEqual(['applied']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 6 });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'SHIPPED', nextVersion: 4, parked: [] });
    expect(await outside.outcomes(order.shipped(3), order.paid(2))).toEqual(['duplicate', 'duplicate']);
  });

  it('are kept for a gap of at most 100, and may be sent again', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(1);
    const order = outside.order();
    const later = Array.from({ length: 101 }, (_, index) => order.paid(index + 2));
    const outcomes = await outside.outcomes(...later);
    expect(outcomes).toEqual([...Array<string>(100).fill('parked'), 'refused']);
    expect((await outside.known(order.orderId)).parked).toHaveLength(100);
    expect(await outside.outcomes(later[100]!)).toEqual(['refused']);
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 1 }]), later[100]!)).toEqual([
      'applied',
      'applied',
    ]);
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'PAID', nextVersion: 103, parked: [] });
  });

  it('cancel at once whatever is missing, and the rest is stale when it comes', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    const created = order.created(1, [{ sku, quantity: 2 }]);
    expect(await outside.outcomes(created, order.shipped(3), order.cancelled(5))).toEqual([
      'applied',
      'parked',
      'applied',
    ]);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 5 });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'CANCELLED', nextVersion: 6, parked: [] });
    expect(await outside.outcomes(order.paid(2), order.paid(4))).toEqual(['stale', 'stale']);
    expect(await outside.outcomes(order.paid(2), order.shipped(3))).toEqual(['duplicate', 'duplicate']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 5 });
  });

  it('leave a tombstone when it is cancelled before it is created: then nothing is held', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    expect(await outside.outcomes(order.cancelled(2))).toEqual(['applied']);
    expect(await outside.known(order.orderId)).toMatchObject({
      status: 'CANCELLED',
      nextVersion: 3,
      reservationId: null,
    });
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 2 }]))).toEqual(['stale']);
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 2 }]))).toEqual(['duplicate']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 5 });
  });

  it('give back the reservation that a creation would have taken over, once its cancellation has overtaken it', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const reserve = async () => (await shop.reserve([{ sku, quantity: 1 }])).id;
    const [named, paid, later] = [await reserve(), await reserve(), await reserve()];
    const order = outside.order();
    await shop.confirm(paid);
    expect(await outside.outcomes(order.cancelled(3), order.adopted(1, named), order.adopted(2, paid))).toEqual([
      'applied',
      'stale',
      'stale',
    ]);
    // It comes after the end: it would not have been taken over in order, either.
    expect(await outside.outcomes(order.adopted(4, later))).toEqual(['stale']);
    const statuses = [named, paid, later].map(async (id) => (await shop.reservation(id)).status);
    expect(await Promise.all(statuses)).toEqual(['CANCELLED', 'CONFIRMED', 'ACTIVE']);
  });

  it('alarm when it was paid or shipped although it is cancelled', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    const alarms = async (alarm: string) => scene.metric(`sync_order_alarms_total{alarm="${alarm}"}`);
    const before = [await alarms('PAID_AFTER_CANCELLED'), await alarms('SHIPPED_AFTER_CANCELLED')] as const;
    expect(
      await outside.outcomes(
        order.created(1, [{ sku, quantity: 2 }]),
        order.cancelled(2),
        order.paid(3),
        order.shipped(4),
        order.cancelled(5),
      ),
    ).toEqual(['applied', 'applied', 'stale +PAID_AFTER_CANCELLED', 'stale +SHIPPED_AFTER_CANCELLED', 'stale']);
    expect(await alarms('PAID_AFTER_CANCELLED')).toBe(before[0] + 1);
    expect(await alarms('SHIPPED_AFTER_CANCELLED')).toBe(before[1] + 1);

    const parked = outside.order();
    expect(await outside.outcomes(parked.paid(4), parked.cancelled(2))).toEqual(['parked', 'applied']);
    expect(await alarms('PAID_AFTER_CANCELLED')).toBe(before[0] + 2);
    // Told late, but paid before: the shop knows.
    expect(await outside.outcomes(outside.order().cancelled(3), parked.paid(1))).toEqual(['applied', 'stale']);
    expect(await alarms('PAID_AFTER_CANCELLED')).toBe(before[0] + 2);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 5 });
  });

  it('are known again under any version, and answered as repeats', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    const created = order.created(1, [{ sku, quantity: 2 }]);
    expect(await outside.outcomes(created, created, { ...created, version: 7 })).toEqual([
      'applied',
      'duplicate',
      'duplicate',
    ]);
    const [{ data }] = [created];
    const reordered = { ...created, data: JSON.parse(JSON.stringify(data)) as unknown };
    expect(await outside.outcomes(reordered)).toEqual(['duplicate']);
    // The next number was given to a repeat: it is used up, and nothing waits for it.
    expect(await outside.outcomes({ ...created, version: 2 }, order.paid(3))).toEqual(['duplicate', 'applied']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 2, onHand: 5 });
  });

  it('are conflicts when their id or version is known with other content: kept, counted, never applied', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(9);
    const order = outside.order();
    const created = order.created(1, [{ sku, quantity: 2 }]);
    const more = order.event(1, 'order.created', { lines: [{ sku, quantity: 5 }] });
    const counted = 'sync_order_events_total{outcome="conflict"}';
    const before = await scene.metric(counted);
    expect(await outside.outcomes(created, more, { ...more, id: 'another-id' }, order.shipped(3))).toEqual([
      'applied',
      'conflict',
      'conflict',
      'parked',
    ]);
    expect(await outside.outcomes(order.event(3, 'order.paid'), { ...order.paid(9), id: created.id })).toEqual([
      'conflict',
      'conflict',
    ]);
    expect(await outside.outcomes(more)).toEqual(['conflict']);
    expect(await scene.metric(counted)).toBe(before + 5);
    const known = await outside.known(order.orderId);
    expect(known.conflicts.map(({ id, version }) => `${id} ${version}`).sort()).toEqual(
      ['another-id 1', `${created.id} 1`, `${created.id} 9`, `${order.orderId}.3 3`].sort(),
    );
    expect(known).toMatchObject({ nextVersion: 2, parked: [3] });
    expect(await scene.units(sku)).toEqual({ held: 2, committed: 0, onHand: 9 });
    // A conflict under the next number uses it up.
    expect(await outside.outcomes({ ...order.paid(2), id: created.id })).toEqual(['conflict']);
    expect(await outside.known(order.orderId)).toMatchObject({ nextVersion: 4, blockedBy: 3, status: 'HELD' });
    expect(await outside.outcomes(order.paid(2))).toEqual(['conflict']);
  });

  it('are conflicts when the id belongs to an event of another order', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const [one, other] = [outside.order(), outside.order()];
    const created = one.created(1, [{ sku, quantity: 1 }]);
    await outside.send(created);
    expect(await outside.outcomes({ ...created, orderId: other.orderId })).toEqual(['conflict']);
    expect(await scene.units(sku)).toMatchObject({ held: 1 });
    expect(await outside.known(other.orderId)).toMatchObject({ status: 'NEW', nextVersion: 2 });
  });

  it('come in calls of 1 to 1,000, each event with a result in its place', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(500);
    const orders = Array.from({ length: 333 }, () => outside.order());
    const events = orders.flatMap((order) => [
      order.paid(2),
      order.created(1, [{ sku, quantity: 1 }]),
      order.shipped(3),
    ]);
    const results = await outside.send(...events, ...events.slice(0, 1));
    expect(results.map(({ id, orderId, version }) => ({ id, orderId, version }))).toEqual(
      [...events, events[0]!].map(({ id, orderId, version }) => ({ id, orderId, version })),
    );
    expect(results.map(shown)).toEqual([...orders.flatMap(() => ['parked', 'applied', 'applied']), 'duplicate']);
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 167 });
    problemOf(await outside.trySend(), 400, 'VALIDATION_FAILED');
    problemOf(await outside.trySend(...events, ...events.slice(0, 2)), 400, 'VALIDATION_FAILED');
    expect(await shop.stock(sku, scene.place)).toMatchObject({ onHand: 167 });
  });
});

describeOnBothEngines('Events of an order that are not as documented', (engine) => {
  const scene = aScene(engine);

  it('refuse the call when nobody could say which event is meant', async () => {
    const { outside, shop } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    const right = order.created(1, [{ sku, quantity: 1 }]);
    const wrong: object[] = [
      { ...right, id: '' },
      { ...right, id: 'with space' },
      { ...right, id: 7 },
      { ...right, id: undefined },
      { ...right, orderId: '..' },
      { ...right, orderId: null },
      { ...right, version: 0 },
      { ...right, version: 1.5 },
      { ...right, version: '1' },
      { ...right, version: undefined },
      { ...right, version: 2_000_000_000 },
    ];
    for (const event of wrong) {
      const answer = await outside.trySend(right, event as SentOrderEvent);
      const { errors } = problemOf(answer, 400, 'VALIDATION_FAILED');
      expect(errors).toEqual([
        { field: expect.stringMatching(/^events\[1\]\.(id|orderId|version)$/), message: expect.any(String) },
      ]);
    }
    for (const event of [null, 5, 'x', []]) {
      problemOf(await outside.trySend(right, event as never), 400, 'VALIDATION_FAILED');
    }
    problemOf(await shop.api.post('/v1/sync/orders/events', {}, { key: null }), 400, 'VALIDATION_FAILED');
    problemOf(
      await shop.api.post('/v1/sync/orders/events', { events: right }, { key: null }),
      400,
      'VALIDATION_FAILED',
    );
    problemOf(await shop.api.get(`/v1/sync/orders/${order.orderId}`), 404, 'NOT_FOUND');
    expect(await scene.units(sku)).toMatchObject({ held: 0 });
  });

  it('are dead when anything else is wrong with them, each by itself', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(50);
    const line = { sku, quantity: 1 };
    const wrong: [type: unknown, data: unknown][] = [
      ['order.refunded', {}],
      [null, {}],
      [{}, {}],
      [undefined, {}],
      ['order.created', {}],
      ['order.created', undefined],
      ['order.created', []],
      ['order.created', 'lines'],
      ['order.created', { lines: [] }],
      ['order.created', { lines: 'all' }],
      ['order.created', { lines: [null] }],
      ['order.created', { lines: [{ sku }] }],
      ['order.created', { lines: [{ ...line, quantity: 0 }] }],
      ['order.created', { lines: [{ ...line, quantity: -1 }] }],
      ['order.created', { lines: [{ ...line, quantity: 1.5 }] }],
      ['order.created', { lines: [{ ...line, quantity: '1' }] }],
      ['order.created', { lines: [{ ...line, quantity: 1_000_001 }] }],
      ['order.created', { lines: [{ ...line, sku: 'a b' }] }],
      ['order.created', { lines: [{ ...line, locationId: 5 }] }],
      ['order.created', { lines: Array(101).fill(line) }],
      ['order.created', { lines: [line], reservationId: 'both' }],
      ['order.created', { reservationId: 'not an id' }],
      ['order.created', { reservationId: 5 }],
      ['order.paid', null],
      ['order.paid', 7],
      ['order.shipped', { locationId: '' }],
      ['order.cancelled', { reason: 5 }],
      ['order.cancelled', { reason: 'x'.repeat(501) }],
      ['order.cancelled', { reason: 'with \u0000' }],
    ];
    const events = wrong.map(([type, data]) => outside.order().event(1, type, data));
    expect(await outside.outcomes(...events)).toEqual(wrong.map(() => 'dead VALIDATION_FAILED'));
    const times = [null, 7, '', 'yesterday', '2026-13-01T00:00:00Z', '2026-11-22', undefined];
    const late = times.map((occurredAt) => ({ ...outside.order().created(1, [line]), occurredAt }));
    expect(await outside.outcomes(...late)).toEqual(times.map(() => 'dead VALIDATION_FAILED'));
    const unknown = { ...outside.order().created(1, [line]), more: 1 };
    expect(await outside.outcomes(unknown)).toEqual(['dead VALIDATION_FAILED']);
    expect(await scene.units(sku)).toMatchObject({ held: 0 });
    expect(await outside.outcomes(outside.order().created(1, [line]))).toEqual(['applied']);
  });

  it('are dead without their data when that is too long or too deep to be kept', async () => {
    const { outside, shop } = scene;
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    for (const data of [{ note: 'x'.repeat(70_000) }, { note: nested(50) }]) {
      const order = outside.order();
      expect(await outside.outcomes(order.event(1, 'order.paid', data))).toEqual(['dead VALIDATION_FAILED']);
      const letter = await outside.letterOf(order.orderId);
      expect((await shop.api.get(`/v1/dead-letters/${letter}`)).body).toMatchObject({ data: null, type: 'order.paid' });
    }
  });

  it('may come packed', async () => {
    const { outside, shop } = scene;
    const body = gzipSync(JSON.stringify({ events: [outside.order().event(1, 'order.cancelled')] }));
    const packed = new RawBody(body, 'application/json');
    const answer = await shop.api.post<{ results: object[] }>('/v1/sync/orders/events', packed, {
      key: null,
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer.body.results).toEqual([expect.objectContaining({ outcome: 'applied' })]);
  });

  it('are kept as they came, also with what no database stores as text', async () => {
    const { outside, shop } = scene;
    const order = outside.order();
    const data = { note: 'nul \u0000 here', lines: [{ sku: 'x\u0000', quantity: 1 }] };
    expect(await outside.outcomes(order.event(1, 'order.\u0000', data))).toEqual(['dead VALIDATION_FAILED']);
    const letter = await outside.letterOf(order.orderId);
    expect((await shop.api.get(`/v1/dead-letters/${letter}`)).body).toMatchObject({
      consumer: 'sync.order-events',
      eventId: `${order.orderId}.1`,
      orderId: order.orderId,
      sequence: 1,
      locationId: null,
      type: null,
      data,
      code: 'VALIDATION_FAILED',
      status: 'DEAD',
    });
  });

  it('may say more than is known here: what a shop adds to its data is kept and not looked at', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    const created = order.event(1, 'order.created', { lines: [{ sku, quantity: 1, price: 9.9 }], currency: 'EUR' });
    expect(await outside.outcomes(created, order.event(2, 'order.paid', { amount: 9.9 }))).toEqual([
      'applied',
      'applied',
    ]);
  });
});

describeOnBothEngines('A dead event of an order', (engine) => {
  const scene = aScene(engine);
  const { shop } = scene;

  it('parks the later ones, which go on in order when it is replayed with success', async () => {
    const { outside, place } = scene;
    const sku = await scene.stocked(1);
    const order = outside.order();
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 3 }]), order.paid(2), order.shipped(3))).toEqual([
      'dead INSUFFICIENT_STOCK',
      'parked',
      'parked',
    ]);
    expect(await outside.known(order.orderId)).toMatchObject({
      status: 'NEW',
      nextVersion: 2,
      blockedBy: 1,
      parked: [2, 3],
      deadLetters: [{ id: expect.any(String), version: 1 }],
    });
    const letter = await outside.letterOf(order.orderId);
    expect(await outside.replay(letter)).toMatchObject({ status: 'DEAD', code: 'INSUFFICIENT_STOCK', attempts: 2 });
    await shop.receive(sku, place, 5);
    const would = await shop.api.post<{ before: object; after: object; failure: unknown }>(
      `/v1/dead-letters/${letter}/replay?dryRun=true`,
      undefined,
      { key: null },
    );
    expect(would.body).toMatchObject({
      before: { stock: [{ sku, held: 0 }], orders: [{ orderId: order.orderId, status: 'NEW' }] },
      after: { stock: [{ sku, held: 3 }], orders: [{ orderId: order.orderId, status: 'HELD' }] },
      failure: null,
    });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 6 });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'NEW', blockedBy: 1, parked: [2, 3] });

    expect(await outside.replay(letter)).toMatchObject({ status: 'REPLAYED' });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 3 });
    expect(await outside.known(order.orderId)).toMatchObject({
      status: 'SHIPPED',
      nextVersion: 4,
      blockedBy: null,
      parked: [],
      deadLetters: [],
    });
    expect(await outside.replay(letter)).toMatchObject({ status: 'REPLAYED' });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 3 });
  });

  it('is given up when it is discarded, and the later ones go on without it', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    await outside.send(order.event(1, 'order.rung-up', {}), order.created(2, [{ sku, quantity: 2 }]), order.paid(3));
    expect(await outside.discard(await outside.letterOf(order.orderId))).toMatchObject({ status: 'DISCARDED' });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'PAID', nextVersion: 4, blockedBy: null });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 2, onHand: 5 });
  });

  it('is answered as a repeat when it is sent again', async () => {
    const { outside } = scene;
    const order = outside.order();
    const event = order.created(1, [{ sku: 'no-such', quantity: 1 }]);
    expect(await outside.outcomes(event, event)).toEqual(['dead UNKNOWN_PRODUCT', 'duplicate']);
    expect((await outside.known(order.orderId)).deadLetters).toHaveLength(1);
  });

  it('stops the line again when one that has waited dies as well', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    await outside.send(order.event(1, 'nonsense'), order.shipped(2), order.created(3, [{ sku, quantity: 1 }]));
    await outside.discard(await outside.letterOf(order.orderId));
    expect(await outside.known(order.orderId)).toMatchObject({ blockedBy: 2, parked: [3], nextVersion: 3 });
    await outside.discard(await outside.letterOf(order.orderId));
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'HELD', blockedBy: null, nextVersion: 4 });
  });

  it('beyond a gap stops the line when its turn has come, unless it was discarded by then', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const [waits, given] = [outside.order(), outside.order()];
    const story = (order: typeof waits) => [order.event(2, 'nonsense'), order.paid(3)];
    expect(await outside.outcomes(...story(waits), ...story(given))).toEqual([
      'dead VALIDATION_FAILED',
      'parked',
      'dead VALIDATION_FAILED',
      'parked',
    ]);
    await outside.discard(await outside.letterOf(given.orderId));
    const lines = [{ sku, quantity: 1 }];
    await outside.send(waits.created(1, lines), given.created(1, lines));
    expect(await outside.known(waits.orderId)).toMatchObject({ status: 'HELD', blockedBy: 2, nextVersion: 3 });
    expect(await outside.known(given.orderId)).toMatchObject({ status: 'PAID', blockedBy: null, nextVersion: 4 });
  });

  it('does not stop a cancellation, after which its replay holds nothing', async () => {
    const { outside, place } = scene;
    const sku = await scene.stocked(1);
    const order = outside.order();
    expect(await outside.outcomes(order.created(1, [{ sku, quantity: 2 }]), order.paid(2), order.cancelled(3))).toEqual(
      ['dead INSUFFICIENT_STOCK', 'parked', 'applied'],
    );
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'CANCELLED', blockedBy: null, parked: [] });
    await shop.receive(sku, place, 5);
    const letter = await outside.letterOf(order.orderId);
    expect(await outside.replay(letter)).toMatchObject({ status: 'REPLAYED' });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 6 });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'CANCELLED', deadLetters: [], nextVersion: 4 });
  });

  it('is a cancellation after everything has left the shelf', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    await outside.send(order.created(1, [{ sku, quantity: 1 }]), order.paid(2), order.shipped(3));
    expect(await outside.outcomes(order.cancelled(4), order.cancelled(9))).toEqual([
      'dead ALREADY_FULFILLED',
      'dead ALREADY_FULFILLED',
    ]);
    const letter = await outside.letterOf(order.orderId);
    expect(await outside.replay(letter)).toMatchObject({ status: 'DEAD', code: 'ALREADY_FULFILLED', attempts: 2 });
    expect(await scene.units(sku)).toEqual({ held: 0, committed: 0, onHand: 4 });
  });

  it('is kept to a hundred an order: what dies beyond may be sent again', async () => {
    const { outside } = scene;
    const order = outside.order();
    const nonsense = Array.from({ length: 103 }, (_, index) => order.event(index + 2, 'nonsense'));
    const outcomes = await outside.outcomes(...nonsense);
    expect(outcomes.filter((outcome) => outcome === 'dead VALIDATION_FAILED')).toHaveLength(100);
    expect(outcomes.slice(100)).toEqual(['refused', 'refused', 'refused']);
  });
});

describeOnBothEngines('An order that is paid after its hold died', (engine) => {
  const scene = aScene(engine);
  const { shop } = scene;

  const expire = (): void => {
    shop.clock.advanceSeconds(901);
  };

  it('is held anew for the same lines, and confirmed', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const order = outside.order();
    await outside.send(order.created(1, [{ sku, quantity: 2 }]));
    const { reservationId } = await outside.known(order.orderId);
    expire();
    expect(await outside.outcomes(order.paid(2))).toEqual(['applied']);
    const known = await outside.known(order.orderId);
    expect(known.reservationId).not.toBe(reservationId);
    expect(await shop.reservation(known.reservationId!)).toMatchObject({
      status: 'CONFIRMED',
      orderId: order.orderId,
      lines: [{ sku, quantity: 2, locationId: null }],
    });
    expect(await shop.reservation(reservationId!)).toMatchObject({ status: 'EXPIRED' });
    expect(await outside.outcomes(order.shipped(3))).toEqual(['applied']);
    expect(await scene.units(sku)).toMatchObject({ committed: 0, onHand: 3 });
  });

  it('is held anew as its shopper has changed it since, or when somebody has cancelled the hold', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(9);
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    const [changed, cancelled] = [outside.order(), outside.order()];
    await outside.send(changed.adopted(1, id), cancelled.created(1, [{ sku, quantity: 1 }]));
    await shop.update(id, [{ sku, quantity: 4 }]);
    await shop.cancel((await outside.known(cancelled.orderId)).reservationId!);
    expire();
    expect(await outside.outcomes(changed.paid(2), cancelled.paid(2))).toEqual(['applied', 'applied']);
    expect((await scene.units(sku)).committed).toBe(5);
  });

  it('becomes the dead letter PAID_WITHOUT_STOCK, alarmed, when nothing is left; it is replayed when there is', async () => {
    const { outside, place } = scene;
    const sku = await scene.stocked(2);
    const order = outside.order();
    const alarm = 'sync_order_alarms_total{alarm="PAID_WITHOUT_STOCK"}';
    const before = await scene.metric(alarm);
    await outside.send(order.created(1, [{ sku, quantity: 2 }]));
    expire();
    await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 14_400 });
    expect(await outside.outcomes(order.paid(2), order.shipped(3))).toEqual(['dead PAID_WITHOUT_STOCK', 'parked']);
    expect(await scene.metric(alarm)).toBe(before + 1);
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'HELD', blockedBy: 2 });
    const letter = await outside.letterOf(order.orderId);
    expect((await shop.api.get(`/v1/dead-letters/${letter}`)).body).toMatchObject({
      code: 'PAID_WITHOUT_STOCK',
      detail: expect.stringContaining(sku),
    });
    expect(await outside.replay(letter)).toMatchObject({ status: 'DEAD', code: 'PAID_WITHOUT_STOCK' });
    expect(await scene.metric(alarm)).toBe(before + 1);
    await shop.receive(sku, place, 1);
    expect(await outside.replay(letter)).toMatchObject({ status: 'REPLAYED' });
    expect(await outside.known(order.orderId)).toMatchObject({ status: 'SHIPPED', blockedBy: null });
  });

  it('is alarmed as well when nothing was ever held for it', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(1);
    const [never, discarded] = [outside.order(), outside.order()];
    expect(await outside.outcomes(never.paid(1))).toEqual(['dead PAID_WITHOUT_STOCK']);
    await outside.send(discarded.created(1, [{ sku, quantity: 2 }]), discarded.paid(2));
    await outside.discard(await outside.letterOf(discarded.orderId));
    expect(await outside.known(discarded.orderId)).toMatchObject({ status: 'NEW', blockedBy: 2 });
  });

  it('can still be cancelled: there is nothing to give back', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(2);
    const order = outside.order();
    await outside.send(order.created(1, [{ sku, quantity: 2 }]));
    expire();
    expect(await outside.outcomes(order.cancelled(2))).toEqual(['applied']);
    expect((await shop.stock(sku, scene.place)).available).toBe(2);
  });
});

describeOnBothEngines('Orders and their events', (engine) => {
  const scene = aScene(engine);
  const { shop } = scene;

  /** Makes the program itself fail at the events of one order. */
  function failAt(orderId: string, mistake: () => Promise<unknown>): void {
    const effects = shop.app.app.get(OrderEffects, { strict: false });
    const carryOut = effects.carryOut.bind(effects);
    jest.spyOn(effects, 'carryOut').mockImplementation(async (stream, ...rest) => {
      if (stream.state.orderId === orderId) await mistake();
      return carryOut(stream, ...rest);
    });
  }

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('are dead one by one when the program makes a mistake, and tell nothing of it', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const orders = [outside.order(), outside.order(), outside.order()] as const;
    failAt(orders[1].orderId, () => Promise.reject(new TypeError('secret')));
    const created = orders.map((order) => order.created(1, [{ sku, quantity: 1 }]));
    expect(await outside.outcomes(...created)).toEqual(['applied', 'dead INTERNAL', 'applied']);
    const letter = await outside.letterOf(orders[1].orderId);
    expect((await shop.api.get(`/v1/dead-letters/${letter}`)).text).not.toContain('secret');
    jest.restoreAllMocks();
    expect(await outside.replay(letter)).toMatchObject({ status: 'REPLAYED' });
    expect(await scene.units(sku)).toMatchObject({ held: 3 });
  });

  it('are dead one by one when one of them spoils the commit of all', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(5);
    const orders = [outside.order(), outside.order(), outside.order()] as const;
    const unitOfWork = shop.app.app.get(UnitOfWork, { strict: false });
    failAt(orders[1].orderId, () => unitOfWork.run({ keys: [] }, (tx) => tx.select('SELECT nonsense', {})));
    const created = orders.map((order) => order.created(1, [{ sku, quantity: 1 }]));
    expect(await outside.outcomes(...created, orders[1].paid(2))).toEqual([
      'applied',
      'dead INTERNAL',
      'applied',
      'parked',
    ]);
    expect(await scene.units(sku)).toMatchObject({ held: 2 });
    const alone = outside.order();
    failAt(alone.orderId, () => unitOfWork.run({ keys: [] }, (tx) => tx.select('SELECT nonsense', {})));
    expect(await outside.outcomes(alone.created(1, [{ sku, quantity: 1 }]))).toEqual(['dead INTERNAL']);
  });

  it('are forgotten after their time, but not what waits, is dead, or is an order that may go on', async () => {
    const { outside } = scene;
    const sku = await scene.stocked(9);
    const lines = [{ sku, quantity: 1 }];
    const [done, waits, dies] = [outside.order(), outside.order(), outside.order()];
    await outside.send(done.created(1, lines), done.cancelled(2), { ...done.paid(2), id: 'contradiction' });
    await outside.send(waits.paid(2), dies.event(1, 'nonsense'), dies.created(2, lines));
    await passDays(shop.app, 91);
    await purge(shop.app);
    // The order is known without its events: a repeat is no longer told from what comes too late, and does no more.
    expect(await outside.known(done.orderId)).toMatchObject({ status: 'CANCELLED', conflicts: [] });
    expect(await outside.outcomes(done.created(1, lines))).toEqual(['stale']);
    await passDays(shop.app, 401);
    await purge(shop.app);
    problemOf(await shop.api.get(`/v1/sync/orders/${done.orderId}`), 404, 'NOT_FOUND');
    expect(await outside.known(waits.orderId)).toMatchObject({ parked: [2] });
    expect(await outside.known(dies.orderId)).toMatchObject({ parked: [2], blockedBy: 1 });
    await outside.discard(await outside.letterOf(dies.orderId));
    expect(await outside.known(dies.orderId)).toMatchObject({ status: 'HELD' });
  });
});
