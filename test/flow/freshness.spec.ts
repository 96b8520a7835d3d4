import type { FreshnessPolicy } from '../../src/modules/inventory/contract.ts';
import { CAREFUL, report } from '../support/freshness.ts';
import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import {
  allocationsOf,
  allPages,
  bodyOf,
  DIRECT,
  type Freshness,
  type Page,
  type StockItem,
  type StockOfSku,
  stockPath,
  useShop,
} from '../support/shop.ts';
import { change, rowsOf } from '../support/sql.ts';

describeOnBothEngines('Freshness', (engine) => {
  const shop = useShop(engine);

  /** A store that has just pushed its event number 7. */
  async function store(policy: FreshnessPolicy = CAREFUL, fields: object = {}): Promise<string> {
    const locationId = await shop.location(fields);
    await report(shop.app, locationId, { policy, pushed: { lastSequence: 7, receivedAt: shop.clock.now() } });
    return locationId;
  }

  const hear = (locationId: string) => report(shop.app, locationId, { contactAt: shop.clock.now() });
  const skuStock = async (sku: string) => bodyOf(await shop.api.get<StockOfSku>(`/v1/stock/${sku}`));
  const listed = async (query: string) => bodyOf(await shop.api.get<Page<StockItem>>(`/v1/stock?${query}`)).items;
  const availability = async (sku: string, more: object = {}) =>
    bodyOf(
      await shop.api.post<{ items: { available: number }[] }>(
        '/v1/availability',
        { skus: [sku], ...more },
        { key: null },
      ),
    ).items[0]?.available;

  /** What every read says of an item, which has to be the same. */
  async function read(sku: string, locationId: string): Promise<StockItem> {
    const item = await shop.stock(sku, locationId);
    const { locations, totals } = await skuStock(sku);
    expect(locations.find((one) => one.locationId === locationId)).toEqual(item);
    expect(totals.available).toBe(locations.reduce((sum, { available }) => sum + available, 0));
    expect(await listed(`skus=${sku}&locationId=${locationId}`)).toEqual([item]);
    expect(await availability(sku, { locationId })).toBe(item.available);
    expect(await availability(sku)).toBe(totals.available);
    return item;
  }

  describe('of an answer', () => {
    it('is DIRECT where nothing was ever pushed, with and without stock', async () => {
      const place = await shop.location();
      const sku = await shop.stocked({ [place]: 5 });
      shop.clock.advanceSeconds(1_000_000);
      expect((await read(sku, place)).freshness).toEqual(DIRECT);
      expect((await shop.stock(await shop.product(), place)).freshness).toEqual(DIRECT);

      await report(shop.app, place, { policy: CAREFUL });
      await hear(place);
      shop.clock.advanceSeconds(1_000);
      expect(await read(sku, place)).toMatchObject({ available: 5, freshness: DIRECT });
    });

    it('tells to the millisecond how long the location has not been heard from', async () => {
      const place = await store();
      const asOf = shop.clock.iso();
      const sku = await shop.stocked({ [place]: 10 });
      const at = async (seconds: number, offsetMs: number): Promise<[Freshness['status'], number | null, number]> => {
        shop.clock.set(asOf, seconds * 1000 + offsetMs);
        const { freshness, available } = await read(sku, place);
        expect(freshness).toMatchObject({ lastSequence: 7, asOf });
        return [freshness.status, freshness.lagSeconds, available];
      };
      expect(await at(0, 0)).toEqual(['LIVE', 0, 10]);
      expect(await at(10, -1)).toEqual(['LIVE', 9, 10]);
      expect(await at(10, 0)).toEqual(['STALE', 10, 8]);
      expect(await at(60, -1)).toEqual(['STALE', 59, 8]);
      expect(await at(60, 0)).toEqual(['SILENT', 60, 5]);
      expect(await at(100_000, 1)).toEqual(['SILENT', 100_000, 5]);
      // And a clock that has jumped back makes nothing younger than new.
      expect(await at(-30, 0)).toEqual(['LIVE', 0, 10]);
    });

    it('tells it of an item without stock, too', async () => {
      const place = await store();
      shop.clock.advanceSeconds(11);
      const item = await shop.stock(await shop.product(), place);
      expect(item).toMatchObject({ available: 0, version: 0, freshness: { status: 'STALE', lagSeconds: 11 } });
    });

    it('is that of the instant in the answers of movements, counts and policies as well', async () => {
      const place = await store();
      const sku = await shop.stocked({ [place]: 20 });
      shop.clock.advanceSeconds(12);
      const stale = { status: 'STALE', lastSequence: 7, lagSeconds: 12 };
      expect(await shop.receive(sku, place, 10)).toMatchObject({ onHand: 30, available: 24, freshness: stale });
      expect(await shop.count(sku, place, 11)).toMatchObject({ onHand: 11, available: 8, freshness: stale });
      expect(await shop.safetyStock(sku, place, 3)).toMatchObject({ safetyStock: 3, available: 5, freshness: stale });
      await read(sku, place);
    });

    it('stays LIVE while a quiet store is heard from, and comes back by itself', async () => {
      const place = await store();
      const asOf = shop.clock.iso();
      const sku = await shop.stocked({ [place]: 10 });
      for (let polls = 0; polls < 5; polls += 1) {
        shop.clock.advanceSeconds(9);
        await hear(place);
      }
      expect((await read(sku, place)).freshness).toEqual({ status: 'LIVE', lastSequence: 7, asOf, lagSeconds: 0 });
      shop.clock.advanceSeconds(70);
      expect(await read(sku, place)).toMatchObject({ available: 5, freshness: { status: 'SILENT' } });
      await hear(place);
      expect(await read(sku, place)).toMatchObject({ available: 10, freshness: { status: 'LIVE', lagSeconds: 0 } });
    });

    it('is refused for a location that does not exist', async () => {
      await expect(report(shop.app, 'nowhere', { contactAt: shop.clock.now() })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });
  });

  describe('with caution', () => {
    it('leaves nothing alone of what is not there', async () => {
      const place = await store({ ...CAREFUL, staleCautionPercent: 100 });
      const sku = await shop.stocked({ [place]: 5 });
      await shop.reserve([{ sku, quantity: 3, locationId: place }]);
      await shop.count(sku, place, 1);
      shop.clock.advanceSeconds(10);
      expect(await read(sku, place)).toMatchObject({ onHand: 1, held: 3, available: -3 });
      await shop.count(sku, place, 0);
      expect(await read(sku, place)).toMatchObject({ onHand: 0, held: 3, available: -3 });
    });

    it('refuses every command that wants more than is available, and records every fact', async () => {
      const place = await store();
      const other = await shop.location();
      const sku = await shop.stocked({ [place]: 11, [other]: 4 });
      shop.clock.advanceSeconds(60);
      const tooMuch = [
        await shop.tryReserve([{ sku, quantity: 6, locationId: place }]),
        await shop.tryMove(sku, place, 'SALE', 6),
        await shop.tryMove(sku, place, 'WRITE_OFF', 6),
        await shop.tryMove(sku, place, 'ADJUSTMENT', -6),
        await shop.tryDispatch(sku, place, await shop.location(), 6),
      ];
      for (const answer of tooMuch) {
        expect(problemOf(answer, 409, 'INSUFFICIENT_STOCK')).toMatchObject({
          shortages: [{ sku, locationId: place, requested: 6, available: 5 }],
          alternatives: [{ sku, locationId: other, available: 4 }],
        });
      }
      const open = problemOf(await shop.tryReserve([{ sku, quantity: 10 }]), 409, 'INSUFFICIENT_STOCK');
      expect(open).toMatchObject({ shortages: [{ locationId: null, available: 9 }] });
      const elsewhere = problemOf(await shop.tryMove(sku, other, 'SALE', 5), 409, 'INSUFFICIENT_STOCK');
      expect(elsewhere).toMatchObject({ alternatives: [{ locationId: place, available: 5 }] });

      expect((await shop.tryReserve([{ sku, quantity: 5, locationId: place }])).status).toBe(201);
      problemOf(await shop.tryMove(sku, place, 'SALE', 1), 409, 'INSUFFICIENT_STOCK');
      expect(await shop.count(sku, place, 7)).toMatchObject({ onHand: 7, held: 5, available: -2 });
    });

    it('turns sourcing to where more is known, and back', async () => {
      const [near, far] = [await store(), await shop.location()];
      const sku = await shop.stocked({ [near]: 10, [far]: 6 });
      expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [near]: 1 }]);
      shop.clock.advanceSeconds(60);
      // 10 on hand less 1 held less 5 out of caution are fewer than 6.
      expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [far]: 1 }]);
      await hear(near);
      expect(allocationsOf(await shop.reserve([{ sku, quantity: 1 }]))).toEqual([{ [near]: 1 }]);
    });

    it('takes nothing from a hold: it is kept, shortened, confirmed and fulfilled', async () => {
      const place = await store({ ...CAREFUL, silentCautionPercent: 100 });
      const sku = await shop.stocked({ [place]: 10 });
      const { id } = await shop.reserve([{ sku, quantity: 8, locationId: place }]);
      shop.clock.advanceSeconds(60);
      expect(await shop.update(id, [{ sku, quantity: 8, locationId: place }])).toMatchObject({ status: 'ACTIVE' });
      const more = problemOf(
        await shop.tryUpdate(id, [{ sku, quantity: 9, locationId: place }]),
        409,
        'INSUFFICIENT_STOCK',
      );
      expect(more).toMatchObject({ shortages: [{ requested: 9, available: 8 }] });
      await shop.update(id, [{ sku, quantity: 7, locationId: place }]);
      problemOf(await shop.tryUpdate(id, [{ sku, quantity: 8, locationId: place }]), 409, 'INSUFFICIENT_STOCK');
      await shop.confirm(id);
      expect(await shop.fulfil(id)).toMatchObject({ status: 'FULFILLED' });
      expect(await read(sku, place)).toMatchObject({ onHand: 3, committed: 0, available: 0 });
    });

    it('lists what is low or out because of it, page by page', async () => {
      const place = await store();
      const direct = await shop.location();
      const skus = [
        await shop.stocked({ [place]: 10, [direct]: 10 }, { lowStockThreshold: 5 }),
        await shop.stocked({ [place]: 12, [direct]: 12 }, { lowStockThreshold: 5 }),
        await shop.stocked({ [place]: 1, [direct]: 1 }),
      ];
      const low = () => listed(`state=low&skus=${skus.join(',')}`);
      const out = () => listed(`state=out&skus=${skus.join(',')}`);
      expect([await low(), await out()]).toEqual([[], []]);
      shop.clock.advanceSeconds(60);
      expect(await low()).toEqual([await shop.stock(skus[0]!, place)]);
      expect(await out()).toEqual([await shop.stock(skus[2]!, place)]);
      expect(await listed(`state=low&locationId=${direct}&skus=${skus.join(',')}`)).toEqual([]);
      expect(await listed(`state=negative&skus=${skus.join(',')}`)).toEqual([]);

      await shop.count(skus[0]!, direct, 4);
      const query = `/v1/stock?state=low&skus=${skus.join(',')}&limit=1`;
      const first = bodyOf(await shop.api.get<Page<StockItem>>(query));
      const second = bodyOf(await shop.api.get<Page<StockItem>>(`${query}&cursor=${first.nextCursor ?? ''}`));
      expect([...first.items, ...second.items].map(({ locationId }) => locationId)).toEqual([place, direct]);
      expect(second.nextCursor).toBe(null);
      await hear(place);
      expect((await low()).map(({ locationId }) => locationId)).toEqual([direct]);
    });

    it('is found in a shop of many items, in their order, however far apart they are', async () => {
      const place = await store();
      await change(
        shop.app.databaseUrl,
        `INSERT INTO stock_items (tenant_id, sku, location_id, on_hand, held, committed, incoming, safety_stock,
            low_stock_threshold, no_hold_due_before, is_low, is_out, is_negative, updated_at, version)
         WITH RECURSIVE numbers(n) AS (SELECT 10001 UNION ALL SELECT n + 1 FROM numbers WHERE n < 15000)
         SELECT 'default', 'many-' || n, '${place}', CASE WHEN n IN (10001, 12000, 12001, 15000) THEN 1 ELSE 100 END,
           0, 0, 0, 0, NULL, NULL, FALSE, FALSE, FALSE, 1, 1 FROM numbers`,
      );
      shop.clock.advanceSeconds(60);
      const found = await allPages<StockItem>(shop.api, `/v1/stock?state=out&locationId=${place}`, 3);
      expect(found.map((item) => item.sku)).toEqual(['many-10001', 'many-12000', 'many-12001', 'many-15000']);
    });

    it('is no part of what is published, and nothing is low because of it', async () => {
      const place = await store({ ...CAREFUL, silentCautionPercent: 100 });
      const sku = await shop.stocked({ [place]: 10 }, { lowStockThreshold: 5 });
      shop.clock.advanceSeconds(60);
      await shop.receive(sku, place, 2);
      const [last] = await rowsOf<{ type: string; payload: string }>(
        shop.app.databaseUrl,
        'SELECT type, payload FROM outbox_events ORDER BY position DESC LIMIT 1',
      );
      expect(last?.type).toBe('inventory.stock.moved');
      expect(JSON.parse(last?.payload ?? '')).toMatchObject({ stock: { onHand: 12, available: 12 } });
    });
  });

  describe('and entity tags', () => {
    it('answers 304 while only the seconds pass, and a new body when there is less to have', async () => {
      const place = await store();
      const sku = await shop.stocked({ [place]: 10 });
      for (const path of [stockPath(sku, place), `/v1/stock/${sku}`]) {
        const { etag = '' } = (await shop.api.get(path)).headers;
        const again = () => shop.api.get<Partial<StockItem & StockOfSku>>(path, { 'if-none-match': etag });
        shop.clock.advanceSeconds(9);
        expect((await again()).status).toBe(304);
        shop.clock.advanceSeconds(1);
        const stale = await again();
        expect(stale.status).toBe(200);
        expect(stale.body.available ?? stale.body.totals?.available).toBe(8);
        await hear(place);
        expect((await again()).status).toBe(304);
        await report(shop.app, place, { pushed: { lastSequence: 8, receivedAt: shop.clock.now() } });
        expect((await again()).status).toBe(200);
        await report(shop.app, place, { pushed: { lastSequence: 7, receivedAt: shop.clock.now() } });
      }
    });

    it('gives with every change the tag that a read would give, and compares versions alone', async () => {
      const place = await store();
      const sku = await shop.stocked({ [place]: 10 });
      shop.clock.advanceSeconds(3);
      const moved = await shop.tryMove(sku, place, 'SALE', 1);
      const policy = await shop.api.put(stockPath(sku, place, '/policy'), { safetyStock: 1 });
      expect(policy.headers.etag).toBe((await shop.api.get(stockPath(sku, place))).headers.etag);
      shop.clock.advanceSeconds(60);
      const ifMatch = { headers: { 'if-match': policy.headers.etag ?? '' } };
      expect((await shop.tryMove(sku, place, 'RECEIPT', 1, {}, ifMatch)).status).toBe(201);
      const outdated = { headers: { 'if-match': moved.headers.etag ?? '' } };
      problemOf(await shop.tryMove(sku, place, 'RECEIPT', 1, {}, outdated), 412, 'VERSION_MISMATCH');
    });
  });
});
