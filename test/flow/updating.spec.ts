import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allocationsOf, useShop } from '../support/shop.ts';

describeOnBothEngines('Updating the lines of a reservation', (engine) => {
  const shop = useShop(engine);
  let first: string;
  let second: string;
  let third: string;

  beforeAll(async () => {
    first = await shop.location({ priority: 1 });
    second = await shop.location({ priority: 2 });
    third = await shop.location({ priority: 3 });
  });

  it('counts its own units as available to it: the last unit stays', async () => {
    const sku = await shop.stocked({ [first]: 5 });
    const made = await shop.reserve([{ sku, quantity: 5 }]);

    const same = await shop.update(made.id, [{ sku, quantity: 5 }]);

    expect(same.lines).toEqual(made.lines);
    expect(same).toMatchObject({ id: made.id, status: 'ACTIVE', version: 2, createdAt: made.createdAt });
    expect(await shop.stock(sku, first)).toMatchObject({ held: 5, available: 0 });
  });

  it('holds only the difference when a line grows, and gives only the difference back when it shrinks', async () => {
    const sku = await shop.stocked({ [first]: 10 });
    const { id } = await shop.reserve([{ sku, quantity: 4 }]);
    await shop.reserve([{ sku, quantity: 3 }]);

    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 7 }]))).toEqual([{ [first]: 7 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 10, available: 0 });
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 2 }]))).toEqual([{ [first]: 2 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 5, available: 5 });
  });

  it('adds, drops and swaps products in one step', async () => {
    const a = await shop.stocked({ [first]: 2 });
    const b = await shop.stocked({ [first]: 2 });
    const c = await shop.stocked({ [first]: 2 });
    const { id } = await shop.reserve([
      { sku: a, quantity: 2 },
      { sku: b, quantity: 1 },
    ]);

    const updated = await shop.update(id, [
      { sku: b, quantity: 2 },
      { sku: c, quantity: 1 },
    ]);

    expect(updated.lines.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      [b, 2],
      [c, 1],
    ]);
    expect((await shop.stock(a, first)).held).toBe(0);
    expect((await shop.stock(b, first)).held).toBe(2);
    expect((await shop.stock(c, first)).held).toBe(1);
  });

  it('renews the time-to-live: as it was made with, or as asked', async () => {
    const sku = await shop.stocked({ [first]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 120 });
    shop.clock.advanceSeconds(60);
    const renewed = await shop.update(id, [{ sku, quantity: 2 }]);
    expect(renewed).toMatchObject({ expiresAt: shop.clock.iso(120), updatedAt: shop.clock.iso() });
    expect((await shop.update(id, [{ sku, quantity: 2 }], { ttlSeconds: 30 })).expiresAt).toBe(shop.clock.iso(30));
    expect((await shop.update(id, [{ sku, quantity: 2 }])).expiresAt).toBe(shop.clock.iso(120));
  });

  it('still holds at the old end of the time-to-live', async () => {
    const sku = await shop.stocked({ [first]: 3 });
    const made = await shop.reserve([{ sku, quantity: 3 }]);
    shop.clock.set(made.expiresAt, -1);
    const renewed = await shop.update(made.id, [{ sku, quantity: 3 }]);
    shop.clock.set(made.expiresAt, 1);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 3, available: 0 });
    expect((await shop.tryReserve([{ sku, quantity: 1 }])).status).toBe(409);
    shop.clock.set(renewed.expiresAt);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 0, available: 3 });
  });

  it('leaves held units where they are, though sourcing would now choose another place', async () => {
    const sku = await shop.stocked({ [second]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    await shop.receive(sku, first, 9);

    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 2 }]))).toEqual([{ [second]: 2 }]);
    const grown = allocationsOf(await shop.update(id, [{ sku, quantity: 3 }]));

    expect(grown[0]).toEqual({ [first]: 1, [second]: 2 });
  });

  it('keeps units where they are when the place stops selling online, and takes no more there', async () => {
    const place = await shop.location({ priority: 0 });
    const sku = await shop.stocked({ [place]: 9, [third]: 9 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    await shop.api.put(`/v1/locations/${place}`, { name: 'x', kind: 'STORE', priority: 0, sellsOnline: false });
    const grown = allocationsOf(await shop.update(id, [{ sku, quantity: 5 }]));
    expect(grown[0]).toEqual({ [place]: 2, [third]: 3 });
  });

  it('adds a line for a place that stopped selling online, and leaves the units that an open line has there', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 4 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    await shop.api.put(`/v1/locations/${place}`, { name: 'x', kind: 'STORE', sellsOnline: false });
    const both = await shop.update(id, [
      { sku, quantity: 2 },
      { sku, quantity: 2, locationId: place },
    ]);
    expect(allocationsOf(both)).toEqual([{ [place]: 2 }, { [place]: 2 }]);
    expect(await shop.stock(sku, place)).toMatchObject({ held: 4, available: 0 });
  });

  it('leaves an open line where it is when a line for that place is added, though sourcing would now choose another', async () => {
    const sku = await shop.stocked({ [second]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    await shop.receive(sku, first, 9);
    const both = await shop.update(id, [
      { sku, quantity: 2 },
      { sku, quantity: 3, locationId: second },
    ]);
    expect(allocationsOf(both)).toEqual([{ [second]: 2 }, { [second]: 3 }]);
    expect((await shop.stock(sku, first)).held).toBe(0);
  });

  it('keeps what it has of a product that is no longer sold, while its other lines change', async () => {
    const [gone, other, added] = [
      await shop.stocked({ [first]: 5, [second]: 5 }),
      await shop.stocked({ [first]: 5 }),
      await shop.stocked({ [first]: 5 }),
    ];
    const kept = { sku: gone, quantity: 2 };
    const { id } = await shop.reserve([kept, { sku: other, quantity: 1 }]);
    await shop.api.put(`/v1/products/${gone}`, { name: 'gone', active: false });
    const changed = await shop.update(id, [kept, { sku: other, quantity: 3 }, { sku: added, quantity: 1 }]);
    expect(allocationsOf(changed)).toEqual([{ [first]: 2 }, { [first]: 3 }, { [first]: 1 }]);

    for (const line of [
      { ...kept, quantity: 3 },
      { ...kept, locationId: second },
    ]) {
      problemOf(await shop.tryUpdate(id, [line, { sku: other, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK');
    }
    expect(await shop.reservation(id)).toEqual(changed);
    await shop.update(id, [{ sku: other, quantity: 1 }]);
    problemOf(await shop.tryUpdate(id, [kept, { sku: other, quantity: 1 }]), 409, 'INSUFFICIENT_STOCK');
  });

  it('gives back first what sourcing would choose last', async () => {
    const sku = await shop.stocked({ [first]: 2, [second]: 2, [third]: 2 });
    const { id } = await shop.reserve([{ sku, quantity: 6 }]);
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 5 }]))).toEqual([
      { [first]: 2, [second]: 2, [third]: 1 },
    ]);
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 3 }]))).toEqual([{ [first]: 2, [second]: 1 }]);
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 1 }]))).toEqual([{ [first]: 1 }]);
  });

  it('moves a line that asks for another location', async () => {
    const sku = await shop.stocked({ [first]: 3, [second]: 3 });
    const { id } = await shop.reserve([{ sku, quantity: 3, locationId: first }]);
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 3, locationId: second }]))).toEqual([{ [second]: 3 }]);
    expect((await shop.stock(sku, first)).held).toBe(0);
    expect((await shop.stock(sku, second)).held).toBe(3);
  });

  it('moves no unit when only the order of its lines changes', async () => {
    const sku = await shop.stocked({ [first]: 2, [second]: 3 });
    const lines = [
      { sku, quantity: 2, locationId: first },
      { sku, quantity: 3, locationId: second },
    ];
    const { id } = await shop.reserve(lines);
    expect(allocationsOf(await shop.update(id, [...lines].reverse()))).toEqual([{ [second]: 3 }, { [first]: 2 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 2, available: 0 });
  });

  it('moves nothing when an open line asks for the place where its units are, or the other way round', async () => {
    const sku = await shop.stocked({ [first]: 2, [second]: 9 });
    const { id } = await shop.reserve([{ sku, quantity: 2 }]);
    const before = await shop.stock(sku, first);

    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 2, locationId: first }]))).toEqual([{ [first]: 2 }]);
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 2 }]))).toEqual([{ [first]: 2 }]);

    expect(await shop.stock(sku, first)).toMatchObject({ held: before.held, available: before.available });
    expect((await shop.stock(sku, second)).held).toBe(0);
  });

  it('opens an asked line: its units stay, although the place does not sell online', async () => {
    const offline = await shop.location({ sellsOnline: false });
    const sku = await shop.stocked({ [offline]: 2, [first]: 2 });
    const { id } = await shop.reserve([{ sku, quantity: 2, locationId: offline }]);
    expect(allocationsOf(await shop.update(id, [{ sku, quantity: 2 }]))).toEqual([{ [offline]: 2 }]);
  });

  it('splits a line into an asked and an open one without moving a unit', async () => {
    const sku = await shop.stocked({ [first]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 5 }]);
    const split = await shop.update(id, [
      { sku, quantity: 3 },
      { sku, quantity: 2, locationId: first },
    ]);
    expect(allocationsOf(split)).toEqual([{ [first]: 3 }, { [first]: 2 }]);
    expect(await shop.stock(sku, first)).toMatchObject({ held: 5, available: 0 });
  });

  it('adds lines of one sku and one asked location up here, too', async () => {
    const sku = await shop.stocked({ [first]: 5 });
    const { id } = await shop.reserve([{ sku, quantity: 1 }]);
    const updated = await shop.update(id, [
      { sku, quantity: 2 },
      { sku, quantity: 3 },
    ]);
    expect(updated.lines).toMatchObject([{ sku, quantity: 5, locationId: null }]);
  });

  it('leaves stock as it was when a change is undone', async () => {
    const sku = await shop.stocked({ [first]: 4, [second]: 4 });
    const { id } = await shop.reserve([{ sku, quantity: 4 }]);
    await shop.update(id, [{ sku, quantity: 8 }]);
    await shop.update(id, [{ sku, quantity: 1 }]);
    await shop.update(id, [{ sku, quantity: 4 }]);
    await shop.cancel(id);
    for (const place of [first, second]) {
      expect(await shop.stock(sku, place)).toMatchObject({ onHand: 4, held: 0, available: 4 });
    }
  });
});
