import { CommandBus } from '@nestjs/cqrs';
import { RecordMovement } from '../../src/modules/inventory/contract.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import type { Answer } from '../support/http.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, type Reservation, type StockItem, type Transfer, useShop } from '../support/shop.ts';
import { rowsOf } from '../support/sql.ts';
import { aStormWorld, storm } from '../support/storm.ts';

interface StoredEvent {
  readonly position: number | string;
  readonly event_id: string;
  readonly type: string;
  readonly version: number | string;
  readonly subject: string;
  readonly subject_version: number | string;
  readonly location_id: string | null;
  readonly payload: string;
  readonly correlation_id: string;
  readonly client_id: string;
}

type Whose = Pick<StoredEvent, 'correlation_id' | 'client_id'>;

function whoseIs(event?: Whose): (string | undefined)[] {
  return [event?.correlation_id, event?.client_id];
}

describeOnBothEngines(`The event log, TEST_SEED=${SEED}`, (engine) => {
  const shop = useShop(engine);

  const allEvents = () => rowsOf<StoredEvent>(shop.app.databaseUrl, 'SELECT * FROM outbox_events ORDER BY position');

  async function eventsOf(subject: string): Promise<StoredEvent[]> {
    return (await allEvents()).filter((event) => event.subject === subject);
  }

  const dataOf = (event: StoredEvent) => JSON.parse(event.payload) as Record<string, unknown>;

  it('has an event of every change of what is sold, where, and for whom, in their order, and of nothing else', async () => {
    const world = await aStormWorld(shop.api, 'logged', 15);
    const known: string[] = [];
    const answers: Answer[][] = await Promise.all(
      Array.from({ length: 6 }, (_, i) => storm(shop.api, world, new Random(SEED + i), 40, known)),
    );
    expect(answers.flat().some(({ status }) => status === 409)).toBe(true);

    const events = await allEvents();
    const versions = new Map<string, number[]>();
    for (const event of events) {
      const seen = versions.get(event.subject) ?? [];
      // One change may have several events, e.g. moved and low; a change never comes before an earlier one.
      if (seen.at(-1) !== Number(event.subject_version)) seen.push(Number(event.subject_version));
      versions.set(event.subject, seen);
    }
    const upTo = (version: number) => Array.from({ length: version }, (_, i) => i + 1);
    const expected = new Map<string, number[]>();
    for (const item of await allPages<StockItem>(shop.api, '/v1/stock')) {
      expected.set(`stock/${item.sku}/${item.locationId}`, upTo(item.version));
    }
    for (const { id, version } of await allPages<Reservation>(shop.api, '/v1/reservations')) {
      expected.set(`reservation/${id}`, upTo(version));
    }
    for (const { id, version } of await allPages<Transfer>(shop.api, '/v1/transfers')) {
      expected.set(`transfer/${id}`, upTo(version));
    }
    for (const { sku, version } of await allPages<{ sku: string; version: number }>(shop.api, '/v1/products')) {
      expected.set(`product/${sku}`, upTo(version));
    }
    const locations = await allPages<{ locationId: string; version: number }>(shop.api, '/v1/locations');
    for (const { locationId, version } of locations) expected.set(`location/${locationId}`, upTo(version));
    expect([...expected.keys()].some((subject) => subject.startsWith('transfer/'))).toBe(true);
    expect(Object.fromEntries(versions)).toEqual(Object.fromEntries(expected));
    expect(new Set(events.map((event) => event.event_id)).size).toBe(events.length);
  });

  it('tells who, what and the balances after it', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    const headers = { 'x-correlation-id': 'told-in-events' };
    await shop.tryMove(sku, place, 'RECEIPT', 5, { reason: 'delivery' }, { headers });
    const { body } = await shop.tryReserve([{ sku, quantity: 2 }], {}, { headers });

    const stock = await eventsOf(`stock/${sku}/${place}`);
    const heads = stock.map(({ type, location_id, ...event }) => [type, location_id, ...whoseIs(event)]);
    expect(heads).toEqual([
      ['inventory.stock.moved', place, 'told-in-events', 'default'],
      ['inventory.stock.held', place, 'told-in-events', 'default'],
    ]);
    expect(stock.map(dataOf)).toMatchObject([
      { movementType: 'RECEIPT', delta: 5, reason: 'delivery', stock: { onHand: 5, held: 0, available: 5 } },
      { holdId: body.id, units: 2, expiresAt: body.expiresAt, stock: { onHand: 5, held: 2, available: 3 } },
    ]);
    const [created, ...more] = await eventsOf(`reservation/${body.id}`);
    expect([created?.type, ...whoseIs(created), more]).toEqual([
      'reservation.created',
      'told-in-events',
      'default',
      [],
    ]);
    expect(await rowsOf<Whose>(shop.app.databaseUrl, `SELECT * FROM movements WHERE sku = '${sku}'`)).toMatchObject([
      { correlation_id: 'told-in-events', client_id: 'default' },
    ]);
  });

  it('names the store that reports a movement, in the log and in the ledger, and nobody for what the centre decides', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 5 });
    const context = { tenantId: 'default', clientId: 'till', correlationId: 'reported', traceparent: null };
    const sale = { type: 'SALE', quantity: 1, reason: null, reference: null } as const;
    await runInContext({ ...context, origin: place }, () =>
      shop.app.app.get(CommandBus, { strict: false }).execute(new RecordMovement(sku, place, sale)),
    );
    const origins = (rows: readonly { origin: string | null }[]) => rows.map(({ origin }) => origin);
    const { databaseUrl } = shop.app;
    expect(
      origins(await rowsOf(databaseUrl, `SELECT origin FROM movements WHERE sku = '${sku}' ORDER BY item_version`)),
    ).toEqual([null, place]);
    expect(
      origins(
        await rowsOf(
          databaseUrl,
          `SELECT origin FROM outbox_events WHERE subject = 'stock/${sku}/${place}' ORDER BY position`,
        ),
      ),
    ).toEqual([null, place]);
  });

  it('tells whose units left when they are fulfilled', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    await shop.confirm(id);
    await shop.fulfil(id);
    const moved = (await eventsOf(`stock/${sku}/${place}`)).filter(({ type }) => type === 'inventory.stock.moved');
    expect(moved.map(dataOf).map(({ movementType, holdId }) => [movementType, holdId])).toEqual([
      ['RECEIPT', undefined],
      ['FULFILMENT', id],
    ]);
  });

  it('tells of a transfer at both ends: what left, what is on its way, what arrived and what did not', async () => {
    const [from, to] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [from]: 9 });
    const { id } = await shop.dispatch(sku, from, to, 4);
    await shop.end('receive', id, { quantity: 3, reason: 'one broken' });
    const back = await shop.dispatch(sku, from, to, 2);
    await shop.end('cancel', back.id);

    const place = { sku, fromLocationId: from, toLocationId: to };
    const told = (events: StoredEvent[]) => events.map((event) => [event.type, event.location_id, dataOf(event)]);
    expect(told(await eventsOf(`transfer/${id}`))).toEqual([
      ['inventory.transfer.dispatched', to, { transferId: id, ...place, quantity: 4 }],
      ['inventory.transfer.received', to, { transferId: id, ...place, quantity: 4, received: 3, reason: 'one broken' }],
    ]);
    expect((await eventsOf(`transfer/${back.id}`)).map(({ type }) => type)).toEqual([
      'inventory.transfer.dispatched',
      'inventory.transfer.cancelled',
    ]);
    expect(told((await eventsOf(`stock/${sku}/${from}`)).slice(1))).toMatchObject([
      ['inventory.stock.moved', from, { movementType: 'TRANSFER_OUT', delta: -4, reference: id }],
      ['inventory.stock.moved', from, { movementType: 'TRANSFER_OUT', delta: -2, reference: back.id }],
      ['inventory.stock.moved', from, { movementType: 'TRANSFER_IN', delta: 2, reference: back.id }],
    ]);
    expect(told(await eventsOf(`stock/${sku}/${to}`))).toMatchObject([
      ['inventory.stock.incoming-changed', to, { transferId: id, delta: 4, stock: { incoming: 4, onHand: 0 } }],
      ['inventory.stock.moved', to, { movementType: 'TRANSFER_IN', delta: 4, stock: { incoming: 0, onHand: 4 } }],
      ['inventory.stock.moved', to, { movementType: 'WRITE_OFF', delta: -1, reason: 'one broken', reference: id }],
      ['inventory.stock.incoming-changed', to, { transferId: back.id, delta: 2, stock: { incoming: 2 } }],
      ['inventory.stock.incoming-changed', to, { transferId: back.id, delta: -2, stock: { incoming: 0 } }],
    ]);
  });

  it('tells once that an item became oversold and once that it became low', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 10 }, { lowStockThreshold: 4 });
    await shop.reserve([{ sku, quantity: 5 }]);
    await shop.reserve([{ sku, quantity: 1 }]);
    await shop.reserve([{ sku, quantity: 1 }]);
    await shop.count(sku, place, 6);
    const types = (await eventsOf(`stock/${sku}/${place}`)).map((event) => event.type);
    expect(types.filter((type) => type === 'inventory.stock.low')).toHaveLength(1);
    expect(types.filter((type) => type === 'inventory.stock.oversold')).toHaveLength(1);
  });

  it('shows that ended holds make room oldest first, and only as many as it takes', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 6 });
    const byAge: Reservation[] = [];
    for (const [quantity, ttlSeconds] of [
      [3, 30],
      [1, 10],
      [2, 20],
    ] as const) {
      byAge.push(await shop.reserve([{ sku, quantity }], { ttlSeconds }));
    }
    byAge.sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));
    shop.clock.advanceSeconds(30);

    await shop.reserve([{ sku, quantity: 2 }]);

    const released = (await eventsOf(`stock/${sku}/${place}`)).filter(
      ({ type }) => type === 'inventory.stock.released',
    );
    expect(released.map(dataOf)).toMatchObject([
      { holdId: byAge[0]?.id, units: 1 },
      { holdId: byAge[1]?.id, units: 2 },
    ]);
  });

  it('has nothing of what was refused or only repeated', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 2 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }], { cartId: `cart-${engine}` });
    await shop.confirm(id, 'once');
    const before = await allEvents();

    await shop.tryReserve([{ sku, quantity: 1 }]);
    await shop.tryMove(sku, place, 'SALE', 1);
    await shop.tryUpdate(id, [{ sku, quantity: 1 }]);
    await shop.tryTo('confirm', id, { orderId: 'once' });
    await shop.tryTo('confirm', id, { orderId: 'twice' });
    await shop.api.put(`/v1/stock/${sku}/${place}/policy`, { safetyStock: 0 });
    await shop.api.put(`/v1/products/${sku}`, { name: `Thing ${sku}` });

    expect(await allEvents()).toEqual(before);
  });
});
