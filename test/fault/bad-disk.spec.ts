import { statSync } from 'node:fs';
import {
  type DiskFault,
  OPEN_FAILS,
  READ_FAILS,
  ServerOnBadDisk,
  SYNC_FAILS,
  TRUNCATE_FAILS,
  WRITE_FAILS,
} from '../support/bad-disk.ts';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, type Api, freshKey, problemOf, RawBody } from '../support/http.ts';
import { IMPORT_PATH, ndjson, NDJSON, resultsIn } from '../support/importing.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { bodyOf, ShopClient, stockPath } from '../support/shop.ts';
import { lossesAndDoubles, OPENING_UNITS, type Sent, Shoppers, withoutRefusals } from '../support/shoppers.ts';
import { describeOnSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { ServerProcess } from '../support/start-process.ts';
import { describeWith } from '../support/tools.ts';

/** What docs/reliability.md promises: so long after the end of a fault it serves, and readiness says so. */
const RECOVERY_MAX_MS = 5_000;
const SHOPPERS = 4;
const ANSWERS_AMONG_FAULTS = counts(60, 2_000);
/** So many that the log is copied into the file: see sqlite-checkpoints.ts. */
const IMPORTED_ROWS = 1_500;

const DISK_BYTES = 24 * 1024 * 1024;
const LEFT_BYTES = 192 * 1024;

/** The readiness that a load balancer sees. */
function readiness(api: Api): Promise<Answer<{ checks: Record<string, { status: string }> }>> {
  return api.get('/health/ready');
}

async function isNotReadyFor(api: Api, check: string): Promise<boolean> {
  const { status, body } = await readiness(api);
  return status === 503 && body.checks[check]?.status === 'down';
}

async function isServing(what: string, attempt: () => Promise<Answer>, api: Api): Promise<void> {
  await eventually(`${what} is answered again`, async () => (await attempt()).status === 201, RECOVERY_MAX_MS);
  await eventually('it is ready again', async () => (await readiness(api)).status === 200, RECOVERY_MAX_MS);
}

async function rememberedReceipt(
  api: Api,
  { place, sku, sent }: { place: string; sku: string; sent: Sent[] },
  key: string,
): Promise<Answer> {
  const one: Sent = {
    method: 'POST',
    path: stockPath(sku, place, '/movements'),
    body: { type: 'RECEIPT', quantity: 1 },
    key,
  };
  one.answer = await api.send(one.method, one.path, one.body, { key });
  sent.push(one);
  return one.answer;
}

function expectUnavailable(answer: Answer): void {
  problemOf(answer, 503, 'UNAVAILABLE');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
}

describeWith('libfiu', 'A server whose disk fails', () => {
  let database: FreshDatabase;
  let disk: ServerOnBadDisk | undefined;
  let after: ServerProcess | undefined;
  let shop: ShopClient;
  let place: string;
  let sku: string;
  const sent: Sent[] = [];

  const api = (): Api => shop.api;
  const importMany = async (product: string, key: string): Promise<number> => {
    const rows = Array.from({ length: IMPORTED_ROWS }, () => ({
      sku: product,
      locationId: place,
      type: 'RECEIPT',
      quantity: 1,
    }));
    const answer = await api().post(IMPORT_PATH, new RawBody(ndjson(rows), NDJSON), { key });
    return resultsIn(answer.text).summary?.applied ?? -1;
  };
  const file = (): string => database.url.slice('sqlite:'.length);
  const changedAt = (): number => statSync(file()).mtimeMs;

  beforeAll(async () => {
    database = await freshDatabase('sqlite');
    disk = await ServerOnBadDisk.start({ DATABASE_URL: database.url, AUTH: 'off' });
    shop = new ShopClient(disk.server.api);
    place = await shop.location();
    sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
  });
  afterAll(async () => {
    await disk?.kill();
    await after?.kill();
    await database.drop();
  });

  it.each([SYNC_FAILS, WRITE_FAILS])('answers 503 while $name, says so, and goes on by itself', async (fault) => {
    await shopAmong(fault);
    const known = bodyOf(await api().get(stockPath(sku, place)));

    const key = freshKey();
    await during(fault, async () => {
      expectUnavailable(await receive(key));
      expect((await api().get<object>(stockPath(sku, place))).body).toEqual(known);
      expect((await api().get('/health/live')).status).toBe(200);
      await eventually('readiness says so', () => isNotReadyFor(api(), 'writer'), RECOVERY_MAX_MS);
    });
    await isServing('what nobody knew the outcome of', () => receive(key), api());
  });

  it(`answers right or 503 while ${READ_FAILS.name}, says so, and goes on by itself`, async () => {
    await during(READ_FAILS, async () => {
      // What nobody has changed is answered from memory, and rightly so.
      const refused = await eventually('something has to be read', async () => {
        await receive();
        const answer = await api().get('/v1/reservations');
        return answer.status === 200 ? undefined : answer;
      });
      expectUnavailable(refused);
      await eventually('readiness says so', () => isNotReadyFor(api(), 'reader'), RECOVERY_MAX_MS);
    });
    await isServing('a receipt', () => receive(), api());
  });

  it.each([OPEN_FAILS, TRUNCATE_FAILS])('answers on while $name, and copies its log when it can', async (fault) => {
    const product = await shop.product();
    await eventually('no copying is under way', () => Promise.resolve(Date.now() - changedAt() > 100));
    const before = changedAt();
    await during(fault, async () => {
      expect(await importMany(product, freshKey())).toBe(IMPORTED_ROWS);
      expect((await receive()).status).toBe(201);
      if (fault === OPEN_FAILS) expect(changedAt()).toBe(before);
    });
    const mended = changedAt();
    expect(await importMany(product, freshKey())).toBe(IMPORTED_ROWS);
    await eventually('the log is copied', () => Promise.resolve(changedAt() > mended), RECOVERY_MAX_MS);
    expect((await shop.stock(product, place)).onHand).toBe(2 * IMPORTED_ROWS);
  });

  it('has lost and doubled nothing, neither then nor after a crash in the middle of it', async () => {
    expect(await lossesAndDoubles(api(), place, sku, withoutRefusals(sent))).toEqual([]);
    expect(await brokenInvariants(api(), { commandsOnly: true })).toEqual([]);

    await disk?.fail(SYNC_FAILS);
    expectUnavailable(await receive());
    expect(await disk?.kill()).toContain('Could not copy the log of SQLite into its file');
    disk = undefined;
    after = await ServerProcess.start({ DATABASE_URL: database.url, AUTH: 'off' });
    shop = new ShopClient(after.api);
    expect(await lossesAndDoubles(api(), place, sku, withoutRefusals(sent))).toEqual([]);
    expect(await brokenInvariants(api(), { commandsOnly: true })).toEqual([]);
  });

  async function during(fault: DiskFault, look: () => Promise<void>): Promise<void> {
    await disk?.fail(fault);
    try {
      await look();
    } finally {
      await disk?.mend(fault);
    }
  }

  /** A receipt that is kept among what is compared in the end. */
  function receive(key = freshKey()): Promise<Answer> {
    return rememberedReceipt(api(), { place, sku, sent }, key);
  }

  /** Faults at random moments of a mixed load; everything is answered, with 503 or right. */
  async function shopAmong(fault: DiskFault): Promise<void> {
    const before = sent.length;
    const shoppers = new Shoppers(api(), place, sku, sent);
    const enough = shoppers.answeredCount + ANSWERS_AMONG_FAULTS;
    shoppers.start(SHOPPERS);
    await disk?.fail(fault, 0.2);
    await eventually('there were faults', () =>
      Promise.resolve(
        shoppers.answeredCount >= enough && sent.slice(before).some(({ answer }) => answer?.status === 503),
      ),
    );
    await disk?.mend(fault);
    await shoppers.stop();
    for (const { answer } of sent.slice(before)) {
      if (answer === undefined || answer.status >= 300) expectUnavailable(answer as Answer);
    }
  }
});

describeOnSmallDisk('A server whose disk is full', DISK_BYTES, (disk: SmallDisk) => {
  let server: ServerProcess;
  afterAll(async () => {
    await server.kill();
  });

  it('refuses what it cannot store, reads on, says so, and goes on when there is room', async () => {
    const url = `sqlite:${disk.folder}/holdfast.sqlite`;
    const env = { DATABASE_URL: url, AUTH: 'off', DISK_FREE_BYTES_MIN: '65536' };
    server = await ServerProcess.start(env);
    const shop = new ShopClient(server.api);
    const place = await shop.location();
    const sku = await shop.product();
    await shop.receive(sku, place, OPENING_UNITS);
    const sent: Sent[] = [];
    const shoppers = new Shoppers(server.api, place, sku, sent);
    disk.fill(LEFT_BYTES);
    shoppers.start(SHOPPERS);
    await eventually('it is full', () => Promise.resolve(sent.some(({ answer }) => answer?.status === 503)));
    await shoppers.stop();

    for (const { answer } of sent)
      if (answer === undefined || answer.status >= 300) expectUnavailable(answer as Answer);
    expect((await server.api.get(stockPath(sku, place))).status).toBe(200);
    await eventually('readiness says so', () => isNotReadyFor(server.api, 'disk'), RECOVERY_MAX_MS);

    disk.empty();
    await isServing('a receipt', () => rememberedReceipt(server.api, { place, sku, sent }, freshKey()), server.api);
    expect(await lossesAndDoubles(server.api, place, sku, withoutRefusals(sent))).toEqual([]);
    await server.kill();
    server = await ServerProcess.start(env);
    expect(await lossesAndDoubles(server.api, place, sku, withoutRefusals(sent))).toEqual([]);
  });
});
