import { QueryBus } from '@nestjs/cqrs';
import { jest } from '@jest/globals';
import { ListStockWithHolds } from '../../src/modules/inventory/contract.ts';
import { Metrics } from '../../src/shared/operations/metrics.ts';
import { counts } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { allChangesOf, changesOf, neverRead, type Snapshot, snapshotOf } from '../support/feeds.ts';
import { problemOf } from '../support/http.ts';
import { passDays, purge } from '../support/retention.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type Shop, useShop } from '../support/shop.ts';
import { type SentEvent, StoreClient } from '../support/store-client.ts';
import { change } from '../support/sql.ts';
import { StoreCopy } from '../support/store-copy.ts';
import { metricValue } from '../support/write-path.ts';
import { aStormWorld, storm, type StormWorld } from '../support/storm.ts';

const snapshotPath = (locationId: string) => `/v1/sync/stores/${locationId}/snapshot`;

describeOnBothEngines('GET /v1/sync/stores/{locationId}/snapshot', (engine) => {
  const shop = useShop(engine);

  it('has the cursor first, then every stock item of the location by sku, with its holds', async () => {
    const [place, other] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [place]: 10, [other]: 5 });
    const empty = await shop.product();
    const another = await shop.stocked({ [place]: 3 });
    const held = await shop.reserve([{ sku, quantity: 2, locationId: place }], { ttlSeconds: 60 });
    const paid = await shop.reserve([{ sku, quantity: 1, locationId: place }]);
    await shop.confirm(paid.id);
    const gone = await shop.reserve([{ sku, quantity: 1, locationId: place }]);
    await shop.cancel(gone.id);

    const { start, items } = await snapshotOf(shop.api, place);

    expect(start).toEqual({ cursor: expect.stringMatching(/^[1-9]\d*$/), epoch: 0, nextSequence: 1 });
    expect(items.map((item) => item.sku)).toEqual([sku, another]);
    expect(items.map((item) => item.sku)).not.toContain(empty);
    const { holds, ...stock } = items[0]!;
    expect(stock).toEqual(await shop.stock(sku, place));
    expect(holds).toEqual([
      { holdId: held.id, units: 2, state: 'HELD', expiresAt: held.expiresAt },
      { holdId: paid.id, units: 1, state: 'COMMITTED', expiresAt: null },
    ]);
    expect(items[1]).toMatchObject({ sku: another, onHand: 3, holds: [] });
    expect(await changesOf(shop.api, place, { after: start.cursor })).toEqual({ changes: [], cursor: start.cursor });
  });

  it('counts a hold that is over until it is released, as the changes do', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 2 });
    await shop.reserve([{ sku, quantity: 2 }], { ttlSeconds: 1 });
    shop.clock.advanceSeconds(2);
    const { start, items } = await snapshotOf(shop.api, place);
    expect(items).toMatchObject([{ onHand: 2, held: 2, available: 0 }]);
    const copy = new StoreCopy({ start, items });
    await shop.reserve([{ sku, quantity: 1 }]);
    (await allChangesOf(shop.api, place, start.cursor)).changes.forEach((change) => {
      copy.apply(change);
    });
    expect(copy.items.get(sku)).toMatchObject({ held: 1 });
  });

  it('has a cursor to go on from when the whole log is purged', async () => {
    const place = await shop.location();
    await shop.stocked({ [place]: 2 });
    await passDays(shop.app, 31);
    await purge(shop.app);
    const { start } = await snapshotOf(shop.api, place);
    expect(await changesOf(shop.api, place, { after: start.cursor })).toMatchObject({ changes: [] });
  });

  it('is refused for an unknown location; of a place without stock it has the first line only', async () => {
    problemOf(await shop.api.get(snapshotPath('nowhere')), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(`${snapshotPath('nowhere')}?limit=1`), 400, 'VALIDATION_FAILED');
    const place = await shop.location();
    expect((await snapshotOf(shop.api, place)).items).toEqual([]);
    const answer = await shop.api.get(snapshotPath(place), { accept: 'application/x-ndjson' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
    });
    const head = await shop.api.send('HEAD', snapshotPath(place));
    expect([head.status, head.text]).toEqual([200, '']);
  });
});

/** As that many counts would leave them: 1 unit of the first, 2 of the second … */
function stockItems({ app }: Shop, place: string, prefix: string, items: number): Promise<void> {
  return change(
    app.databaseUrl,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${items})
     INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming, safety_stock, is_low, is_out,
       is_negative, updated_at, version)
     SELECT 'default', '${prefix}' || (1000000 + i), '${place}', i, 0, 0, 0, 0, FALSE, FALSE, FALSE, 1, 1 FROM n`,
  );
}

describe('A snapshot of many items', () => {
  const shop = useShop('sqlite', { FEED_UNREAD_MAX_MS: '500' });

  const stock = (place: string, items: number) => stockItems(shop, place, 'sku-', items);
  const metric = (name: string): Promise<number> =>
    metricValue(shop.app.app.get(Metrics, { strict: false }), name, { kind: 'snapshot' });

  it('has each of them once, in order', async () => {
    const place = await shop.location();
    await stock(place, 2_600);
    const { items } = await snapshotOf(shop.api, place);
    expect(items.map(({ onHand }) => onHand)).toEqual(Array.from({ length: 2_600 }, (_, index) => index + 1));
  });

  it('is read no further than its reader, who is cut off for taking nothing', async () => {
    const place = await shop.location();
    // More than both ends of a connection keep for each other.
    await stock(place, 40_000);
    const pages = jest.spyOn(shop.app.app.get(QueryBus, { strict: false }), 'execute');
    const unread = neverRead(shop.app, snapshotPath(place));
    await eventually('the reader to be cut off', async () => (await metric('sync_dropped_feeds_total')) === 1);
    expect(pages.mock.calls.length).toBeLessThan(130);
    pages.mockRestore();
    await eventually('its place to be free', async () => (await metric('sync_open_feeds')) === 0);
    unread.destroy();
  });
});

/** A store: it pushes what happens in it, and keeps a copy of its stock that it never compares. */
class Store {
  private copy = new StoreCopy();
  private cursor = '0';
  private sequence = 1;

  private constructor(
    private readonly shop: Shop,
    private readonly client: StoreClient,
    private readonly skus: readonly string[],
    private readonly random: Random,
  ) {}

  static async open(shop: Shop, place: string, { skus }: StormWorld, random: Random): Promise<Store> {
    return new Store(shop, await StoreClient.open(shop.api, place, () => shop.clock.iso()), skus, random);
  }

  beginWith(snapshot: Snapshot): void {
    expect(snapshot.start).toMatchObject({ epoch: this.client.epoch, nextSequence: this.sequence });
    this.copy = new StoreCopy(snapshot);
    ({ cursor: this.cursor } = snapshot.start);
  }

  /** Sales, receipts, counts and pickups, some at a time. */
  async push(calls: number): Promise<void> {
    for (let call = 0; call < calls; call += 1) {
      const events = Array.from({ length: this.random.whole(1, 4) }, () => this.anEvent());
      const { results } = await this.client.push(events);
      results.forEach(({ outcome }, index) => {
        const { type, data } = events[index]!;
        if (type !== 'pickup') expect(outcome).toBe('applied');
        else if (outcome === 'applied') this.copy.pickUp((data as { reservationId: string }).reservationId);
      });
    }
  }

  async follow(): Promise<void> {
    const told = await allChangesOf(this.shop.api, this.client.locationId, this.cursor, this.random.whole(1, 40));
    for (const change of told.changes) {
      this.copy.apply(change);
      // Each may come twice.
      if (change.type.startsWith('inventory.stock.')) this.copy.apply(change);
    }
    ({ cursor: this.cursor } = told);
  }

  stockOf(sku: string): unknown {
    const { version: _, ...item } = this.copy.items.get(sku)!;
    return item;
  }

  private anEvent(): SentEvent {
    const [sku, quantity, dice] = [this.random.pick(this.skus), this.random.whole(1, 3), this.random.whole(1, 100)];
    const { toHandOver } = this.copy;
    const make = (type: string, data: object): SentEvent => this.client.event(this.sequence++, type, data);
    if (dice <= 30 && toHandOver.length > 0) return make('pickup', { reservationId: this.random.pick(toHandOver) });
    if (dice <= 40) {
      this.copy.count(sku, quantity * 4);
      return make('count', { sku, counted: quantity * 4, cursor: this.cursor });
    }
    const isSale = dice <= 70;
    this.copy.applyOwn(sku, isSale ? -quantity : quantity);
    return make(isSale ? 'sale' : 'receipt', { sku, quantity });
  }
}

describeOnBothEngines('A copy of a store', (engine) => {
  const shop = useShop(engine);

  it(`made of a snapshot, the changes behind it and what the store pushed is the centre's stock (seed ${SEED})`, async () => {
    for (let round = 0; round < counts(2, 60); round += 1) {
      const random = new Random(SEED + round);
      const world = await aStormWorld(shop.api, `copied-${round}`, 12);
      const [place = ''] = world.locations;
      await manyItems(shop, place, world);
      const known: string[] = [];
      const store = await Store.open(shop, place, world, random);
      await storm(shop.api, world, random, 30, known);
      await store.push(3);

      store.beginWith(await whileOthersWrite(shop, () => storm(shop.api, world, random, 6, known), place));
      for (let leg = 0; leg < 5; leg += 1) {
        await store.follow();
        await Promise.all([store.push(4), storm(shop.api, world, random, 15, known)]);
      }
      await store.follow();

      const centre = new StoreCopy(await snapshotOf(shop.api, place));
      for (const sku of world.skus) {
        const { version: _, ...item } = centre.items.get(sku)!;
        expect([round, sku, store.stockOf(sku)]).toEqual([round, sku, item]);
        expect(item.onHand).toBe((await shop.stock(sku, place)).onHand);
      }
    }
  }, 600_000);

  /** So many between those that are written that a snapshot takes several pages. */
  async function manyItems(of: Shop, place: string, world: StormWorld): Promise<void> {
    for (const sku of world.skus) await stockItems(of, place, `${sku}-`, 130);
  }

  async function whileOthersWrite(of: Shop, write: () => Promise<unknown>, place: string): Promise<Snapshot> {
    const queries = of.app.app.get(QueryBus, { strict: false });
    const execute = queries.execute.bind(queries);
    let pages = 0;
    const spy = jest.spyOn(queries, 'execute').mockImplementation(async (query: object) => {
      if (!(query instanceof ListStockWithHolds)) return execute(query as never);
      pages += 1;
      await write();
      const page = await execute(query);
      await write();
      return page;
    });
    try {
      const snapshot = await snapshotOf(of.api, place);
      expect(pages).toBe(3);
      return snapshot;
    } finally {
      spy.mockRestore();
    }
  }
});
