import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, type Page, type Transfer, useShop } from '../support/shop.ts';

describeOnBothEngines('The list of transfers', (engine) => {
  const shop = useShop(engine);
  const places: string[] = [];
  const skus: string[] = [];

  beforeAll(async () => {
    for (let i = 0; i < 3; i++) places.push(await shop.location());
    for (let i = 0; i < 2; i++) skus.push(await shop.stocked(Object.fromEntries(places.map((place) => [place, 500]))));
  });

  const find = (query: string) => allPages<Transfer>(shop.api, `/v1/transfers?${query}`);
  const ids = (items: readonly Transfer[]) => items.map((one) => one.id);

  async function dispatch(sku = 0, from = 0, to = 1): Promise<string> {
    shop.clock.advanceSeconds(1);
    return (await shop.dispatch(skus[sku] ?? '', places[from] ?? '', places[to] ?? '', 1)).id;
  }

  it('is newest first, and shows each transfer as the single read does', async () => {
    const made = [await dispatch(), await dispatch(1, 2, 0), await dispatch()];
    const found = await find('');
    expect(ids(found).slice(0, 3)).toEqual([...made].reverse());
    expect(found[1]).toEqual(await shop.transfer(made[1] ?? ''));
  });

  it('is found by status, sku, source and target, alone and together', async () => {
    const one = await dispatch(0, 0, 1);
    const two = await dispatch(1, 0, 2);
    const three = await dispatch(1, 1, 2);
    const four = await dispatch(1, 0, 2);
    await shop.end('receive', two, { quantity: 0 });
    await shop.end('cancel', three);
    const [first, second, third] = places;
    const expected: Record<string, string[]> = {
      [`sku=${skus[1]}`]: [four, three, two],
      [`sku=${skus[0]}`]: [one],
      [`fromLocationId=${first}`]: [four, two, one],
      [`fromLocationId=${second}`]: [three],
      [`toLocationId=${third}`]: [four, three, two],
      'status=IN_TRANSIT': [four, one],
      'status=RECEIVED': [two],
      'status=CANCELLED': [three],
      [`status=IN_TRANSIT&toLocationId=${third}`]: [four],
      [`status=IN_TRANSIT&fromLocationId=${first}`]: [four, one],
      [`status=RECEIVED&sku=${skus[1]}&fromLocationId=${first}&toLocationId=${third}`]: [two],
      'sku=nothing': [],
      'toLocationId=nowhere': [],
      [`fromLocationId=${String(first).toUpperCase()}`]: [],
    };
    for (const [query, wanted] of Object.entries(expected)) {
      const found = ids(await find(query)).filter((id) => id >= one);
      expect([query, found]).toEqual([query, wanted]);
    }
  });

  it('pages on without a gap or a repeat while transfers are added', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift(await dispatch(0, 2, 1));
    const query = `sku=${skus[0]}&fromLocationId=${places[2]}`;
    const page = async (cursor: string) =>
      bodyOf(await shop.api.get<Page<Transfer>>(`/v1/transfers?${query}&limit=2${cursor}`));

    const first = await page('');
    await dispatch(0, 2, 1);
    await shop.end('cancel', made[4] ?? '');
    const second = await page(`&cursor=${first.nextCursor}`);
    const third = await page(`&cursor=${second.nextCursor}`);

    expect([first, second, third].flatMap(({ items }) => ids(items))).toEqual(made);
    expect(third.nextCursor).toBeNull();
  });

  it('refuses a cursor under other filters', async () => {
    await dispatch();
    await dispatch();
    const { nextCursor } = bodyOf(await shop.api.get<Page<Transfer>>('/v1/transfers?status=IN_TRANSIT&limit=1'));
    for (const query of ['', 'status=RECEIVED', `status=IN_TRANSIT&sku=${skus[0]}`]) {
      problemOf(await shop.api.get(`/v1/transfers?${query}&cursor=${nextCursor}`), 400, 'VALIDATION_FAILED');
    }
    problemOf(await shop.api.get(`/v1/reservations?cursor=${nextCursor}`), 400, 'VALIDATION_FAILED');
    expect((await shop.api.get(`/v1/transfers?cursor=${nextCursor}&limit=9&status=IN_TRANSIT`)).status).toBe(200);
  });

  it.each([
    'status=in_transit',
    'status=',
    'status=IN_TRANSIT,RECEIVED',
    'status=RECEIVED&status=CANCELLED',
    'sku=',
    'sku=a%20b',
    `fromLocationId=${'l'.repeat(65)}`,
    'toLocationId=..',
    'locationId=a',
    'limit=0',
    'limit=201',
    'cursor=zzz',
    'sku=%00',
  ])('refuses ?%s', async (query) => {
    problemOf(await shop.api.get(`/v1/transfers?${query}`), 400, 'VALIDATION_FAILED');
  });
});
