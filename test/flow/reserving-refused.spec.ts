import { type Problem, problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { type Line, useShop } from '../support/shop.ts';

describeOnBothEngines('A reservation that cannot be had', (engine) => {
  const shop = useShop(engine);
  let near: string;
  let far: string;
  let offline: string;

  beforeAll(async () => {
    near = await shop.location({ priority: 1 });
    far = await shop.location({ priority: 2 });
    offline = await shop.location({ sellsOnline: false });
  });

  async function refusal(lines: readonly Line[], more: object = {}): Promise<Problem> {
    return problemOf(await shop.tryReserve(lines, more), 409, 'INSUFFICIENT_STOCK');
  }

  it('names every short line and where else the units are, and holds nothing of the others', async () => {
    const plenty = await shop.stocked({ [near]: 9 });
    const short = await shop.stocked({ [near]: 2, [far]: 7, [offline]: 7 });
    const none = await shop.product();
    const before = await shop.everything();

    const problem = await refusal([
      { sku: plenty, quantity: 1, locationId: near },
      { sku: short, quantity: 3, locationId: near },
      { sku: none, quantity: 1 },
    ]);

    expect(problem.shortages).toEqual([
      { sku: short, locationId: near, requested: 3, available: 2 },
      { sku: none, locationId: null, requested: 1, available: 0 },
    ]);
    expect(problem.alternatives).toContainEqual({ sku: short, locationId: far, available: 7 });
    expect((problem.alternatives as { locationId: string }[]).map((one) => one.locationId)).not.toContain(near);
    expect(await shop.everything()).toEqual(before);
  });

  it('tells the most that an open line could have over all locations that sell online', async () => {
    const sku = await shop.stocked({ [near]: 2, [far]: 3, [offline]: 9 });
    const { shortages } = await refusal([{ sku, quantity: 6 }]);
    expect(shortages).toEqual([{ sku, locationId: null, requested: 6, available: 5 }]);
  });

  it('sums lines before it checks them', async () => {
    const sku = await shop.stocked({ [near]: 5 });
    const { shortages } = await refusal([
      { sku, quantity: 3, locationId: near },
      { sku, quantity: 3, locationId: near },
    ]);
    expect(shortages).toEqual([{ sku, locationId: near, requested: 6, available: 5 }]);
    await refusal([
      { sku, quantity: 5 },
      { sku, quantity: 1 },
    ]);
  });

  it('lets a line see what the other lines of its sku take', async () => {
    const sku = await shop.stocked({ [near]: 5 });
    const { shortages } = await refusal([
      { sku, quantity: 3, locationId: near },
      { sku, quantity: 3 },
    ]);
    expect(shortages).toEqual([{ sku, locationId: null, requested: 3, available: 2 }]);
    await shop.reserve([
      { sku, quantity: 3, locationId: near },
      { sku, quantity: 2 },
    ]);
  });

  it('never says that less than nothing is available', async () => {
    const sku = await shop.stocked({ [near]: 5 });
    await shop.reserve([{ sku, quantity: 5 }]);
    await shop.count(sku, near, 1);
    expect((await refusal([{ sku, quantity: 1 }])).shortages).toMatchObject([{ available: 0 }]);
    expect((await refusal([{ sku, quantity: 1, locationId: near }])).shortages).toMatchObject([{ available: 0 }]);
  });

  it('holds nothing new of an inactive product, and keeps what was held', async () => {
    const sku = await shop.stocked({ [near]: 9 });
    const held = await shop.reserve([{ sku, quantity: 3 }]);
    await shop.api.put(`/v1/products/${sku}`, { name: 'gone', active: false });

    expect((await refusal([{ sku, quantity: 1 }])).shortages).toEqual([
      { sku, locationId: null, requested: 1, available: 0 },
    ]);
    const grow = problemOf(await shop.tryUpdate(held.id, [{ sku, quantity: 4 }]), 409, 'INSUFFICIENT_STOCK');
    expect(grow.shortages).toEqual([{ sku, locationId: null, requested: 4, available: 3 }]);
    await shop.update(held.id, [{ sku, quantity: 3 }]);
    await shop.update(held.id, [{ sku, quantity: 2 }]);
    problemOf(await shop.tryUpdate(held.id, [{ sku, quantity: 3 }]), 409, 'INSUFFICIENT_STOCK');
    await shop.refresh(held.id);
    await shop.confirm(held.id);
    expect((await shop.fulfil(held.id)).status).toBe('FULFILLED');
  });

  it('refuses unknown skus and locations, before the cart and before the stock', async () => {
    const sku = await shop.stocked({ [near]: 1 });
    const cartId = shop.name('cart');
    await shop.reserve([{ sku, quantity: 1 }], { cartId });

    problemOf(await shop.tryReserve([{ sku: 'nothing', quantity: 1 }]), 422, 'UNKNOWN_PRODUCT');
    problemOf(await shop.tryReserve([{ sku, quantity: 1, locationId: 'nowhere' }]), 422, 'UNKNOWN_LOCATION');
    problemOf(
      await shop.tryReserve([{ sku: 'nothing', quantity: 1, locationId: near }], { cartId }),
      422,
      'UNKNOWN_PRODUCT',
    );
    const lines = [
      { sku, quantity: 99 },
      { sku, quantity: 1, locationId: 'nowhere' },
    ];
    problemOf(await shop.tryReserve(lines, { cartId }), 422, 'UNKNOWN_LOCATION');
  });

  describe('because its cart has one already', () => {
    it('names that one, before it looks at stock', async () => {
      const sku = await shop.stocked({ [near]: 9 });
      const cartId = shop.name('cart');
      const { id } = await shop.reserve([{ sku, quantity: 1 }], { cartId });

      for (const quantity of [1, 99]) {
        const answer = await shop.tryReserve([{ sku, quantity }], { cartId });
        expect(problemOf(answer, 409, 'CART_ALREADY_RESERVED').reservationId).toBe(id);
      }
      expect((await shop.stock(sku, near)).held).toBe(1);
    });

    it('and is had once the cart is free: paid, cancelled or over', async () => {
      const sku = await shop.stocked({ [near]: 9 });
      const cartId = shop.name('cart');
      await shop.confirm((await shop.reserve([{ sku, quantity: 1 }], { cartId })).id);
      await shop.cancel((await shop.reserve([{ sku, quantity: 1 }], { cartId })).id);
      const last = await shop.reserve([{ sku, quantity: 1 }], { cartId });
      shop.clock.set(last.expiresAt);
      await shop.reserve([{ sku, quantity: 1 }], { cartId });
      problemOf(await shop.tryReserve([{ sku, quantity: 1 }], { cartId }), 409, 'CART_ALREADY_RESERVED');
    });

    it('even when the requests come at the same moment', async () => {
      const sku = await shop.stocked({ [near]: 50 });
      const cartId = shop.name('cart');
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => shop.tryReserve([{ sku, quantity: 1 }], { cartId })),
      );
      expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        problemOf(answer, 409, 'CART_ALREADY_RESERVED');
      }
      expect((await shop.stock(sku, near)).held).toBe(1);
    });
  });

  describe('because it is malformed', () => {
    const sku = 'a';
    it.each<[string, unknown, string]>([
      ['no lines', {}, 'lines'],
      ['null for lines', { lines: null }, 'lines'],
      ['an empty list', { lines: [] }, 'lines'],
      ['an object for lines', { lines: { sku, quantity: 1 } }, 'lines'],
      ['101 lines', { lines: Array.from({ length: 101 }, (_, i) => ({ sku: `s${i}`, quantity: 1 })) }, 'lines'],
      ['null for a line', { lines: [null] }, 'lines[0]'],
      ['a number for a line', { lines: [1] }, 'lines[0]'],
      ['a list for a line', { lines: [[]] }, 'lines[0]'],
      ['a line without sku', { lines: [{ quantity: 1 }] }, 'lines[0].sku'],
      ['a line without quantity', { lines: [{ sku }] }, 'lines[0].quantity'],
      ['a quantity of 0', { lines: [{ sku, quantity: 0 }] }, 'lines[0].quantity'],
      ['a quantity as text', { lines: [{ sku, quantity: '1' }] }, 'lines[0].quantity'],
      ['half a unit', { lines: [{ sku, quantity: 0.5 }] }, 'lines[0].quantity'],
      ['1,000,001 units', { lines: [{ sku, quantity: 1_000_001 }] }, 'lines[0].quantity'],
      [
        'the second line wrong',
        {
          lines: [
            { sku, quantity: 1 },
            { sku: '', quantity: 1 },
          ],
        },
        'lines[1].sku',
      ],
      ['a location id with a space', { lines: [{ sku, quantity: 1, locationId: 'a b' }] }, 'lines[0].locationId'],
      ['an unknown field in a line', { lines: [{ sku, quantity: 1, price: 1 }] }, 'lines[0].price'],
      ['an unknown field', { lines: [{ sku, quantity: 1 }], orderId: 'x' }, 'orderId'],
      ['a time-to-live of 0', { lines: [{ sku, quantity: 1 }], ttlSeconds: 0 }, 'ttlSeconds'],
      ['a time-to-live of 14,401', { lines: [{ sku, quantity: 1 }], ttlSeconds: 14_401 }, 'ttlSeconds'],
      ['a time-to-live as text', { lines: [{ sku, quantity: 1 }], ttlSeconds: '60' }, 'ttlSeconds'],
      ['a cart id that is too long', { lines: [{ sku, quantity: 1 }], cartId: 'c'.repeat(65) }, 'cartId'],
      ['a cart id that is no text', { lines: [{ sku, quantity: 1 }], cartId: 5 }, 'cartId'],
    ])('%s', async (_what, body, field) => {
      const problem = problemOf(await shop.api.post('/v1/reservations', body), 400, 'VALIDATION_FAILED');
      expect((problem.errors as { field: string }[]).map((error) => error.field)).toContain(field);
    });

    it('tells all that is wrong in one answer', async () => {
      const body = {
        lines: [
          { sku: 'a b', quantity: 0 },
          { quantity: 1, x: 1 },
        ],
        ttlSeconds: -1,
        cartId: '',
      };
      const problem = problemOf(await shop.api.post('/v1/reservations', body), 400, 'VALIDATION_FAILED');
      const fields = new Set((problem.errors as { field: string }[]).map((error) => error.field));
      expect([...fields].sort()).toEqual([
        'cartId',
        'lines[0].quantity',
        'lines[0].sku',
        'lines[1].sku',
        'lines[1].x',
        'ttlSeconds',
      ]);
    });
  });
});
