import { allPages, bodyOf, DIRECT, type Freshness, useShop } from '../support/shop.ts';
import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { StoreClient } from '../support/store-client.ts';

interface Store {
  readonly locationId: string;
  readonly epoch: number;
  readonly nextSequence: number;
  readonly missing: readonly { from: number; to: number; since: string }[];
  readonly lagSeconds: number | null;
  readonly parked: number;
  readonly dead: number;
  readonly conflicts: number;
  readonly drift: number;
  readonly freshness: Freshness;
}

interface Conflict {
  readonly eventId: string;
  readonly sequence: number;
  readonly contradicts: string;
  readonly data: unknown;
}

describeOnBothEngines('A store', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let sku: string;
  let store: StoreClient;

  beforeEach(async () => {
    place = await shop.location();
    sku = await shop.stocked({ [place]: 10 });
    store = await StoreClient.open(shop.api, place, () => shop.clock.iso());
  });

  const read = async (of = place): Promise<Store> => bodyOf(await shop.api.get<Store>(`/v1/sync/stores/${of}`));
  const sale = (sequence: number): object => store.event(sequence, 'sale', { sku, quantity: 1 });

  it('tells what is missing and since when, what waits, what is dead, and how long it was silent', async () => {
    await store.push([sale(1), store.event(2, 'sale', { sku, quantity: 0 }), sale(5)]);
    const since = shop.clock.iso();
    shop.clock.advanceSeconds(60);
    await store.push([sale(9)]);
    const later = shop.clock.iso();
    shop.clock.advanceSeconds(2.5);
    expect(await read()).toEqual({
      locationId: place,
      epoch: 1,
      nextSequence: 3,
      missing: [
        { from: 3, to: 4, since },
        { from: 6, to: 8, since: later },
      ],
      lagSeconds: 2.5,
      parked: 2,
      dead: 1,
      conflicts: 0,
      drift: 0,
      freshness: { status: 'LIVE', lastSequence: 2, asOf: later, lagSeconds: 2 },
    });
    await store.push([sale(3), sale(4)]);
    expect(await read()).toMatchObject({ nextSequence: 6, missing: [{ from: 6, to: 8 }], parked: 1, lagSeconds: 0 });
  });

  it('whose hole is never filled goes on in a new epoch', async () => {
    await store.push([sale(3)]);
    await StoreClient.open(shop.api, place);
    expect(await read()).toMatchObject({ epoch: 2, nextSequence: 1, missing: [], parked: 0, dead: 1 });
  });

  it('that never reported is at epoch 0; a location that is not there is not found', async () => {
    const quiet = await shop.location();
    expect(await read(quiet)).toEqual({
      locationId: quiet,
      epoch: 0,
      nextSequence: 1,
      missing: [],
      lagSeconds: null,
      parked: 0,
      dead: 0,
      conflicts: 0,
      drift: 0,
      freshness: DIRECT,
    });
    problemOf(await shop.api.get('/v1/sync/stores/nowhere'), 404, 'NOT_FOUND');
    problemOf(await shop.api.get('/v1/sync/stores/nowhere/conflicts'), 404, 'NOT_FOUND');
  });

  it('stands in the list with the others that have reported, by id', async () => {
    const other = await shop.location();
    await StoreClient.open(shop.api, other);
    const stores = await allPages<Store>(shop.api, '/v1/sync/stores', 1);
    const ids = stores.map(({ locationId }) => locationId);
    expect(ids).toEqual([...ids].sort());
    expect(ids).toEqual(expect.arrayContaining([place, other]));
  });

  it('keeps its conflicts for review, each once, and counts them', async () => {
    const first = store.event(1, 'sale', { sku, quantity: 1 });
    await store.push([first]);
    const contradiction = { ...first, data: { sku, quantity: 2 } };
    const squatter = store.event(1, 'return', { sku, quantity: 7 });
    await store.push([contradiction, squatter]);
    shop.clock.advanceSeconds(1);
    await store.push([contradiction, { ...first, type: 'theft' }]);
    const conflicts = await allPages<Conflict>(shop.api, `/v1/sync/stores/${place}/conflicts`, 1);
    expect(conflicts).toHaveLength(3);
    expect(conflicts.slice(0, 2)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ eventId: first.id, contradicts: 'ID', data: { sku, quantity: 2 } }),
        expect.objectContaining({ eventId: squatter.id, contradicts: 'SEQUENCE', data: { sku, quantity: 7 } }),
      ]),
    );
    expect(conflicts[2]).toMatchObject({ contradicts: 'ID', type: 'theft' });
    expect(await read()).toMatchObject({ conflicts: 3 });
  });

  it('has no more than 1,000 conflicts kept, and all of them counted', async () => {
    const first = store.event(1, 'sale', { sku, quantity: 1 });
    await store.push([first]);
    const contradictions = (from: number): object[] =>
      Array.from({ length: 600 }, (_, n) => ({ ...first, data: { sku, quantity: from + n } }));
    await store.push(contradictions(2));
    await store.push(contradictions(602));
    expect(await read()).toMatchObject({ conflicts: 1200 });
    expect(await allPages(shop.api, `/v1/sync/stores/${place}/conflicts`)).toHaveLength(1000);
  });

  it('is watched by its metrics', async () => {
    await store.push([sale(1), sale(5), store.event(2, 'theft', {})]);
    shop.clock.advanceSeconds(7);
    const { text } = await shop.api.get('/metrics');
    const value = (name: string, more = ''): string | undefined =>
      text
        .split('\n')
        .find((line) => line.startsWith(`${name}{store="${place}"${more}}`))
        ?.split(' ')[1];
    expect(value('sync_parked_events')).toBe('1');
    expect(value('sync_missing_events')).toBe('2');
    expect(value('sync_store_lag_seconds')).toBe('7');
    expect(value('sync_dead_events')).toBe('1');
    expect(value('sync_store_events_total', ',outcome="applied"')).toBe('1');
    expect(value('sync_store_events_total', ',outcome="dead"')).toBe('1');
    expect(value('sync_store_events_total', ',outcome="parked"')).toBe('1');
  });
});
