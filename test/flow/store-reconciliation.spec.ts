import { gzipSync } from 'node:zlib';
import { problemOf } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { allPages, bodyOf, useShop } from '../support/shop.ts';
import { type Reconciliation, StoreClient } from '../support/store-client.ts';

describeOnBothEngines('A reconciliation', (engine) => {
  const shop = useShop(engine);
  let place: string;
  let store: StoreClient;
  let mug: string;
  let cup: string;

  beforeEach(async () => {
    place = await shop.location();
    mug = await shop.stocked({ [place]: 10 });
    cup = await shop.stocked({ [place]: 20 });
    store = await StoreClient.open(shop.api, place, () => shop.clock.iso());
  });

  const onHand = async (sku: string): Promise<number> => (await shop.stock(sku, place)).onHand;
  const told = ({ differences }: Reconciliation): unknown[] =>
    differences.map(({ sku, store: has, central, difference, code }) => [sku, has, central, difference, code]);
  const drift = async (): Promise<number> =>
    bodyOf(await shop.api.get<{ drift: number }>(`/v1/sync/stores/${place}`)).drift;

  it('tells where the centre believes something else, keeps it, and changes nothing', async () => {
    const cursor = await store.cursor();
    await store.push([store.event(1, 'sale', { sku: mug, quantity: 3 })]);
    const found = await store.reconcile({ sequence: 1, cursor }, [
      { sku: mug, onHand: 7 },
      { sku: cup, onHand: 18 },
    ]);
    expect(found).toMatchObject({ applied: false, differencesTotal: 1, drift: 2 });
    expect(told(found)).toEqual([[cup, 18, 20, -2, undefined]]);
    expect(found.differences[0]?.movements).toMatchObject([{ type: 'RECEIPT', delta: 20 }]);
    expect(await onHand(cup)).toBe(20);
    expect(await drift()).toBe(2);
    const path = `/v1/sync/stores/${place}/reconciliations`;
    expect(bodyOf(await shop.api.get<Reconciliation>(`${path}/${found.id}`))).toEqual(found);
    const { differences: _, ...summary } = found;
    expect(await allPages(shop.api, path, 1)).toEqual([summary]);
    problemOf(await shop.api.get(`${path}/nothing`), 404, 'NOT_FOUND');
    const elsewhere = await shop.location();
    problemOf(await shop.api.get(`/v1/sync/stores/${elsewhere}/reconciliations/${found.id}`), 404, 'NOT_FOUND');
  });

  it('is as of a number and a cursor: what came later makes no difference', async () => {
    await store.push([store.event(1, 'sale', { sku: mug, quantity: 3 })]);
    const cursor = await store.cursor();
    await store.push([
      store.event(2, 'sale', { sku: mug, quantity: 1 }),
      store.event(3, 'count', { sku: cup, counted: 4, cursor }),
    ]);
    await shop.receive(mug, place, 50);
    await shop.receive(cup, place, 60);
    const elsewhere = await shop.location();
    await shop.dispatch(cup, place, elsewhere, 5);
    const { id } = await shop.reserve([{ sku: mug, quantity: 2, locationId: place }]);
    await shop.confirm(id);
    await store.push([store.event(4, 'pickup', { reservationId: id })]);
    const found = await store.reconcile({ sequence: 1, cursor }, [
      { sku: mug, onHand: 7 },
      { sku: cup, onHand: 20 },
    ]);
    expect(told(found)).toEqual([]);
  });

  it('corrects the centre, and leaves on top what came later; again, it finds nothing', async () => {
    const cursor = await store.cursor();
    await store.push([store.event(1, 'sale', { sku: mug, quantity: 3 })]);
    await store.push([store.event(2, 'sale', { sku: mug, quantity: 1 })]);
    await shop.receive(mug, place, 100);
    const balances = [
      { sku: mug, onHand: 5 },
      { sku: cup, onHand: -2 },
    ];
    const first = await store.reconcile({ sequence: 1, cursor }, balances, true);
    expect(first).toMatchObject({ applied: true, differencesTotal: 2, drift: 0 });
    expect(told(first)).toEqual([
      [mug, 5, 7, -2, undefined],
      [cup, -2, 20, -22, undefined],
    ]);
    expect([await onHand(mug), await onHand(cup)]).toEqual([5 - 1 + 100, -2]);
    expect((await shop.ledger(mug, place))[0]).toMatchObject({ type: 'COUNT', delta: -2 });
    const again = await store.reconcile({ sequence: 1, cursor }, balances, true);
    expect(told(again)).toEqual([]);
    expect([await onHand(mug), await onHand(cup)]).toEqual([104, -2]);
    expect(await drift()).toBe(0);
    expect(await brokenInvariants(shop.api, { commandsOnly: false })).toEqual([]);
  });

  it('counts what the store leaves out as none, and names what nobody knows', async () => {
    const cursor = await store.cursor();
    const never = await shop.product();
    const found = await store.reconcile(
      { sequence: 0, cursor },
      [
        { sku: 'unknown', onHand: 3 },
        { sku: never, onHand: 4 },
      ],
      true,
    );
    expect(told(found)).toEqual(
      [
        [mug, 0, 10, -10, undefined],
        [cup, 0, 20, -20, undefined],
        [never, 4, 0, 4, undefined],
        ['unknown', 3, 0, 3, 'UNKNOWN_PRODUCT'],
      ].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    );
    expect(found.drift).toBe(3);
    expect([await onHand(mug), await onHand(cup), await onHand(never)]).toEqual([0, 0, 4]);
  });

  it('is not told to the store as a change of the centre: it was its own word', async () => {
    const cursor = await store.cursor();
    await store.reconcile({ sequence: 0, cursor }, [{ sku: mug, onHand: 1 }], true);
    const path = `/v1/sync/stores/${place}/changes?after=${cursor}`;
    expect(bodyOf(await shop.api.get<{ changes: unknown[] }>(path)).changes).toEqual([]);
  });

  it('is refused before its place is reached, and for an epoch that is over', async () => {
    const cursor = await store.cursor();
    const at = (epoch: number, sequence: number, of = cursor): string =>
      JSON.stringify({ epoch, sequence, cursor: of });
    expect(problemOf(await store.tryReconcile(at(1, 1)), 409, 'SEQUENCE_AHEAD')).toMatchObject({ nextSequence: 1 });
    problemOf(await store.tryReconcile(at(2, 0)), 400, 'VALIDATION_FAILED');
    problemOf(await store.tryReconcile(at(1, 0, '9999999999999999')), 410, 'CURSOR_GONE');
    await StoreClient.open(shop.api, place);
    problemOf(await store.tryReconcile(at(1, 0)), 409, 'STALE_EPOCH');
  });

  it('with a line that is wrong is wrong altogether: the line is named, and nothing is changed', async () => {
    const header = JSON.stringify({ epoch: 1, sequence: 0, cursor: await store.cursor() });
    const right = JSON.stringify({ sku: mug, onHand: 1 });
    const wrong: [lines: string[], field: string][] = [
      [[''], 'body'],
      [[right], 'line 1: sku'],
      [[header, '{'], 'line 2'],
      [[header, right, '', '{"sku":"a b","onHand":1}'], 'line 4: sku'],
      [[header, right, `{"sku":"${cup}","onHand":1.5}`], 'line 3: onHand'],
      [[header, right, `{"sku":"${cup}"}`], 'line 3: onHand'],
      [[header, right, right], 'line 3: sku'],
      [[header, right, '[]'], 'line 3'],
      [[header, right, `{"sku":"${cup}","onHand":1,"more":1}`], 'line 3: more'],
      [[header, `{"sku":"${'x'.repeat(20_000)}","onHand":1}`], 'line 2'],
    ];
    for (const [lines, field] of wrong) {
      const problem = problemOf(await store.tryReconcile(lines.join('\n'), true), 400, 'VALIDATION_FAILED');
      expect((problem['errors'] as { field: string }[]).map((error) => error.field)).toContain(field);
    }
    expect([await onHand(mug), await onHand(cup)]).toEqual([10, 20]);
  });

  it('reads many lines, compressed, and pages through what was left out', async () => {
    const cursor = await store.cursor();
    const header = JSON.stringify({ epoch: 1, sequence: 0, cursor });
    const skus = Array.from({ length: 450 }, (_, n) => `many-${place}-${String(n).padStart(4, '0')}`);
    await Promise.all(skus.map((sku) => shop.product({}, sku)));
    const stocked = skus.map((sku) => JSON.stringify({ sku, onHand: 3 }));
    const gzip = { 'content-encoding': 'gzip' };
    const all = gzipSync([header, ...stocked, JSON.stringify({ sku: mug, onHand: 10 })].join('\n'));
    const first = bodyOf(await store.tryReconcile(all, true, gzip));
    expect(first.differencesTotal).toBe(451);
    expect(await onHand(skus[449]!)).toBe(3);
    const rest = bodyOf(await store.tryReconcile([header, ...stocked.slice(0, 7)].join('\n')));
    expect(rest.differencesTotal).toBe(450 - 7 + 1);
    expect(rest.drift).toBe(3 * 443 + 10);
  });
});
