import { StoreContacts } from '../../src/modules/sync/store-contacts.ts';
import { eventually } from '../support/eventually.ts';
import { changesPath, EventStreamClient, snapshotOf } from '../support/feeds.ts';
import { CAREFUL } from '../support/freshness.ts';
import { useGuardedApp } from '../support/guarded-app.ts';
import { problemOf } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, DIRECT, type Freshness, ShopClient, useShop } from '../support/shop.ts';
import { blockWriting, rowsOf } from '../support/sql.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { StoreClient } from '../support/store-client.ts';

interface Policy {
  readonly locationId: string;
  readonly staleAfterSeconds: number;
  readonly silentAfterSeconds: number;
  readonly staleCautionPercent: number;
  readonly silentCautionPercent: number;
  readonly version: number;
  readonly updatedAt: string | null;
}

const DEFAULTS = { staleAfterSeconds: 60, silentAfterSeconds: 900, staleCautionPercent: 0, silentCautionPercent: 0 };
/** Stale after a second, so that a sign of life comes every quarter of one. */
const NERVOUS = { ...CAREFUL, staleAfterSeconds: 1 };

const policyPath = (locationId: string): string => `/v1/sync/stores/${locationId}/policy`;

describeOnBothEngines('The policy of a store', (engine) => {
  const shop = useShop(engine);

  const get = async (locationId: string) => bodyOf(await shop.api.get<Policy>(policyPath(locationId)));
  const tryPut = (locationId: string, body: object, headers: Record<string, string> = {}) =>
    shop.api.put<Policy>(policyPath(locationId), body, { headers });
  const put = async (locationId: string, body: object) => bodyOf(await tryPut(locationId, body));

  it('is the default, at version 0, until something is ordered', async () => {
    const place = await shop.location();
    const answer = await shop.api.get(policyPath(place));
    expect(bodyOf(answer)).toEqual({ locationId: place, ...DEFAULTS, version: 0, updatedAt: null });
    expect(answer.headers.etag).toBe('"0"');
    problemOf(await shop.api.get(policyPath('nowhere')), 404, 'NOT_FOUND');
    problemOf(await tryPut('nowhere', CAREFUL), 404, 'NOT_FOUND');
  });

  it('is what was ordered last, and the same again is no change', async () => {
    const place = await shop.location();
    const ordered = { locationId: place, ...CAREFUL, version: 1, updatedAt: shop.clock.iso() };
    expect(await put(place, CAREFUL)).toEqual(ordered);
    shop.clock.advanceSeconds(1);
    expect(await put(place, CAREFUL)).toEqual(ordered);
    expect(await get(place)).toEqual(ordered);
    const other = { ...CAREFUL, staleCautionPercent: 21 };
    expect(await put(place, other)).toEqual({ ...ordered, ...other, version: 2, updatedAt: shop.clock.iso() });
  });

  it.each([
    [{}, {}],
    [{ staleCautionPercent: 7 }, { staleCautionPercent: 7 }],
    [{ staleAfterSeconds: 10 }, { staleAfterSeconds: 10 }],
    // What is left out gives way.
    [{ staleAfterSeconds: 1_000 }, { staleAfterSeconds: 1_000, silentAfterSeconds: 1_000 }],
    [{ silentAfterSeconds: 30 }, { staleAfterSeconds: 30, silentAfterSeconds: 30 }],
    [
      { staleAfterSeconds: 5, silentAfterSeconds: 5 },
      { staleAfterSeconds: 5, silentAfterSeconds: 5 },
    ],
  ])('makes of %j the defaults and %j', async (body, different) => {
    expect(await put(await shop.location(), body)).toMatchObject({ ...DEFAULTS, ...different, version: 1 });
  });

  it.each([
    [{ staleAfterSeconds: 0 }, 'staleAfterSeconds'],
    [{ staleAfterSeconds: 2_592_001 }, 'staleAfterSeconds'],
    [{ silentAfterSeconds: 1.5 }, 'silentAfterSeconds'],
    [{ staleAfterSeconds: 61, silentAfterSeconds: 60 }, 'silentAfterSeconds'],
    [{ staleCautionPercent: 101 }, 'staleCautionPercent'],
    [{ silentCautionPercent: -1 }, 'silentCautionPercent'],
    [{ silentCautionPercent: '5' }, 'silentCautionPercent'],
    [{ staleAfterSeconds: null }, 'staleAfterSeconds'],
    [{ safetyStock: 1 }, 'safetyStock'],
  ])('refuses %j', async (body, field) => {
    const place = await shop.location();
    const { errors } = problemOf(await tryPut(place, body), 400, 'VALIDATION_FAILED');
    expect(errors).toMatchObject([{ field }]);
    expect((await get(place)).version).toBe(0);
  });

  it('honours If-Match and If-None-Match', async () => {
    const place = await shop.location();
    expect((await tryPut(place, CAREFUL, { 'if-match': '"0"' })).headers.etag).toBe('"1"');
    problemOf(await tryPut(place, {}, { 'if-match': '"0"' }), 412, 'VERSION_MISMATCH');
    expect(await get(place)).toMatchObject(CAREFUL);
    expect((await shop.api.get(policyPath(place), { 'if-none-match': '"1"' })).status).toBe(304);
    // What was refused has told nobody, either.
    const sku = await shop.stocked({ [place]: 10 });
    const store = await StoreClient.open(shop.api, place);
    await store.push([store.event(1, 'receipt', { sku, quantity: 10 })]);
    shop.clock.advanceSeconds(10);
    expect(await shop.stock(sku, place)).toMatchObject({ available: 16, freshness: { status: 'STALE' } });
  });
});

describeOnBothEngines('A store that is heard from', (engine) => {
  const shop = useShop(engine);
  let sku: string;

  beforeAll(async () => {
    sku = await shop.product();
  });

  async function order(locationId: string, policy: object): Promise<void> {
    bodyOf(await shop.api.put(policyPath(locationId), policy));
  }

  /** A store that has reported ten units. */
  async function aStore(policy: object = CAREFUL): Promise<StoreClient> {
    const place = await shop.location();
    await order(place, policy);
    const store = await StoreClient.open(shop.api, place);
    await store.push([store.event(1, 'receipt', { sku, quantity: 10 })]);
    return store;
  }

  const freshness = async ({ locationId }: { locationId: string }): Promise<Freshness> =>
    (await shop.stock(sku, locationId)).freshness;
  const status = async (store: { locationId: string }) => (await freshness(store)).status;
  const poll = (store: StoreClient, query: Record<string, string | number> = {}) =>
    shop.api.get(changesPath(store.locationId, query));
  const contacts = async ({ locationId }: StoreClient): Promise<number> => {
    const sql = `SELECT version FROM location_freshness WHERE location_id = '${locationId}'`;
    return Number((await rowsOf<{ version: number }>(shop.app.databaseUrl, sql))[0]?.version);
  };

  it('is DIRECT until it pushes, and then says through which event the stock is known', async () => {
    const place = await shop.location();
    await order(place, CAREFUL);
    const store = await StoreClient.open(shop.api, place);
    await poll(store);
    shop.clock.advanceSeconds(100);
    expect(await freshness(store)).toEqual(DIRECT);

    const later = store.event(2, 'receipt', { sku, quantity: 1 });
    await store.push([later]);
    const asOf = shop.clock.iso();
    expect(await freshness(store)).toEqual({ status: 'LIVE', lastSequence: 0, asOf, lagSeconds: 0 });
    shop.clock.advanceSeconds(1);
    await store.push([store.event(1, 'receipt', { sku, quantity: 10 })]);
    expect(await shop.stock(sku, place)).toMatchObject({
      onHand: 11,
      freshness: { lastSequence: 2, asOf: shop.clock.iso() },
    });
    const since = shop.clock.iso();
    shop.clock.advanceSeconds(1);
    await store.push([later]);
    expect(await freshness(store)).toEqual({ status: 'LIVE', lastSequence: 2, asOf: since, lagSeconds: 0 });
  });

  it('counts from 1 again after it was replaced', async () => {
    const store = await aStore();
    shop.clock.advanceSeconds(60);
    expect(await status(store)).toBe('SILENT');
    const next = await StoreClient.open(shop.api, store.locationId);
    expect(await freshness(store)).toMatchObject({ status: 'LIVE', lastSequence: 0, lagSeconds: 0 });
    await next.push([next.event(1, 'sale', { sku, quantity: 1 })]);
    expect(await freshness(store)).toMatchObject({ status: 'LIVE', lastSequence: 1 });
  });

  it('is LIVE again with its next call, whichever of them that is, and what it gets to read knows of it', async () => {
    const store = await aStore();
    const repeat = store.event(2, 'sale', { sku, quantity: 1 });
    const calls = [
      () => store.push([repeat]),
      () => store.push([repeat]),
      () => poll(store),
      () => poll(store, { after: '0' }),
      () => poll(store, { waitSeconds: 1, after: '0' }),
      () => StoreClient.open(shop.api, store.locationId),
    ];
    for (const call of calls) {
      shop.clock.advanceSeconds(10);
      expect(await status(store)).toBe('STALE');
      await call();
      expect(await freshness(store)).toMatchObject({ status: 'LIVE', lagSeconds: 0 });
    }
  });

  it('is not heard from by calls that are refused, nor by what others ask about it', async () => {
    const store = await aStore();
    await StoreClient.open(shop.api, store.locationId);
    shop.clock.advanceSeconds(10);
    problemOf(await store.send({ epoch: 1, events: [store.event(2, 'sale', {})] }), 409, 'STALE_EPOCH');
    problemOf(await store.send({ epoch: 3, events: [store.event(2, 'sale', {})] }), 400, 'VALIDATION_FAILED');
    problemOf(await store.send({ epoch: 2, events: [] }), 400, 'VALIDATION_FAILED');
    problemOf(await poll(store, { after: '9007199254740991' }), 410, 'CURSOR_GONE');
    problemOf(await poll(store, { after: 'x' }), 400, 'VALIDATION_FAILED');
    await snapshotOf(shop.api, store.locationId);
    await shop.api.get(policyPath(store.locationId));
    expect(await freshness(store)).toMatchObject({ status: 'STALE', lagSeconds: 10 });
  });

  it('stays LIVE while it listens: at a poll that waits, and on a stream', async () => {
    const [polling, streaming, hungUp] = [await aStore(NERVOUS), await aStore(NERVOUS), await aStore(NERVOUS)];
    const { cursor } = bodyOf(await shop.api.get<{ cursor: string }>(changesPath(polling.locationId)));
    const waiting = poll(polling, { after: cursor, waitSeconds: 30 });
    const open = (store: StoreClient) =>
      EventStreamClient.open(shop.app, `/v1/sync/stores/${store.locationId}/changes/stream`);
    const [stream, cut] = [await open(streaming), await open(hungUp)];
    await Promise.all([stream.opened(), cut.opened()]);
    cut.close();
    for (let times = 0; times < 3; times += 1) {
      shop.clock.advanceSeconds(100);
      await eventually('a sign of life of both', async () => {
        return (await status(polling)) === 'LIVE' && (await status(streaming)) === 'LIVE';
      });
    }
    expect(await status(hungUp)).toBe('SILENT');
    stream.close();
    await shop.count(sku, polling.locationId, 5);
    expect((await waiting).status).toBe(200);
  });

  it('is heard in time from when its bound is lowered, although it just listens', async () => {
    const store = await aStore(CAREFUL);
    const stream = await EventStreamClient.open(shop.app, `/v1/sync/stores/${store.locationId}/changes/stream`);
    await stream.opened();
    await order(store.locationId, NERVOUS);
    shop.clock.advanceSeconds(100);
    await eventually('a sign of life', async () => (await status(store)) === 'LIVE');
    stream.close();
  });

  it('is noted about once a second, however often it calls', async () => {
    const store = await aStore({});
    const before = await contacts(store);
    for (let times = 0; times < 50; times += 1) await poll(store);
    expect((await contacts(store)) - before).toBeLessThanOrEqual(4);
  });

  it('is answered although its contact cannot be stored now, which is made up for', async () => {
    const store = await aStore();
    shop.clock.advanceSeconds(10);
    const unblock = await blockWriting(shop.app.databaseUrl);
    try {
      expect((await poll(store)).status).toBe(200);
      expect(await status(store)).toBe('STALE');
    } finally {
      await unblock();
    }
    await eventually('the contact to be stored', async () => (await status(store)) === 'LIVE');
  });
});

describeOnBothEngines('Where keys are asked for', (engine) => {
  const app = useGuardedApp(engine);

  it('a store is heard from by what its own key asks, and not by an operator who looks', async () => {
    const { admin, running } = app.it;
    const shop = new ShopClient(admin);
    const [place, sku] = [await shop.location(), await shop.product()];
    const agent = await app.it.as({ role: 'store', locationId: place });
    const store = await StoreClient.open(agent, place);
    await store.push([store.event(1, 'receipt', { sku, quantity: 1 })]);
    running.clock.advanceSeconds(70);
    bodyOf(await admin.get(changesPath(place, { waitSeconds: 1, after: '0' })));
    expect((await shop.stock(sku, place)).freshness.status).toBe('STALE');
    bodyOf(await agent.get(changesPath(place)));
    expect((await shop.stock(sku, place)).freshness.status).toBe('LIVE');
    problemOf(await agent.put(policyPath(place), CAREFUL), 403, 'FORBIDDEN');
    expect(bodyOf(await agent.get<Policy>(policyPath(place)))).toMatchObject(DEFAULTS);
  });
});

describeOnBothEngines('What is kept of contacts', (engine) => {
  let app: RunningApp;

  beforeEach(async () => {
    app = await startApp(engine, { SYNC_CONTACT_WRITE_MS: '60000' });
    for (const place of ['S1', 'S2', 'S3']) await app.api.put(`/v1/locations/${place}`, { name: place, kind: 'STORE' });
  });

  afterEach(() => app.close());

  it('is stored before the server stops', async () => {
    await app.api.get(changesPath('S1'));
    app.clock.advanceSeconds(7);
    await app.api.get(changesPath('S1'));
    await app.app.get(StoreContacts, { strict: false }).onModuleDestroy();
    const sql = 'SELECT last_contact_at AS "at" FROM location_freshness';
    const [row] = await rowsOf<{ at: number }>(app.databaseUrl, sql);
    expect(new Date(Number(row?.at)).toISOString()).toBe(app.clock.iso());
  });

  it('is measured, of every store that pushes', async () => {
    for (const place of ['S1', 'S2']) {
      const store = await StoreClient.open(app.api, place);
      await store.push([store.event(1, 'sale', { sku: 'A', quantity: 1 })]);
      app.clock.advanceSeconds(100);
    }
    await app.api.get(changesPath('S3'));
    app.clock.advanceSeconds(850);
    const { text } = await app.api.get('/metrics');
    const lines = text.split('\n').filter((line) => /^sync_store(s|_lag_seconds){/.test(line));
    expect(lines.sort()).toEqual([
      'sync_store_lag_seconds{store="S1"} 1050',
      'sync_store_lag_seconds{store="S2"} 950',
      'sync_stores{status="LIVE"} 0',
      'sync_stores{status="SILENT"} 2',
      'sync_stores{status="STALE"} 0',
    ]);
  });
});
