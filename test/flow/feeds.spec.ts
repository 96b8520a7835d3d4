import { CommandBus } from '@nestjs/cqrs';
import { RecordMovement } from '../../src/modules/inventory/contract.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import { Metrics } from '../../src/shared/operations/metrics.ts';
import { Lifecycle } from '../../src/shared/operations/lifecycle.ts';
import { eventually } from '../support/eventually.ts';
import { allChangesOf, type Change, changesOf, changesPath } from '../support/feeds.ts';
import { problemOf } from '../support/http.ts';
import { passDays, purge } from '../support/retention.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { ShopClient, useShop } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { metricValue } from '../support/write-path.ts';

const typesOf = (changes: readonly Change[]): string[] => changes.map(({ type }) => type.replace('inventory.', ''));

/** What a store's push does, in the words of inventory. */
function pushFrom({ app }: RunningApp, origin: string, command: RecordMovement): Promise<unknown> {
  const context = { tenantId: 'default', clientId: origin, correlationId: 'push', traceparent: null, origin };
  return runInContext(context, () => app.get(CommandBus, { strict: false }).execute(command));
}

/** Until somebody waits at a feed, so that what happens now wakes it. */
async function someoneWaits({ app }: RunningApp, kind = 'poll'): Promise<void> {
  const metrics = app.get(Metrics, { strict: false });
  await eventually('somebody to wait', async () => (await metricValue(metrics, 'sync_open_feeds', { kind })) > 0);
}

describeOnBothEngines('GET /v1/sync/stores/{locationId}/changes', (engine) => {
  const shop = useShop(engine);
  let cursor: string;

  beforeEach(async () => {
    ({ cursor } = await allChangesOf(shop.api, await shop.location()));
  });

  const since = async (locationId: string) => (await allChangesOf(shop.api, locationId, cursor)).changes;

  it('tells reservations made, changed, paid for, released and handed over, with whose units they are', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 10 });
    const first = await shop.reserve([{ sku, quantity: 2 }]);
    await shop.update(first.id, [{ sku, quantity: 5 }]);
    await shop.update(first.id, [{ sku, quantity: 4 }]);
    await shop.confirm(first.id);
    await shop.fulfil(first.id);
    const second = await shop.reserve([{ sku, quantity: 1 }]);
    await shop.refresh(second.id, { ttlSeconds: 60 });
    await shop.cancel(second.id);

    const changes = await since(place);

    expect(changes.map(({ type, data }) => [type.slice('inventory.stock.'.length), data.units ?? data.delta])).toEqual([
      ['moved', 10],
      ['held', 2],
      ['held', 3],
      ['released', 1],
      ['committed', 4],
      ['moved', -4],
      ['held', 1],
      ['hold-shortened', 1],
      ['released', 1],
    ]);
    expect(changes.slice(1).map(({ data }) => data.holdId)).toEqual([
      ...Array<string>(5).fill(first.id),
      ...Array<string>(3).fill(second.id),
    ]);
    expect(changes.map(({ subjectversion }) => subjectversion)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(changes[0]).toMatchObject({ specversion: '1.0', locationid: place, datacontenttype: 'application/json' });
  });

  it('tells transfers to where they go and to where they come from, and stock that was corrected centrally', async () => {
    const [from, to] = [await shop.location(), await shop.location()];
    const sku = await shop.stocked({ [from]: 10 });
    const transfer = await shop.dispatch(sku, from, to, 4);
    expect(typesOf(await since(to))).toEqual(['stock.incoming-changed', 'transfer.dispatched']);
    await shop.end('receive', transfer.id, { quantity: 3 });
    await shop.count(sku, to, 7);
    await shop.safetyStock(sku, to, 1);

    expect(typesOf(await since(to)).slice(2)).toEqual([
      'stock.moved',
      'stock.moved',
      'transfer.received',
      'stock.moved',
      'stock.policy-changed',
    ]);
    expect(typesOf(await since(from))).toEqual([
      'stock.moved',
      'stock.moved',
      'transfer.dispatched',
      'transfer.received',
    ]);
  });

  it('leaves out what the store pushed itself, and nothing that other stores or the centre did', async () => {
    const [place, other] = [await shop.location(), await shop.location()];
    const sku = await shop.product({ lowStockThreshold: 5 });
    const receipt = (at: string) =>
      new RecordMovement(sku, at, { type: 'RECEIPT', quantity: 9, reason: null, reference: null });
    const sale = new RecordMovement(sku, place, { type: 'SALE', quantity: 6, reason: null, reference: null });
    await pushFrom(shop.app, place, receipt(place));
    await pushFrom(shop.app, other, receipt(other));
    await pushFrom(shop.app, place, sale);
    await shop.receive(sku, place, 1);

    const changes = await since(place);

    expect(changes.map(({ data }) => data.delta)).toEqual([1]);
    expect(changes[0]?.data.stock.onHand).toBe(4);
    expect(await since(other)).toEqual([]);
  });

  it('has a hold that ended by time when it is released, not before', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 1 });
    const due = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 1 });
    shop.clock.advanceSeconds(2);
    expect(typesOf(await since(place))).toEqual(['stock.moved', 'stock.held']);

    const next = await shop.reserve([{ sku, quantity: 1 }]);

    const [released, held] = (await since(place)).slice(2);
    expect(released).toMatchObject({ type: 'inventory.stock.released', data: { holdId: due.id, from: 'HELD' } });
    expect(held).toMatchObject({ type: 'inventory.stock.held', data: { holdId: next.id } });
  });

  it('goes on exactly where the cursor stands, with any limit', async () => {
    const [place, noise] = [await shop.location(), await shop.location()];
    const sku = await shop.product();
    for (let units = 1; units <= 7; units += 1) {
      await shop.receive(sku, place, units);
      await shop.receive(sku, noise, 1);
    }
    for (const limit of [1, 2, 3, 7, 8]) {
      const { changes } = await allChangesOf(shop.api, place, cursor, limit);
      expect([limit, changes.map(({ data }) => data.delta)]).toEqual([limit, [1, 2, 3, 4, 5, 6, 7]]);
    }
    const all = await allChangesOf(shop.api, place, cursor, 1);
    expect(await changesOf(shop.api, place, { after: all.cursor })).toEqual({ changes: [], cursor: all.cursor });
  });

  it('is empty with a cursor that has moved past what concerns others', async () => {
    const [place, noise] = [await shop.location(), await shop.location()];
    await shop.stocked({ [noise]: 3 });
    const answer = await changesOf(shop.api, place, { after: cursor });
    expect(answer.changes).toEqual([]);
    expect(Number(answer.cursor)).toBeGreaterThan(Number(cursor));
    // A wait that ends moves it on, too.
    const waited = await changesOf(shop.api, place, { after: cursor, waitSeconds: 1 });
    expect(waited).toEqual(answer);
  });

  it('waits for a change, and answers when there is one', async () => {
    const [place, noise] = [await shop.location(), await shop.location()];
    const sku = await shop.product();
    const waiting = changesOf(shop.api, place, { after: cursor, waitSeconds: 30 });
    await someoneWaits(shop.app);
    await shop.receive(sku, noise, 1);
    await shop.receive(sku, place, 2);
    const { changes } = await waiting;
    expect(changes.map(({ data }) => [data.locationId, data.delta])).toEqual([[place, 2]]);
  });

  it('does not wait when there is something already', async () => {
    const place = await shop.location();
    await shop.stocked({ [place]: 3 });
    const { changes } = await changesOf(shop.api, place, { after: cursor, waitSeconds: 30 });
    expect(typesOf(changes)).toEqual(['stock.moved']);
  });

  it('refuses what is no cursor, an unknown location, and what the log does not reach', async () => {
    const place = await shop.location();
    for (const query of [{ after: '-1' }, { after: '01' }, { after: 'x' }, { waitSeconds: 31 }, { limit: 0 }]) {
      problemOf(await shop.api.get(changesPath(place, query as never)), 400, 'VALIDATION_FAILED');
    }
    problemOf(await shop.api.get(changesPath('nowhere', { after: '999999999' })), 404, 'NOT_FOUND');
    problemOf(await shop.api.get(changesPath(place, { after: '999999999' })), 410, 'CURSOR_GONE');
    problemOf(await shop.api.get(changesPath(place, { after: '999999999', waitSeconds: 30 })), 410, 'CURSOR_GONE');
  });
});

describeOnBothEngines('A cursor of a feed', (engine) => {
  const shop = useShop(engine);

  it('that is older than what is kept is gone; without one the oldest that is kept comes first', async () => {
    const place = await shop.location();
    const sku = await shop.stocked({ [place]: 5 });
    const reserved = await shop.reserve([{ sku, quantity: 1 }]);
    const { cursor: head } = await allChangesOf(shop.api, place);
    await passDays(shop.app, 31);
    await purge(shop.app);

    for (const after of ['0', '1', String(Number(head) - 1)]) {
      problemOf(await shop.api.get(changesPath(place, { after })), 410, 'CURSOR_GONE');
      problemOf(await shop.api.get(changesPath(place, { after, waitSeconds: 30 })), 410, 'CURSOR_GONE');
    }
    // Events that are kept with their reservation lie before the mark, and hide nothing.
    expect((await shop.api.get(`/v1/reservations/${reserved.id}/timeline`)).text).toContain('created');
    expect(await changesOf(shop.api, place, { after: head })).toEqual({ changes: [], cursor: head });
    expect(await changesOf(shop.api, place)).toEqual({ changes: [], cursor: head });
    await shop.receive(sku, place, 1);
    expect(typesOf((await changesOf(shop.api, place)).changes)).toEqual(['stock.moved']);
    expect(typesOf((await changesOf(shop.api, place, { after: head })).changes)).toEqual(['stock.moved']);
  });
});

describeOnBothEngines('Waiting for changes', (engine) => {
  let running: RunningApp;
  let shop: ShopClient;

  beforeEach(async () => {
    running = await startApp(engine, { FEEDS_MAX: '2' });
    shop = new ShopClient(running.api);
  });

  afterEach(() => running.close());

  it('is for so many at a time; whoever has gone makes room, and asking without a wait is for all', async () => {
    const place = await shop.location();
    const cancelled = new AbortController();
    const path = `${running.url}${changesPath(place, { waitSeconds: 30 })}`;
    const waiting = [1, 2].map(() => fetch(path, { signal: cancelled.signal }).catch(() => undefined));
    const metrics = running.app.get(Metrics, { strict: false });
    const polls = () => metricValue(metrics, 'sync_open_feeds', { kind: 'poll' });
    await eventually('both to wait', async () => (await polls()) === 2);

    const refused = await running.api.get(changesPath(place, { waitSeconds: 1 }));
    problemOf(refused, 503, 'BUSY');
    expect(refused.headers['retry-after']).toBeDefined();
    expect(await changesOf(running.api, place)).toMatchObject({ changes: [] });

    cancelled.abort();
    await Promise.all(waiting);
    expect(await eventually('room', async () => (await polls()) === 0)).toBe(true);
    expect(await changesOf(running.api, place, { waitSeconds: 1 })).toMatchObject({ changes: [] });
  });

  it('ends at once when the server stops', async () => {
    const place = await shop.location();
    const waiting = changesOf(running.api, place, { waitSeconds: 30 });
    await someoneWaits(running);
    running.app.get(Lifecycle, { strict: false }).startDraining();
    expect(await waiting).toMatchObject({ changes: [] });
    expect(await changesOf(running.api, place, { waitSeconds: 30 })).toMatchObject({ changes: [] });
  });
});

describeOnPostgres('Two servers on one database', () => {
  it('wake those who wait at the other one', async () => {
    const one = await startApp('postgres');
    const other = await startApp('postgres', { DATABASE_URL: one.databaseUrl });
    try {
      const shop = new ShopClient(one.api);
      const place = await shop.location();
      const sku = await shop.product();
      let { cursor } = await changesOf(other.api, place);
      for (let units = 1; units <= 3; units += 1) {
        const waiting = changesOf(other.api, place, { after: cursor, waitSeconds: 30 });
        await someoneWaits(other);
        await shop.receive(sku, place, units);
        const answer = await waiting;
        expect(answer.changes.map(({ data }) => data.delta)).toEqual([units]);
        ({ cursor } = answer);
      }
    } finally {
      await other.close();
      await one.close();
    }
  });
});
