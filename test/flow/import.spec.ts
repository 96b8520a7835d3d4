import { gzipSync } from 'node:zlib';
import { freshKey, problemOf, RawBody } from '../support/http.ts';
import {
  IMPORT_PATH,
  importRows,
  NDJSON,
  ndjson,
  outcomesOf,
  type Results,
  resultsIn,
  tryImport,
} from '../support/importing.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { useShop } from '../support/shop.ts';

describeOnBothEngines('An import', (engine) => {
  const shop = useShop(engine);
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  const count = (sku: string, counted: unknown, more: object = {}) => ({ sku, locationId: place, counted, ...more });
  const move = (sku: string, type: string, quantity: unknown, more: object = {}) => ({
    sku,
    locationId: place,
    type,
    quantity,
    ...more,
  });
  const onHand = async (sku: string) => (await shop.stock(sku, place)).onHand;

  it('applies counts and movements in the order of its rows, and sums up', async () => {
    const [a, b] = [await shop.product(), await shop.product()];
    const answer = await tryImport(
      shop,
      ndjson([count(a, 7), move(b, 'RECEIPT', 5), move(a, 'SALE', 3), move(b, 'ADJUSTMENT', -2), count(b, 9)]),
    );
    expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(answer.text).toBe(
      '{"row":1,"outcome":"applied"}\n{"row":2,"outcome":"applied"}\n{"row":3,"outcome":"applied"}\n' +
        '{"row":4,"outcome":"applied"}\n{"row":5,"outcome":"applied"}\n' +
        '{"summary":{"rows":5,"applied":5,"duplicate":0,"refused":0}}\n',
    );
    expect([await onHand(a), await onHand(b)]).toEqual([4, 9]);
  });

  it('enters rows into the ledger and the event log as requests of their own would be', async () => {
    const sku = await shop.product();
    const headers = { 'x-correlation-id': 'inventory-of-monday' };
    await importRows(shop, [count(sku, 4, { reason: 'Yearly' }), move(sku, 'RETURN', 1, { reference: 'R-1' })], {
      headers,
    });
    const who = { clientId: 'default', keyId: null, correlationId: 'inventory-of-monday' };
    const shared = { occurredAt: shop.clock.iso(), ...who };
    expect((await shop.ledger(sku, place)).map(({ movementId: _, ...movement }) => movement)).toEqual([
      { type: 'RETURN', delta: 1, onHandAfter: 5, reason: null, reference: 'R-1', ...shared },
      { type: 'COUNT', delta: 4, onHandAfter: 4, reason: 'Yearly', reference: null, ...shared },
    ]);
    const { version } = await shop.stock(sku, place);
    expect(version).toBe(2);
  });

  it.each([
    ['counts', (sku: string) => `sku,locationId,counted\n${sku},${place},6\n`],
    [
      'counts with line ends of Windows and a byte order mark',
      (sku: string) => `\uFEFFsku,locationId,counted,reason\r\n${sku},${place},6,"so, ""it"" is"\r\n\r\n`,
    ],
    [
      'movements, columns in any order',
      (sku: string) =>
        `quantity,type,reference,locationId,sku\n9,RECEIPT,,${place},${sku}\n3,"SALE","R,1",${place},${sku}`,
    ],
  ])('reads CSV: %s', async (_, csv) => {
    const sku = await shop.product();
    const { summary } = await importRows(shop, csv(sku), { type: 'text/csv' });
    expect(summary?.refused).toBe(0);
    expect(await onHand(sku)).toBe(6);
  });

  it('reads gzip, plain NDJSON under its other names, and an empty body', async () => {
    const sku = await shop.product();
    const types = ['application/ndjson', 'application/jsonl', 'Application/X-NDJSON; charset="UTF-8"'];
    for (const type of types) {
      expect((await importRows(shop, [move(sku, 'RECEIPT', 1)], { type })).summary?.applied).toBe(1);
    }
    const zipped = { gzip: true, headers: { 'content-encoding': 'GZIP' } };
    expect((await importRows(shop, [move(sku, 'RECEIPT', 1)], zipped)).summary?.applied).toBe(1);
    const csv = `sku,locationId,counted\n${sku},${place},5\n`;
    expect((await importRows(shop, csv, { type: 'text/csv', gzip: true })).summary?.applied).toBe(1);
    expect(await onHand(sku)).toBe(5);
    const nothing = { rows: 0, applied: 0, duplicate: 0, refused: 0 };
    expect((await importRows(shop, '')).summary).toEqual(nothing);
    expect((await importRows(shop, '', { gzip: true })).summary).toEqual(nothing);
    expect((await importRows(shop, 'sku,locationId,counted', { type: 'text/csv' })).summary).toEqual(nothing);
  });

  it('refuses rows by the rules of movements and counts, and one bad row spoils no other', async () => {
    const [sku, retired] = [await shop.stocked({ [place]: 10 }), await shop.product({ active: false })];
    await shop.receive(retired, place, 5);
    const results = await importRows(shop, [
      move(sku, 'SALE', 4),
      move(sku, 'SALE', 7),
      count('nothing', 1),
      { ...count(sku, 1), locationId: 'nowhere' },
      move(retired, 'SALE', 1),
      move(retired, 'WRITE_OFF', 1),
      move(sku, 'ADJUSTMENT', -7),
      move(sku, 'WRITE_OFF', 6),
    ]);
    expect(outcomesOf(results)).toEqual([
      'applied',
      'INSUFFICIENT_STOCK',
      'UNKNOWN_PRODUCT',
      'UNKNOWN_LOCATION',
      'INSUFFICIENT_STOCK',
      'applied',
      'INSUFFICIENT_STOCK',
      'applied',
    ]);
    expect(results.rows[1]).toEqual({
      row: 2,
      outcome: 'refused',
      code: 'INSUFFICIENT_STOCK',
      detail: expect.stringContaining('7 wanted, 6 available') as unknown,
      shortages: [{ sku, locationId: place, requested: 7, available: 6 }],
      alternatives: [],
    });
    expect(results.summary).toEqual({ rows: 8, applied: 3, duplicate: 0, refused: 5 });
    expect([await onHand(sku), await onHand(retired)]).toEqual([0, 4]);
  });

  it('refuses rows that are wrong in themselves, and says of each what is', async () => {
    const sku = await shop.product();
    const lines = [
      JSON.stringify(count(sku, -1)),
      JSON.stringify(count(sku, '5')),
      JSON.stringify(count(sku, 1, { quantity: 1 })),
      JSON.stringify(move(sku, 'COUNT', 1.5)),
      JSON.stringify(move(sku, 'SALE', -1)),
      JSON.stringify({ ...count('..', 1), locationId: '' }),
      JSON.stringify(count(sku, 1, { reason: 'a\u0000b' })),
      JSON.stringify({ sku, locationId: place }),
      '{"sku":"a","sku":"b","locationId":"c","counted":1}',
      '[]',
      'null',
      '{',
      '{"__proto__":{"counted":1}}',
      JSON.stringify(count(sku, 3)),
    ];
    const results = await importRows(shop, lines.join('\n'));
    expect(
      results.rows.map(({ errors }) => (errors as { field: string }[] | undefined)?.map(({ field }) => field)),
    ).toEqual([
      ['counted'],
      ['counted'],
      ['quantity'],
      ['type', 'quantity'],
      ['quantity'],
      ['sku', 'locationId'],
      ['reason'],
      ['row'],
      ['sku'],
      ['row'],
      ['row'],
      ['row'],
      ['row'],
      undefined,
    ]);
    expect(new Set(outcomesOf(results).slice(0, -1))).toEqual(new Set(['VALIDATION_FAILED']));
    expect(await onHand(sku)).toBe(3);
  });

  it('refuses a row that would pass the limit of balances alone', async () => {
    const sku = await shop.product();
    const rows = Array.from({ length: 1002 }, () => move(sku, 'RECEIPT', 1_000_000));
    const results = await importRows(shop, [...rows, move(sku, 'RECEIPT', 1)]);
    expect(outcomesOf(results).slice(-3)).toEqual(['QUANTITY_LIMIT', 'QUANTITY_LIMIT', 'QUANTITY_LIMIT']);
    expect(await onHand(sku)).toBe(1_000_000_000);
  });

  it('lets a row have the units of holds that are due', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    await shop.reserve([{ sku, quantity: 5, locationId: place }], { ttlSeconds: 60 });
    expect(outcomesOf(await importRows(shop, [move(sku, 'SALE', 1)]))).toEqual(['INSUFFICIENT_STOCK']);
    shop.clock.advanceSeconds(60);
    const results = await importRows(shop, [move(sku, 'SALE', 6), move(sku, 'SALE', 2), move(sku, 'SALE', 3)]);
    expect(outcomesOf(results)).toEqual(['INSUFFICIENT_STOCK', 'applied', 'applied']);
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 0, held: 0 });
  });

  it('refuses lines beyond the limit, and bytes that are no UTF-8, alone', async () => {
    const sku = await shop.product();
    const row = Buffer.from(ndjson([move(sku, 'RECEIPT', 1)]));
    const long = Buffer.from(`${JSON.stringify(move(sku, 'RECEIPT', 1, { reason: 'x'.repeat(20_000) }))}\n`);
    const broken = Buffer.from([0x7b, 0xff, 0x7d, 0x0a]);
    const results = await importRows(shop, Buffer.concat([row, long, row, broken, row]));
    expect(outcomesOf(results)).toEqual(['applied', 'VALIDATION_FAILED', 'applied', 'VALIDATION_FAILED', 'applied']);
    expect([results.rows[1]?.detail, results.rows[3]?.detail]).toEqual([
      'row is longer than 16384 bytes',
      'row is not valid UTF-8',
    ]);
    expect(await onHand(sku)).toBe(3);
  });

  it('is not limited by the size of other bodies, and is unharmed by a small body that becomes a large one', async () => {
    const sku = await shop.product();
    const row = ndjson([move(sku, 'RECEIPT', 1)]);
    const bomb = `${row}${'x'.repeat(30_000_000)}\n${' '.repeat(3_000_000)}\n${row}`;
    const results = await importRows(shop, bomb, { gzip: true });
    expect(outcomesOf(results)).toEqual(['applied', 'VALIDATION_FAILED', 'VALIDATION_FAILED', 'applied']);
    expect(await onHand(sku)).toBe(2);
  });

  it('counts in the metrics what became of its rows', async () => {
    const value = async (name: string) =>
      Number(
        new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\d+)$`, 'm').exec(
          (await shop.api.get('/metrics')).text,
        )?.[1] ?? 0,
      );
    const sku = await shop.product();
    const somewhere = await shop.location();
    const rows = [
      { sku, locationId: somewhere, counted: 3 },
      { sku, locationId: somewhere, type: 'SALE', quantity: 1 },
      { sku, locationId: somewhere, type: 'SALE', quantity: 5 },
    ];
    const refusedBefore = await value('inventory_import_rows_total{outcome="refused"}');
    await importRows(shop, rows);
    expect(await value('inventory_import_rows_total{outcome="refused"}')).toBe(refusedBefore + 1);
    const sales = (status: string) =>
      value(`inventory_transactions_total{type="SALE",status="${status}",store="${somewhere}"}`);
    expect([await sales('success'), await sales('refused')]).toEqual([1, 1]);
  });

  describe('that is sent again under its key', () => {
    it('skips what is done and applies what was refused, and nothing is doubled', async () => {
      const key = freshKey();
      const [known, later] = [await shop.product(), shop.name('later')];
      const rows = [move(known, 'RECEIPT', 2), move(later, 'RECEIPT', 3), move(known, 'RECEIPT', 2)];
      expect(outcomesOf(await importRows(shop, rows, { key }))).toEqual(['applied', 'UNKNOWN_PRODUCT', 'applied']);
      await shop.product({}, later);
      expect(outcomesOf(await importRows(shop, rows, { key }))).toEqual(['duplicate', 'applied', 'duplicate']);
      const again = await importRows(shop, rows, { key });
      expect(again.summary).toEqual({ rows: 3, applied: 0, duplicate: 3, refused: 0 });
      expect([await onHand(known), await onHand(later)]).toEqual([4, 3]);
    });

    it('knows a row by its values, however they are spelt, and in whatever format', async () => {
      const key = freshKey();
      const sku = await shop.product();
      await importRows(shop, [move(sku, 'RECEIPT', 100, { reason: 'so' })], { key });
      const spelt = [
        `{ "reason":"so", "quantity":1e2, "type":"RECEIPT", "locationId":"${place}", "sku":"${sku}", "reference": null}`,
        `{"sku":"${sku}","locationId":"${place}","type":"RECEIPT","quantity":100.0,"reason":"\\u0073o"}`,
      ];
      for (const line of spelt) expect(outcomesOf(await importRows(shop, line, { key }))).toEqual(['duplicate']);
      const csv = `reason,reference,quantity,type,locationId,sku\n"so",,"100",RECEIPT,${place},${sku}`;
      expect(outcomesOf(await importRows(shop, csv, { key, type: 'text/csv' }))).toEqual(['duplicate']);
      expect(await onHand(sku)).toBe(100);
    });

    it('applies rows that have changed or were added, and remembers every content of a row', async () => {
      const key = freshKey();
      const sku = await shop.product();
      const [a, b] = [move(sku, 'RECEIPT', 1), move(sku, 'RECEIPT', 10)];
      const sent = [[a], [b], [a], [b], [a, a], [b, b]];
      const outcomes: string[][] = [];
      for (const rows of sent) outcomes.push(outcomesOf(await importRows(shop, rows, { key })));
      expect(outcomes).toEqual([
        ['applied'],
        ['applied'],
        ['duplicate'],
        ['duplicate'],
        ['duplicate', 'applied'],
        ['duplicate', 'applied'],
      ]);
      expect(await onHand(sku)).toBe(22);
    });

    it('forgets nothing: a row that comes with ever new values is refused in the end', async () => {
      const key = freshKey();
      const sku = await shop.product();
      for (let n = 1; n <= 20; n += 1) await importRows(shop, [count(sku, n)], { key });
      expect(outcomesOf(await importRows(shop, [count(sku, 21), count(sku, 7)], { key }))).toEqual([
        'IDEMPOTENCY_KEY_REUSED',
        'applied',
      ]);
      expect(outcomesOf(await importRows(shop, [count(sku, 1)], { key }))).toEqual(['duplicate']);
    });

    it('twice at the same time is applied once', async () => {
      const key = freshKey();
      const sku = await shop.product();
      const rows = Array.from({ length: 350 }, (_, n) => move(sku, 'RECEIPT', n + 1));
      const all = await Promise.all([1, 2, 3].map(() => importRows(shop, rows, { key })));
      expect(all.map(({ summary }) => summary?.refused)).toEqual([0, 0, 0]);
      expect(all.reduce((sum, { summary }) => sum + (summary?.applied ?? 0), 0)).toBe(350);
      expect(await onHand(sku)).toBe((350 * 351) / 2);
    });

    it('is new once the time of the key is over', async () => {
      const key = freshKey();
      const sku = await shop.product();
      await importRows(shop, [move(sku, 'RECEIPT', 1)], { key });
      shop.clock.advanceSeconds(24 * 3600);
      expect(outcomesOf(await importRows(shop, [move(sku, 'RECEIPT', 1)], { key }))).toEqual(['applied']);
      expect(outcomesOf(await importRows(shop, [move(sku, 'RECEIPT', 1)], { key }))).toEqual(['duplicate']);
      expect(await onHand(sku)).toBe(2);
    });

    it('shares its key with no other route, either way round', async () => {
      const sku = await shop.product();
      const [first, second] = [freshKey(), freshKey()];
      await importRows(shop, [move(sku, 'RECEIPT', 1)], { key: first });
      problemOf(await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: first }), 422, 'IDEMPOTENCY_KEY_REUSED');
      await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: second });
      problemOf(
        await tryImport(shop, ndjson([move(sku, 'RECEIPT', 1)]), { key: second }),
        422,
        'IDEMPOTENCY_KEY_REUSED',
      );
      expect(await onHand(sku)).toBe(2);
    });
  });

  describe('that cannot begin', () => {
    const HUGE = 'x'.repeat(2_000_000);

    it('is refused as any other request, in the same order', async () => {
      const used = freshKey();
      await shop.tryReserve([], {}, { key: freshKey() });
      const sku = await shop.product();
      await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: used });
      const send = (body: string, type: string | null, key: string | null, headers = {}) =>
        shop.api.post(IMPORT_PATH, new RawBody(body, type), { key, headers });

      problemOf(await shop.api.send('PUT', IMPORT_PATH, new RawBody(HUGE, 'text/xml')), 405, 'METHOD_NOT_ALLOWED');
      for (const type of ['text/xml', 'application/json', 'text/csv; charset=latin1', null]) {
        problemOf(await send(HUGE, type, null), 415, 'UNSUPPORTED_MEDIA_TYPE');
      }
      const packed = { 'content-encoding': 'br' };
      problemOf(await send(HUGE, NDJSON, null, packed), 415, 'UNSUPPORTED_MEDIA_TYPE');
      problemOf(await send(HUGE, NDJSON, null, { accept: 'text/html' }), 406, 'NOT_ACCEPTABLE');
      problemOf(await send('sku', 'text/csv', null), 400, 'IDEMPOTENCY_KEY_MISSING');
      problemOf(await send('sku', 'text/csv', used), 400, 'VALIDATION_FAILED');
      problemOf(await send('', 'text/csv', used), 400, 'VALIDATION_FAILED');
      problemOf(await send(`${HUGE}\n`, 'text/csv', used), 400, 'VALIDATION_FAILED');
      problemOf(await send('no gzip', NDJSON, used, { 'content-encoding': 'gzip' }), 400, 'VALIDATION_FAILED');
      problemOf(await shop.api.post(`${IMPORT_PATH}?dry=1`, new RawBody('', NDJSON)), 400, 'VALIDATION_FAILED');
      problemOf(await send('{}', NDJSON, used), 422, 'IDEMPOTENCY_KEY_REUSED');
    });

    it.each(['application/x-ndjson', 'application/json', 'application/*', '*/*'])(
      'answers one that accepts %s',
      async (accept) => {
        expect((await tryImport(shop, '', { headers: { accept } })).status).toBe(200);
      },
    );

    it('leaves its connection usable', async () => {
      const answer = await tryImport(shop, HUGE, { type: 'text/csv' });
      problemOf(answer, 400, 'VALIDATION_FAILED');
      expect((await shop.api.get('/health/live')).status).toBe(200);
    });
  });

  it('that breaks off says so in its last line, and what it has told is done', async () => {
    const sku = await shop.product();
    const key = freshKey();
    const rows = ndjson(
      Array.from({ length: 3_000 }, (_, n) => move(sku, 'RECEIPT', 1, { reason: `row ${n * 7919}` })),
    );
    const whole = gzipSync(rows);
    const cut = whole.subarray(0, whole.length - 200);
    const answer = await tryImport(shop, cut, { key, headers: { 'content-encoding': 'gzip' } });
    expect(answer.status).toBe(200);
    const broken: Results = resultsIn(answer.text);
    expect(broken.summary).toBeUndefined();
    expect(broken.error).toMatchObject({
      code: 'VALIDATION_FAILED',
      status: 400,
      errors: [{ field: 'body', message: 'is not valid gzip, or ends too early' }],
      correlationId: answer.headers['x-correlation-id'],
    });
    expect(await onHand(sku)).toBe(broken.rows.length);
    const { summary } = await importRows(shop, rows, { key, gzip: true });
    expect(summary).toEqual({
      rows: 3_000,
      applied: 3_000 - broken.rows.length,
      duplicate: broken.rows.length,
      refused: 0,
    });
    expect(await onHand(sku)).toBe(3_000);
  });
});
