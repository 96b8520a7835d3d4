import { eventually } from '../support/eventually.ts';
import { freshKey, problemOf } from '../support/http.ts';
import { IMPORT_PATH, importRows, NDJSON, ndjson, outcomesOf, SlowImport, tryImport } from '../support/importing.ts';
import { RawConnection } from '../support/raw-http.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { ShopClient, useShop } from '../support/shop.ts';

/** The shortest time that a request may take is a second; Node looks for late ones once a second. */
const IMPATIENT = { REQUEST_TIMEOUT_MS: '1000', IMPORTS_MAX: '2' };

/** A kilobyte of faults for each row, so that a few thousand results are more than the buffers of a connection take. */
function wrongRows(rows: number): string {
  const wrong = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`${n}`.padEnd(60, 'x'), 1]));
  return ndjson(Array.from({ length: rows }, () => ({ ...wrong, type: 'SALE' })));
}

describeOnBothEngines('An import that is under way', (engine) => {
  const shop = useShop(engine, IMPATIENT);
  let place: string;
  let sku: string;

  beforeAll(async () => {
    place = await shop.location();
  });

  beforeEach(async () => {
    sku = await shop.product();
  });

  const receipt = (quantity: number, more: object = {}) => ({
    sku,
    locationId: place,
    type: 'RECEIPT',
    quantity,
    ...more,
  });
  const receipts = (rows: number) => ndjson(Array.from({ length: rows }, () => receipt(1)));
  const onHand = async () => (await shop.stock(sku, place)).onHand;

  it('tells of rows while others are still to come, be they few or many', async () => {
    const upload = SlowImport.open(shop.url, freshKey());
    upload.write(receipts(1));
    expect(outcomesOf(await upload.until(({ rows }) => rows.length === 1))).toEqual(['applied']);
    expect(await onHand()).toBe(1);
    upload.write(receipts(250) + receipts(1).slice(0, 20));
    await upload.until(({ rows }) => rows.length === 251);
    upload.write(receipts(1).slice(20));
    upload.end();
    const { rows, summary } = await upload.done();
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 252 }, (_, n) => n + 1));
    expect(summary).toEqual({ rows: 252, applied: 252, duplicate: 0, refused: 0 });
  });

  it('takes its time as long as rows keep coming, and other requests on its connection do not', async () => {
    const connection = await RawConnection.open(shop.url);
    const head = `POST ${IMPORT_PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: ${NDJSON}\r\nTransfer-Encoding: chunked\r\n`;
    const startedAt = performance.now();
    connection.write(`${head}Idempotency-Key: ${freshKey()}\r\n\r\n`);
    let sent = 0;
    // Well past the time that other requests have, in steps that are well within it.
    await eventually('enough time is over', () => {
      const row = receipts(1);
      connection.write(`${row.length.toString(16)}\r\n${row}\r\n`);
      sent += 1;
      return Promise.resolve(performance.now() - startedAt > 3_500);
    });
    connection.write('0\r\n\r\n');
    await eventually('all rows are applied', async () => (await onHand()) === sent);
    connection.write(
      'POST /v1/reservations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    const received = await connection.rest();
    expect(received).toContain(`{"summary":{"rows":${sent},"applied":${sent},"duplicate":0,"refused":0}}`);
    expect(received).toContain('"code":"REQUEST_TIMEOUT"');
  });

  it('is broken off when nothing comes any more, after the rows that have come', async () => {
    const upload = SlowImport.open(shop.url, freshKey());
    upload.write(`${receipts(3)}{"sku":`);
    const { rows, summary, error } = await upload.done();
    expect([rows.length, summary, error?.code, error?.status]).toEqual([3, undefined, 'REQUEST_TIMEOUT', 408]);
    expect(await onHand()).toBe(3);
  });

  it('is refused when nothing comes at all', async () => {
    const connection = await RawConnection.open(shop.url);
    connection.write(
      `POST ${IMPORT_PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: 90\r\nIdempotency-Key: ${freshKey()}\r\n\r\nsku`,
    );
    const answer = await connection.answer();
    expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([408, 'REQUEST_TIMEOUT']);
    connection.close();
  });

  it('is refused by its header with the connection as it was: the rest is passed over, the next request answered', async () => {
    const connection = await RawConnection.open(shop.url);
    // More than what a stream holds, so that somebody has to read on.
    const body = `no;header\n${'x\n'.repeat(500_000)}`;
    const head = `POST ${IMPORT_PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: ${body.length}\r\n`;
    connection.write(`${head}Idempotency-Key: ${freshKey()}\r\n\r\n${body}`);
    connection.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.answer()).status).toBe(400);
    expect((await connection.answer()).status).toBe(200);
    connection.close();
  });

  it('goes on where it was cut when it is sent again', async () => {
    const key = freshKey();
    const rows = Array.from({ length: 1_200 }, (_, n) => receipt(1, { reference: `R-${n}` }));
    const upload = SlowImport.open(shop.url, key);
    upload.write(ndjson(rows.slice(0, 700)));
    await upload.until((results) => results.rows.length >= 200);
    upload.cut();

    const { summary } = await importRows(shop, rows, { key });
    expect(summary?.refused).toBe(0);
    expect(summary?.duplicate).toBeGreaterThanOrEqual(200);
    expect(await onHand()).toBe(1_200);
    expect((await importRows(shop, rows, { key })).summary?.duplicate).toBe(1_200);
  });

  it('waits for a reader who is slow, and reads no further meanwhile', async () => {
    const [rows, atATime] = [30_000, 1_000];
    const refusedRows = async () => {
      const { text } = await shop.api.get('/metrics');
      return Number(/inventory_import_rows_total{outcome="refused"} (\d+)/.exec(text)?.[1]);
    };
    const before = await refusedRows();
    const upload = SlowImport.open(shop.url, freshKey());
    upload.write(receipts(1));
    await upload.until((results) => results.rows.length === 1);
    upload.pause();
    const piece = wrongRows(atATime);
    for (let sent = 0; sent < rows; sent += atATime) upload.write(piece);
    upload.end();
    const seen: number[] = [];
    await eventually('no more rows are read', async () => {
      seen.push((await refusedRows()) - before);
      return seen.length > 30 && seen.at(-30) === seen.at(-1);
    });
    expect(seen.at(-1)).toBeLessThan(rows);
    upload.goOn();
    expect((await upload.done()).summary).toEqual({ rows: rows + 1, applied: 1, duplicate: 0, refused: rows });
  });

  it('is one of few: another is told to come again, until one is done or gone', async () => {
    const uploads = [SlowImport.open(shop.url, freshKey()), SlowImport.open(shop.url, freshKey())];
    for (const upload of uploads) {
      upload.write(receipts(1));
      await upload.until(({ rows }) => rows.length === 1);
    }
    const busy = await tryImport(shop, receipts(1));
    problemOf(busy, 503, 'BUSY');
    expect(Number(busy.headers['retry-after'])).toBeGreaterThan(0);
    const [first, second] = uploads;
    first?.end();
    await first?.done();
    expect((await tryImport(shop, receipts(1))).status).toBe(200);
    second?.cut();
    await eventually('both places are free', async () => {
      const both = await Promise.all([tryImport(shop, receipts(1)), tryImport(shop, receipts(1))]);
      return both.every(({ status }) => status === 200);
    });
  });

  it('lets requests of others through between its rows', async () => {
    const upload = SlowImport.open(shop.url, freshKey());
    upload.write(receipts(3_000));
    await upload.until(({ rows }) => rows.length > 0);
    const other = new ShopClient(shop.api, 'meanwhile-');
    const reserved = await other.stocked({ [place]: 1 });
    await other.reserve([{ sku: reserved, quantity: 1 }]);
    expect(upload.results.rows.length).toBeLessThan(3_000);
    upload.end();
    expect((await upload.done()).summary?.applied).toBe(3_000);
  });
});

describe('An import whose results nobody reads', () => {
  const shop = useShop('sqlite', { IMPORTS_MAX: '1', IMPORT_UNREAD_MAX_MS: '1000' });

  it('is cut after a while, so that another has its place', async () => {
    const upload = SlowImport.open(shop.url, freshKey());
    upload.write(wrongRows(1));
    await upload.until(({ rows }) => rows.length === 1);
    upload.pause();
    upload.write(wrongRows(30_000));
    problemOf(await tryImport(shop, wrongRows(1)), 503, 'BUSY');
    await eventually('the place is free', async () => (await tryImport(shop, wrongRows(1))).status === 200);
    upload.goOn();
    expect((await upload.done()).summary).toBeUndefined();
  });
});
