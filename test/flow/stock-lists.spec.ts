import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Page, type StockItem, type StockOfSku, useShop } from '../support/shop.ts';

describeOnBothEngines('Stock lists', (engine) => {
  const shop = useShop(engine);
  let north: string;
  let south: string;
  let east: string;

  beforeAll(async () => {
    // Made in another order than that of their ids.
    south = await shop.location({}, 'P-south');
    east = await shop.location({ sellsOnline: false }, 'P-east');
    north = await shop.location({ priority: 1 }, 'P-north');
  });

  describe('GET /v1/stock/{sku}', () => {
    it('shows every location with stock by id, and the totals over them', async () => {
      const sku = await shop.stocked({ [south]: 10, [east]: 5, [north]: 1 });
      await shop.safetyStock(sku, south, 2);
      await shop.reserve([{ sku, quantity: 3, locationId: south }]);
      const paid = await shop.reserve([{ sku, quantity: 1, locationId: east }]);
      await shop.confirm(paid.id);

      const view = bodyOf(await shop.api.get<StockOfSku>(`/v1/stock/${sku}`));

      expect(view.sku).toBe(sku);
      expect(view.totals).toEqual({ onHand: 16, held: 3, committed: 1, incoming: 0, available: 5 + 4 + 1 });
      expect(view.locations.map((item) => item.locationId)).toEqual([east, north, south]);
      for (const item of view.locations) expect(item).toEqual(await shop.stock(sku, item.locationId));
    });

    it('shows a product without stock as zeros', async () => {
      const sku = await shop.product();
      expect(bodyOf(await shop.api.get(`/v1/stock/${sku}`))).toEqual({
        sku,
        totals: { onHand: 0, held: 0, committed: 0, incoming: 0, available: 0 },
        locations: [],
      });
    });

    it('does not know an unknown sku', async () => {
      problemOf(await shop.api.get('/v1/stock/nothing'), 404, 'NOT_FOUND');
    });
  });

  describe('GET /v1/stock', () => {
    const find = (query: string) => allPages<StockItem>(shop.api, `/v1/stock?${query}`);
    const places = (items: readonly StockItem[]) => items.map(({ sku, locationId }) => `${sku}@${locationId}`);

    it('is ordered by sku, then location, whatever the filters and the order in which they are given', async () => {
      const a = await shop.stocked({ [south]: 1, [north]: 1 });
      const b = await shop.stocked({ [south]: 1, [east]: 1 });
      const c = await shop.stocked({ [north]: 1 });

      expect(places(await find(`skus=${c},${b},${a}`))).toEqual([
        `${a}@${north}`,
        `${a}@${south}`,
        `${b}@${east}`,
        `${b}@${south}`,
        `${c}@${north}`,
      ]);
      expect(places(await find(`skus=${b},${a}&locationId=${south}`))).toEqual([`${a}@${south}`, `${b}@${south}`]);
      const everything = places(await find(''));
      expect(everything).toEqual([...everything].sort());
      expect(await allPages(shop.api, '/v1/stock', 1)).toEqual(await find(''));
    });

    it('shows each item as the single read does', async () => {
      const sku = await shop.stocked({ [south]: 4 });
      await shop.reserve([{ sku, quantity: 1 }]);
      expect(await find(`skus=${sku}`)).toEqual([await shop.stock(sku, south)]);
    });

    it('finds low, out and negative items, and only those', async () => {
      const threshold = { lowStockThreshold: 3 };
      const above = await shop.stocked({ [south]: 4 }, threshold);
      const at = await shop.stocked({ [south]: 3 }, threshold);
      const out = await shop.stocked({ [south]: 2 }, threshold);
      const free = await shop.stocked({ [south]: 1 });
      const negative = await shop.stocked({ [south]: 5 });
      await shop.reserve([{ sku: out, quantity: 2 }]);
      await shop.reserve([{ sku: negative, quantity: 5 }]);
      await shop.count(negative, south, 4);
      const skus = [above, at, out, free, negative].join(',');

      expect((await find(`skus=${skus}&state=low`)).map((item) => item.sku)).toEqual([at, out]);
      expect((await find(`skus=${skus}&state=out`)).map((item) => item.sku)).toEqual([out, negative]);
      expect((await find(`skus=${skus}&state=negative`)).map((item) => item.sku)).toEqual([negative]);
      expect(await find(`skus=${skus}&state=low&locationId=${north}`)).toEqual([]);
    });

    it('follows the threshold when the product changes it', async () => {
      const sku = await shop.stocked({ [south]: 4 }, { lowStockThreshold: 3 });
      const low = async () => (await find(`skus=${sku}&state=low`)).length;
      expect(await low()).toBe(0);
      await shop.api.put(`/v1/products/${sku}`, { name: 'x', lowStockThreshold: 4 });
      expect(await low()).toBe(1);
      await shop.api.put(`/v1/products/${sku}`, { name: 'x' });
      expect(await low()).toBe(0);
    });

    it('finds skus that are named like what objects are born with', async () => {
      for (const sku of ['__proto__', 'constructor', 'valueOf']) {
        await shop.product({}, sku);
        await shop.receive(sku, south, 2);
        const held = await shop.reserve([{ sku, quantity: 1 }]);
        await shop.update(held.id, [{ sku, quantity: 2 }]);
        expect(await shop.stock(sku, south)).toMatchObject({ sku, onHand: 2, held: 2, available: 0 });
      }
      expect(places(await find('skus=valueOf,__proto__,constructor'))).toEqual([
        `__proto__@${south}`,
        `constructor@${south}`,
        `valueOf@${south}`,
      ]);
    });

    it('pages on under its filters while items are added', async () => {
      const skus = [await shop.stocked({ [south]: 1 }), await shop.stocked({ [south]: 1 })];
      const filter = `locationId=${south}&skus=${skus.join(',')}`;
      const first = bodyOf(await shop.api.get<Page<StockItem>>(`/v1/stock?${filter}&limit=1`));
      await shop.stocked({ [south]: 1 });
      const second = bodyOf(
        await shop.api.get<Page<StockItem>>(`/v1/stock?${filter}&limit=1&cursor=${first.nextCursor}`),
      );
      expect([...first.items, ...second.items].map((item) => item.sku)).toEqual(skus);
      expect(second.nextCursor).toBeNull();
    });

    it('refuses a cursor under other filters', async () => {
      const sku = await shop.stocked({ [south]: 1, [north]: 1 });
      const { nextCursor } = bodyOf(await shop.api.get<Page<StockItem>>(`/v1/stock?skus=${sku}&limit=1`));
      const others = [
        '',
        `skus=${sku}x`,
        `skus=${sku}&state=out`,
        `skus=${sku}&locationId=${south}`,
        `locationId=${south}`,
      ];
      for (const other of others) {
        problemOf(await shop.api.get(`/v1/stock?${other}&cursor=${nextCursor}`), 400, 'VALIDATION_FAILED');
      }
    });

    it.each([
      'state=LOW',
      'state=empty',
      'state=',
      'state=low,out',
      'state=low&state=low',
      'skus=',
      'skus=a,,b',
      'skus=a%20b',
      'skus=a,%00',
      'skus=%ED%A0%80',
      `skus=${'x'.repeat(65)}`,
      'skus=a&skus=b',
      'skus[]=a',
      'locationId=',
      'locationId=a/b',
      'locationId=..',
      'sku=a',
      'page=1',
    ])('refuses ?%s', async (query) => {
      problemOf(await shop.api.get(`/v1/stock?${query}`), 400, 'VALIDATION_FAILED');
    });

    it('finds nothing for what it does not know', async () => {
      expect(await find('skus=nothing')).toEqual([]);
      expect(await find('locationId=nowhere')).toEqual([]);
    });
  });
});
