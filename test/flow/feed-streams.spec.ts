import { Lifecycle } from '../../src/shared/operations/lifecycle.ts';
import { Metrics } from '../../src/shared/operations/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { allChangesOf, type Change, changesOf, EventStreamClient, neverRead } from '../support/feeds.ts';
import { useGuardedApp } from '../support/guarded-app.ts';
import { problemOf } from '../support/http.ts';
import { passDays, purge } from '../support/retention.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient, type StockItem, useShop } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { metricValue } from '../support/write-path.ts';

const streamOf = (locationId: string, query = '') => `/v1/sync/stores/${locationId}/changes/stream${query}`;

function openFeeds({ app }: RunningApp, kind: string): Promise<number> {
  return metricValue(app.get(Metrics, { strict: false }), 'sync_open_feeds', { kind });
}

describeOnBothEngines('The stream of a store', (engine) => {
  const shop = useShop(engine, { FEED_HEARTBEAT_MS: '100' });
  let opened: EventStreamClient[] = [];

  afterEach(async () => {
    opened.forEach((client) => {
      client.close();
    });
    opened = [];
    await eventually('all streams to end', async () => (await openFeeds(shop.app, 'changes')) === 0);
  });

  async function open(path: string, headers: Record<string, string> = {}): Promise<EventStreamClient> {
    const client = await EventStreamClient.open(shop.app, path, headers);
    opened.push(client);
    await client.opened();
    return client;
  }

  it('tells the same changes as asking does, each with the cursor behind it', async () => {
    const place = await shop.location();
    const { cursor } = await allChangesOf(shop.api, place);
    const stream = await open(streamOf(place));
    const sku = await shop.stocked({ [place]: 5 });
    await shop.cancel((await shop.reserve([{ sku, quantity: 2 }])).id);
    await stream.has(3);

    const { changes } = await allChangesOf(shop.api, place, cursor);
    expect(stream.events.map(({ data }) => data)).toEqual(changes);
    for (const [index, { id }] of stream.events.entries()) {
      const { changes: left } = await allChangesOf(shop.api, place, id ?? '');
      expect(left).toEqual(changes.slice(index + 1));
    }
  });

  it('begins now, or behind `after`, or behind Last-Event-ID, which goes first', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 1 });
    const { cursor: first } = await allChangesOf(shop.api, place);
    await shop.receive(sku, place, 2);
    const { cursor: second } = await allChangesOf(shop.api, place);
    await shop.receive(sku, place, 3);

    const streams = [
      await open(streamOf(place)),
      await open(streamOf(place, `?after=${first}`)),
      await open(streamOf(place), { 'last-event-id': second }),
      await open(streamOf(place, `?after=${first}`), { 'last-event-id': second }),
      await open(streamOf(place, '?after=0')),
    ];
    await shop.receive(sku, place, 4);

    const deltas = [[4], [2, 3, 4], [3, 4], [3, 4], [1, 2, 3, 4]];
    for (const [index, stream] of streams.entries()) {
      await stream.has(deltas[index]!.length);
      expect(stream.events.map(({ data }) => (data as Change).data.delta)).toEqual(deltas[index]);
    }
  });

  it('says that it is there while nothing happens, and from where to go on while others are concerned', async () => {
    const [place, other] = [await shop.location(), await shop.location()];
    const stream = await open(streamOf(place));
    expect(stream.blocks[0]).toMatchObject({ comment: 'open', retry: '1000', data: null });
    await shop.stocked({ [other]: 1 });
    const { cursor } = await changesOf(shop.api, place);
    await eventually('the cursor to move', () => Promise.resolve(stream.lastId === cursor));
    expect(stream.blocks.every(({ data, comment }) => data === null && comment !== null)).toBe(true);
  });

  it('has headers that keep caches and proxies from holding it back, and none of it for HEAD', async () => {
    const place = await shop.location();
    const { response } = await open(streamOf(place), { 'x-correlation-id': 'follower-1' });
    const expected = {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    };
    expect(response.headers).toMatchObject({ ...expected, 'x-correlation-id': 'follower-1' });
    expect(response.headers['content-encoding']).toBeUndefined();
    for (const path of [streamOf(place), '/v1/streams/stock']) {
      const head = await shop.api.send('HEAD', path);
      expect([head.status, head.text]).toEqual([200, '']);
      expect(head.headers).toMatchObject(expected);
    }
  });

  it('is refused before it begins: a wrong id or query, an unknown location, another media type', async () => {
    const place = await shop.location();
    const get = (path: string, headers: Record<string, string> = {}) => shop.api.get(path, headers);
    const both = problemOf(await get(streamOf(place, '?after=x'), { 'last-event-id': 'y' }), 400, 'VALIDATION_FAILED');
    expect(both.errors).toHaveLength(2);
    problemOf(await get(streamOf(place), { 'last-event-id': '' }), 400, 'VALIDATION_FAILED');
    problemOf(await get('/v1/streams/stock', { 'last-event-id': '1.5' }), 400, 'VALIDATION_FAILED');
    problemOf(await get('/v1/streams/stock?skus=a,,b'), 400, 'VALIDATION_FAILED');
    problemOf(await get(streamOf('nowhere', '?after=999999999')), 404, 'NOT_FOUND');
    problemOf(await get(streamOf(place, '?after=999999999')), 410, 'CURSOR_GONE');
    problemOf(await get(streamOf(place), { 'last-event-id': '999999999' }), 410, 'CURSOR_GONE');
    problemOf(await get(streamOf(place), { accept: 'text/html' }), 406, 'NOT_ACCEPTABLE');
    problemOf(await get('/v1/streams/stock?after=999999999'), 410, 'CURSOR_GONE');
  });

  it('resumes after every cut without a loss and without a repeat', async () => {
    const place = await shop.location();
    const sku = await shop.product();
    const { cursor } = await allChangesOf(shop.api, place);
    const told: unknown[] = [];
    let lastId = cursor;
    for (let cut = 0; cut < 8; cut += 1) {
      const stream = await open(streamOf(place), { 'last-event-id': lastId });
      const writes = Promise.all(Array.from({ length: 10 }, () => shop.receive(sku, place, 1)));
      await stream.has(1 + cut);
      stream.close();
      told.push(...stream.events.map(({ data }) => data));
      lastId = stream.lastId!;
      await writes;
    }
    const rest = await open(streamOf(place), { 'last-event-id': lastId });
    await rest.has(80 - told.length);
    const { changes } = await allChangesOf(shop.api, place, cursor);
    expect([...told, ...rest.events.map(({ data }) => data)]).toEqual(changes);
    expect(changes).toHaveLength(80);
  });
});

describeOnBothEngines('The stream of stock', (engine) => {
  const shop = useShop(engine);

  it('tells the balances after every change, of all items or of some', async () => {
    const [place, other] = [await shop.location(), await shop.location()];
    const [sku, another] = [await shop.product({ lowStockThreshold: 50 }), await shop.product()];
    const paths = ['', `?skus=${sku}`, `?locationId=${other}`, `?skus=${sku},x&locationId=${place}`, '?skus=x'];
    const streams: EventStreamClient[] = [];
    for (const path of paths) {
      const stream = await EventStreamClient.open(shop.app, `/v1/streams/stock${path}`);
      await stream.opened();
      streams.push(stream);
    }
    await shop.receive(sku, place, 5);
    await shop.receive(another, other, 6);
    await shop.reserve([{ sku, quantity: 2 }]);
    await shop.dispatch(sku, place, other, 1);

    const items = [
      { sku, locationId: place, onHand: 5, held: 0, available: 5, version: 1 },
      { sku: another, locationId: other, onHand: 6, held: 0, available: 6, version: 1 },
      { sku, locationId: place, onHand: 5, held: 2, available: 3, version: 2 },
      { sku, locationId: place, onHand: 4, held: 2, available: 2, version: 3 },
      { sku, locationId: other, onHand: 0, incoming: 1, available: 0, version: 1 },
    ];
    const wanted = [[0, 1, 2, 3, 4], [0, 2, 3, 4], [1, 4], [0, 2, 3], []];
    for (const [index, stream] of streams.entries()) {
      await stream.has(wanted[index]!.length);
      expect(stream.events.map(({ data }) => data)).toMatchObject(wanted[index]!.map((item) => items[item]!));
      stream.close();
    }
    // The last that is told of an item is what reading it answers.
    const last = streams[0]!.events.findLast(({ data }) => (data as StockItem).locationId === place)?.data;
    const { freshness: _freshness, ...stock } = await shop.stock(sku, place);
    expect(last).toEqual(stock);
  });
});

describeOnBothEngines('Streams', (engine) => {
  let running: RunningApp;
  let shop: ShopClient;

  async function start(env: Record<string, string> = {}): Promise<void> {
    running = await startApp(engine, env);
    shop = new ShopClient(running.api);
  }

  afterEach(() => running.close());

  it('are so many at a time', async () => {
    await start({ FEEDS_MAX: '1' });
    const stream = await EventStreamClient.open(running, '/v1/streams/stock');
    problemOf(await running.api.get('/v1/streams/stock'), 503, 'BUSY');
    stream.close();
    await eventually('room', async () => (await openFeeds(running, 'stock')) === 0);
    (await EventStreamClient.open(running, '/v1/streams/stock')).close();
  });

  it('end when the server stops, and what comes next is told at the next one', async () => {
    await start();
    const place = await shop.location();
    const stream = await EventStreamClient.open(running, streamOf(place));
    await stream.opened();
    running.app.get(Lifecycle, { strict: false }).startDraining();
    await eventually('the end of the stream', () => Promise.resolve(stream.ended));
    expect(stream.response.complete).toBe(true);
    problemOf(await running.api.get(streamOf(place)), 503, 'UNAVAILABLE');
  });

  it('whose next changes are purged are gone', async () => {
    await start();
    const place = await shop.location();
    await shop.stocked({ [place]: 5 });
    const { cursor } = await allChangesOf(running.api, place);
    await passDays(running, 31);
    await purge(running);
    const before = String(Number(cursor) - 1);
    problemOf(await running.api.get(streamOf(place), { 'last-event-id': before }), 410, 'CURSOR_GONE');
    problemOf(await running.api.get(`/v1/streams/stock?after=${before}`), 410, 'CURSOR_GONE');
    (await EventStreamClient.open(running, streamOf(place), { 'last-event-id': cursor })).close();
  });
});

describe('Feeds of several chains', () => {
  const guarded = useGuardedApp('sqlite', { FEED_HEARTBEAT_MS: '100' });

  it('tell each of them its own, also where names are the same', async () => {
    const [one, other] = [await guarded.it.operatorOf('one'), await guarded.it.operatorOf('other')];
    for (const api of [one, other]) {
      await new ShopClient(api).location({}, 'S1');
      await new ShopClient(api).product({}, 'A');
    }
    await new ShopClient(one).location({}, 'S2');
    problemOf(await other.get(streamOf('S2')), 404, 'NOT_FOUND');
    const waiting = changesOf(other, 'S1', { waitSeconds: 30 });
    await eventually('the other one to wait', async () => (await openFeeds(guarded.it.running, 'poll')) === 1);
    await new ShopClient(one).receive('A', 'S1', 1);
    expect((await changesOf(one, 'S1')).changes.map(({ data }) => data.delta)).toEqual([1]);
    await new ShopClient(other).receive('A', 'S1', 2);
    expect((await waiting).changes.map(({ data }) => data.delta)).toEqual([2]);
  });

  it('end when their key is revoked', async () => {
    const { admin, running } = guarded.it;
    await new ShopClient(admin).location({}, 'S9');
    const [kept, revoked] = [
      await guarded.it.makeKey({ role: 'storefront' }),
      await guarded.it.makeKey({ role: 'store', locationId: 'S9' }),
    ];
    const others = await EventStreamClient.open(running, '/v1/streams/stock', { 'x-api-key': kept.key });
    const stream = await EventStreamClient.open(running, streamOf('S9'), { 'x-api-key': revoked.key });
    await stream.opened();
    expect((await admin.send('DELETE', `/v1/admin/keys/${revoked.id}`)).status).toBeLessThan(300);
    await eventually('the end of the stream', () => Promise.resolve(stream.ended));
    expect(stream.response.complete).toBe(true);
    expect(others.ended).toBe(false);
    others.close();
  });
});

describe('A reader that does not read', () => {
  it('is cut off with its place kept, while others are told of everything', async () => {
    const running = await startApp('sqlite', { FEED_UNREAD_MAX_MS: '500' });
    try {
      const shop = new ShopClient(running.api);
      const place = await shop.location();
      const sku = await shop.product();
      const good = await EventStreamClient.open(running, streamOf(place));
      await good.opened();
      const began = good.lastId!;
      const bad = neverRead(running, streamOf(place));
      await eventually('both to follow', async () => (await openFeeds(running, 'changes')) === 2);

      // More than what both ends of a connection keep for each other.
      const rows = Array.from({ length: 9_000 }, (_, row) =>
        JSON.stringify({ sku, locationId: place, type: 'RECEIPT', quantity: 1, reason: `${row} ${'x'.repeat(490)}` }),
      );
      const response = await fetch(`${running.url}/v1/stock/import`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'much' },
        body: rows.join('\n'),
      });
      expect(await response.text()).toContain('"applied":9000');

      const dropped = () =>
        metricValue(running.app.get(Metrics, { strict: false }), 'sync_dropped_feeds_total', { kind: 'changes' });
      await eventually('the one that does not read to be cut off', async () => (await dropped()) === 1, 60_000);
      expect(await openFeeds(running, 'changes')).toBe(1);
      await good.has(9_000);
      expect(good.ended).toBe(false);
      good.close();
      bad.destroy();

      const { changes } = await allChangesOf(running.api, place, began);
      expect(good.events.map(({ data }) => data)).toEqual(changes);
      // Whoever saw only the start comes back with the id of that.
      const again = await EventStreamClient.open(running, streamOf(place), { 'last-event-id': good.events[99]!.id! });
      await again.has(9_000 - 100);
      expect(again.events[0]).toEqual(good.events[100]);
      again.close();
    } finally {
      await running.close();
    }
  }, 120_000);
});
