import { eventually } from '../support/eventually.ts';
import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Page, type Reservation, type StockItem, useShop } from '../support/shop.ts';
import { rowsOf } from '../support/sql.ts';

describeOnBothEngines('The sweeper', (engine) => {
  const shop = useShop(engine, { SWEEP_INTERVAL_MS: '10', SWEEP_CHUNK_RESERVATIONS: '7' });
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  const listed = async (sku: string) => bodyOf(await shop.api.get<Page<StockItem>>(`/v1/stock?skus=${sku}`)).items[0];

  it('ends what is due, in as many chunks as it takes, each hold once', async () => {
    const sku = await shop.stocked({ [place]: 100 });
    const made = await Promise.all(
      Array.from({ length: 40 }, () => shop.reserve([{ sku, quantity: 2 }], { ttlSeconds: 60 })),
    );
    const long = await shop.reserve([{ sku, quantity: 5 }], { ttlSeconds: 6000 });
    shop.clock.advanceSeconds(60);

    await eventually('the list shows the units as free', async () => (await listed(sku))?.held === 5);
    await eventually('all are swept', async () => {
      const expired = await allPages<Reservation>(shop.api, '/v1/reservations?status=EXPIRED');
      return made.every((one) => expired.some(({ id }) => id === one.id));
    });

    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 100, held: 5, committed: 0, available: 95 });
    const swept = await shop.reservation(made[0]?.id ?? '');
    expect(swept).toMatchObject({ status: 'EXPIRED', version: 2 });
    expect((await shop.reservation(long.id)).status).toBe('ACTIVE');
    const active = await allPages<Reservation>(shop.api, '/v1/reservations?status=ACTIVE');
    expect(active.map((one) => one.id)).toEqual([long.id]);
    const bySweeper = await rowsOf<{ subject: string }>(
      shop.app.databaseUrl,
      "SELECT DISTINCT subject FROM outbox_events WHERE client_id = 'sweeper' ORDER BY subject",
    );
    const ended = [...made.map(({ id }) => `reservation/${id}`).sort(), `stock/${sku}/${place}`];
    expect(bySweeper.map(({ subject }) => subject)).toEqual(ended);
    // The item's versions: 1 receipt, 41 holds, 40 releases.
    expect((await shop.stock(sku, place)).version).toBe(82);
  });

  it('changes nothing twice where a buyer was faster', async () => {
    const sku = await shop.stocked({ [place]: 4 });
    const hold = await shop.reserve([{ sku, quantity: 4 }], { ttlSeconds: 60 });
    shop.clock.set(hold.expiresAt);
    const next = await shop.reserve([{ sku, quantity: 3 }], { ttlSeconds: 6000 });

    await eventually('the sweeper saw it', async () => (await shop.reservation(hold.id)).version === 2);

    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 4, held: 3, available: 1 });
    expect(await listed(sku)).toMatchObject({ held: 3, available: 1 });
    expect((await shop.reservation(next.id)).status).toBe('ACTIVE');
    problemOf(await shop.tryTo('confirm', hold.id, { orderId: 'o' }), 409, 'RESERVATION_EXPIRED');
  });

  it('leaves a reservation alone that was renewed in time', async () => {
    const sku = await shop.stocked({ [place]: 4 });
    const marker = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 60 });
    const kept = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 60 });
    shop.clock.set(kept.expiresAt, -1);
    await shop.refresh(kept.id, { ttlSeconds: 600 });
    shop.clock.set(kept.expiresAt);
    await eventually('the other one is swept', async () => (await shop.reservation(marker.id)).version === 2);
    expect(await shop.reservation(kept.id)).toMatchObject({ status: 'ACTIVE', version: 2 });
    expect(await shop.stock(sku, place)).toMatchObject({ held: 1, available: 3 });
  });

  it('gives way to buyers who race it for the same units', async () => {
    const sku = await shop.stocked({ [place]: 30 });
    await Promise.all(Array.from({ length: 30 }, () => shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 60 })));
    shop.clock.advanceSeconds(60);
    const answers = await Promise.all(
      Array.from({ length: 45 }, () => shop.tryReserve([{ sku, quantity: 1 }], { ttlSeconds: 14_400 })),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(30);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(15);
    await eventually('every ended one is swept', async () => {
      const expired = await allPages<Reservation>(shop.api, '/v1/reservations?status=EXPIRED');
      return expired.filter((one) => one.lines[0]?.sku === sku).length === 30;
    });
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 30, held: 30, available: 0 });
  });
});
