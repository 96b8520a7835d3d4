import { gzipSync } from 'node:zlib';
import { type Answer, problemOf, RawBody } from '../support/http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { bodyOf, useShop } from '../support/shop.ts';
import { type SentEvent, StoreClient } from '../support/store-client.ts';

describeOnBothEngines('Events of a store', (engine) => {
  const shop = useShop(engine, { SYNC_PARKED_MAX: '20' });
  let place: string;
  let sku: string;
  let store: StoreClient;

  beforeEach(async () => {
    place = await shop.location();
    sku = await shop.stocked({ [place]: 10 });
    store = await StoreClient.open(shop.api, place, () => shop.clock.iso());
  });

  async function onHand(of = sku): Promise<number> {
    return (await shop.stock(of, place)).onHand;
  }

  it('are recorded once, in order, even below zero, and are in the ledger as what they are', async () => {
    const events = [
      store.event(1, 'sale', { sku, quantity: 12, reference: 'receipt-1' }),
      store.event(2, 'return', { sku, quantity: 1 }),
      store.event(3, 'receipt', { sku, quantity: 5 }),
      store.event(4, 'adjustment', { sku, quantity: -2 }),
      store.event(5, 'write-off', { sku, quantity: 3, reference: null }),
    ];
    const answer = await store.push(events);
    expect(answer).toEqual({
      results: events.map(({ id, sequence }) => ({ id, sequence, outcome: 'applied' })),
      nextSequence: 6,
      missing: [],
    });
    expect(await onHand()).toBe(-1);
    const ledger = (await shop.ledger(sku, place)).reverse().slice(1);
    expect(ledger.map(({ type, delta, reference }) => [type, delta, reference])).toEqual([
      ['SALE', -12, 'receipt-1'],
      ['RETURN', 1, null],
      ['RECEIPT', 5, null],
      ['ADJUSTMENT', -2, null],
      ['WRITE_OFF', -3, null],
    ]);
    const again = await store.push(events);
    expect(again.results.map(({ outcome }) => outcome)).toEqual(Array(5).fill('duplicate'));
    expect(await onHand()).toBe(-1);
  });

  it('wait for those before them, and are applied when the hole is filled', async () => {
    const sales = Array.from({ length: 7 }, (_, sequence) => store.event(sequence, 'sale', { sku, quantity: 1 }));
    const sale = (sequence: number): SentEvent => sales[sequence]!;
    expect(await store.push([sale(2), sale(3), sale(6)])).toMatchObject({
      results: [{ outcome: 'parked' }, { outcome: 'parked' }, { outcome: 'parked' }],
      nextSequence: 1,
      missing: [
        [1, 1],
        [4, 5],
      ],
    });
    expect(await onHand()).toBe(10);
    expect(await store.push([sale(1)])).toMatchObject({ nextSequence: 4, missing: [[4, 5]] });
    expect(await onHand()).toBe(7);
    expect((await store.push([sale(5), sale(4)])).results.map(({ outcome }) => outcome)).toEqual([
      'applied',
      'applied',
    ]);
    expect(await store.push([sale(6), sale(5)])).toMatchObject({
      results: [{ outcome: 'duplicate' }, { outcome: 'duplicate' }],
      nextSequence: 7,
      missing: [],
    });
    expect(await onHand()).toBe(4);
  });

  it('are refused when there is no room to park them, and may come again', async () => {
    const sales = Array.from({ length: 25 }, (_, n) => store.event(n + 2, 'sale', { sku, quantity: 1 }));
    const outcomes = (await store.push(sales)).results.map(({ outcome }) => outcome);
    expect(outcomes).toEqual([...Array<string>(20).fill('parked'), ...Array<string>(5).fill('refused')]);
    expect(await store.push([store.event(1, 'sale', { sku, quantity: 1 })])).toMatchObject({ nextSequence: 22 });
    expect((await store.push(sales.slice(20))).results.map(({ outcome }) => outcome)).toEqual(Array(5).fill('applied'));
    expect(await onHand()).toBe(-16);
  });

  it('of a known id and the same content are duplicates under any number, and use it up', async () => {
    const first = store.event(1, 'sale', { sku, quantity: 1 });
    await store.push([first]);
    const repeated = { ...first, sequence: 2, data: { quantity: 1, sku } };
    expect(await store.push([repeated, { ...first, sequence: 9 }])).toMatchObject({
      results: [{ outcome: 'duplicate' }, { outcome: 'duplicate' }],
      nextSequence: 3,
      missing: [],
    });
    const other = store.event(2, 'sale', { sku, quantity: 1 });
    expect((await store.push([other])).results).toMatchObject([{ outcome: 'conflict' }]);
    expect(await onHand()).toBe(9);
  });

  it('that contradict what came before are conflicts, and never applied', async () => {
    const first = store.event(1, 'sale', { sku, quantity: 1 });
    const parked = store.event(4, 'sale', { sku, quantity: 1 });
    await store.push([first, parked]);
    expect(
      await store.push([
        { ...first, data: { sku, quantity: 2 } },
        store.event(1, 'return', { sku, quantity: 5 }),
        { ...first, sequence: 3, version: 2 },
        store.event(4, 'return', { sku, quantity: 5 }),
        { ...first, sequence: 2, occurredAt: '2020-01-01T00:00:00.000Z' },
      ]),
    ).toMatchObject({
      results: [
        { sequence: 1, outcome: 'conflict' },
        { sequence: 1, outcome: 'conflict' },
        { sequence: 3, outcome: 'conflict' },
        { sequence: 4, outcome: 'conflict' },
        { sequence: 2, outcome: 'conflict' },
      ],
      // The numbers 2 and 3 were the next ones when their turn came; then 4 was.
      nextSequence: 5,
    });
    expect(await onHand()).toBe(8);
  });

  it('that are malformed die alone: their number is used up, and those behind them are applied', async () => {
    const wrong: [type: unknown, data: unknown, more?: object][] = [
      ['sale', { sku, quantity: 0 }],
      ['sale', { sku, quantity: 1.5 }],
      ['sale', { sku, quantity: '1' }],
      ['sale', { sku }],
      ['sale', { sku, quantity: 1, colour: 'red' }],
      ['sale', null],
      ['sale', undefined],
      ['sale', [1]],
      ['sale', { sku, quantity: 1, reference: 'line\nbreak' }],
      ['adjustment', { sku, quantity: 0 }],
      ['count', { sku, counted: -1, cursor: '0' }],
      ['count', { sku, counted: 1 }],
      ['count', { sku, counted: 1, cursor: '01' }],
      ['pickup', {}],
      ['theft', { sku, quantity: 1 }],
      [7, { sku, quantity: 1 }],
      ['sale', { sku, quantity: 1 }, { version: 2 }],
      ['sale', { sku, quantity: 1 }, { version: '1' }],
      ['sale', { sku, quantity: 1 }, { occurredAt: 'yesterday' }],
      ['sale', { sku, quantity: 1 }, { occurredAt: '2026-02-30T00:00:00.000Z' }],
      ['sale', { sku, quantity: 1 }, { occurredAt: null }],
      ['sale', { sku, quantity: 1 }, { extra: true }],
    ];
    const events = wrong.flatMap(([type, data, more], n) => [
      { ...store.event(2 * n + 1, type, data), ...more },
      store.event(2 * n + 2, 'receipt', { sku, quantity: 1 }),
    ]);
    const { results, nextSequence } = await store.push(events);
    expect(results.map(({ outcome }) => outcome)).toEqual(wrong.flatMap(() => ['dead', 'applied']));
    expect(new Set(results.map(({ code }) => code))).toEqual(
      new Set(['VALIDATION_FAILED', undefined, 'UNKNOWN_TYPE', 'UNKNOWN_VERSION']),
    );
    expect(nextSequence).toBe(2 * wrong.length + 1);
    expect(await onHand()).toBe(10 + wrong.length);
    const again = await store.push(events);
    expect(new Set(again.results.map(({ outcome }) => outcome))).toEqual(new Set(['duplicate']));
  });

  it('survive whatever JSON there is', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const texts = [
      `{"sku":"${sku}","quantity":1,"a":${deep}}`,
      `{"sku":"${sku}","sku":"${sku}","quantity":1}`,
      `{"sku":"${sku}","quantity":-0}`,
      `{"sku":"${sku}","quantity":1e999}`,
      `{"sku":"\\ud800","quantity":1}`,
      `{"sku":"a\\u0000b","quantity":1}`,
      `{"\\ud800":1}`,
      `{"\\u0000":1}`,
      `{"__proto__":{"sku":"${sku}","quantity":1}}`,
      `"${'x'.repeat(100_000)}"`,
      `{"sku":"${sku}","quantity":1,"reference":"${'x'.repeat(501)}"}`,
    ];
    const events = texts.map((text, n) => {
      const { id, sequence, occurredAt } = store.event(n + 1, 'sale', null);
      return `{"id":"${id}","sequence":${sequence},"type":"sale","version":1,"occurredAt":"${String(occurredAt)}","data":${text}}`;
    });
    events.push(
      events[0]!.replace(/"id":"[^"]*","sequence":1,/, `"id":"odd","sequence":${texts.length + 1},"\\u0000":1,`),
    );
    events.push(JSON.stringify(store.event(texts.length + 2, 'sale', { sku, quantity: 1 })));
    const body = `{"epoch":1,"events":[${events.join(',')}]}`;
    const { results } = bodyOf(await store.send(new RawBody(body)));
    expect(results.map(({ outcome }) => outcome)).toEqual([...texts.map(() => 'dead'), 'dead', 'applied']);
    const again = bodyOf(await store.send(new RawBody(body)));
    expect(new Set(again.results.map(({ outcome }) => outcome))).toEqual(new Set(['duplicate']));
    expect(await onHand()).toBe(9);
  });

  it('refuse the call when nobody could say which event one is', async () => {
    const right = store.event(1, 'sale', { sku, quantity: 1 });
    const wrong = { id: 'a b', sequence: 0 };
    const problem = problemOf(
      await store.send({
        epoch: 1,
        events: [right, wrong, null, { ...right, sequence: 1.5 }, { ...right, id: undefined }],
      }),
      400,
      'VALIDATION_FAILED',
    );
    expect((problem['errors'] as { field: string }[]).map(({ field }) => field)).toEqual([
      'events[1].id',
      'events[1].sequence',
      'events[2]',
      'events[3].sequence',
      'events[4].id',
    ]);
    for (const body of [
      {},
      { epoch: 1 },
      { epoch: 1, events: [] },
      { epoch: 1, events: {} },
      { epoch: 0, events: [right] },
      { epoch: '1', events: [right] },
      { epoch: 1, events: [right], more: 1 },
      { epoch: 1, events: Array(1001).fill(right) },
      { epoch: 2, events: [right] },
    ]) {
      problemOf(await store.send(body), 400, 'VALIDATION_FAILED');
    }
    expect(await onHand()).toBe(10);
  });

  it('are taken compressed, within the bounds of any other body', async () => {
    const events = [store.event(1, 'sale', { sku, quantity: 1 })];
    const gzip = (bytes: Buffer): Promise<Answer> => store.send(new RawBody(bytes), { 'content-encoding': 'gzip' });
    expect(bodyOf(await gzip(gzipSync(JSON.stringify({ epoch: 1, events }))))).toMatchObject({
      results: [{ outcome: 'applied' }],
    });
    problemOf(await gzip(Buffer.from('no gzip')), 400, 'VALIDATION_FAILED');
    problemOf(await gzip(gzipSync(Buffer.alloc(1_048_577, ' '))), 413, 'BODY_TOO_LARGE');
    const other = await store.send(new RawBody('{}'), { 'content-encoding': 'br' });
    problemOf(other, 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('begin anew in a new epoch: the older one is stale, and what it had parked is dead until it comes again', async () => {
    const waiting = store.event(3, 'sale', { sku, quantity: 1 });
    const never = store.event(4, 'sale', { sku, quantity: 2 });
    await store.push([waiting, never]);
    const next = await StoreClient.open(shop.api, place, () => shop.clock.iso());
    expect(next.epoch).toBe(store.epoch + 1);
    problemOf(await store.send({ epoch: store.epoch, events: [waiting] }), 409, 'STALE_EPOCH');
    expect((await letters()).map(({ code, eventId }) => [code, eventId])).toEqual([
      ['EPOCH_ENDED', waiting.id],
      ['EPOCH_ENDED', never.id],
    ]);
    expect(await next.push([{ ...waiting, sequence: 2 }])).toMatchObject({ results: [{ outcome: 'parked' }] });
    expect(await letters()).toHaveLength(2);
    expect(await next.push([store.event(1, 'sale', { sku, quantity: 1 })])).toMatchObject({ nextSequence: 3 });
    expect(await letters()).toMatchObject([{ eventId: never.id }]);
    expect(await next.push([{ ...waiting, sequence: 3 }])).toMatchObject({ results: [{ outcome: 'duplicate' }] });
    expect(await next.push([{ ...never, sequence: 4, data: { sku, quantity: 3 } }])).toMatchObject({
      results: [{ outcome: 'conflict' }],
    });
    expect(await next.push([{ ...never, sequence: 5 }])).toMatchObject({ results: [{ outcome: 'applied' }] });
    expect(await letters()).toEqual([]);
    expect(await onHand()).toBe(6);
  });

  async function letters(): Promise<{ eventId: string; code: string; locationId: string }[]> {
    const page = await shop.api.get<{ items: { eventId: string; code: string; locationId: string }[] }>(
      '/v1/dead-letters?limit=200',
    );
    return bodyOf(page).items.filter(({ locationId }) => locationId === place);
  }

  it('tell of a clock that is off, and take the event all the same', async () => {
    const off = (seconds: number): string => new Date(shop.clock.now() + seconds * 1000).toISOString();
    const { results } = await store.push(
      [300, -300, 301, -301, 40_000_000].map((seconds, n) => ({
        ...store.event(n + 1, 'sale', { sku, quantity: 1 }),
        occurredAt: off(seconds),
      })),
    );
    expect(results.map(({ outcome, flags }) => [outcome, flags])).toEqual([
      ['applied', undefined],
      ['applied', undefined],
      ['applied', ['CLOCK']],
      ['applied', ['CLOCK']],
      ['applied', ['CLOCK']],
    ]);
    const [newest] = await shop.ledger(sku, place);
    expect(newest?.occurredAt).toBe(shop.clock.iso());
  });

  it('are many in one call, over several commits', async () => {
    const events = Array.from({ length: 1000 }, (_, n) => store.event(n + 1, 'receipt', { sku, quantity: 1 }));
    const shuffled = events.map((_, n) => events[(n * 7) % 1000]!);
    const { results, nextSequence } = await store.push(shuffled);
    expect(nextSequence).toBe(1001);
    expect(results.map(({ id }) => id)).toEqual(shuffled.map(({ id }) => id));
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['applied']));
    expect(await onHand()).toBe(1010);
  });

  it('of a location that is not there are not found', async () => {
    problemOf(await shop.api.post('/v1/sync/stores/nowhere/streams'), 404, 'NOT_FOUND');
    const answer = await shop.api.post('/v1/sync/stores/nowhere/events', {
      epoch: 1,
      events: [{ id: 'a', sequence: 1 }],
    });
    problemOf(answer, 404, 'NOT_FOUND');
  });

  it('of a store that never opened a stream have no epoch', async () => {
    const answer = await shop.api.post(`/v1/sync/stores/${await shop.location()}/events`, {
      epoch: 1,
      events: [{ id: 'a', sequence: 1 }],
    });
    problemOf(answer, 400, 'VALIDATION_FAILED');
  });
});
