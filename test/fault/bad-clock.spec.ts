import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { problemOf } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { rowsOf } from '../support/sql.ts';
import { bodyOf, type Reservation, ShopClient } from '../support/shop.ts';
import { ServerProcess } from '../support/start-process.ts';
import { describeWith, FAKETIME_LIBRARY } from '../support/tools.ts';

const MINUTE_MS = 60_000;
const QUARTER = 15 * MINUTE_MS;
/** How soon a jump is seen: the library reads its file at each look at the clock. */
const SEEN_MAX_MS = 5_000;

/** A server whose system clock a test sets while it runs (libfaketime); the monotonic clock goes on. */
class ServerOnBadClock {
  private readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-clock-'));
  private readonly file = join(this.folder, 'offset');
  server!: ServerProcess;

  constructor() {
    this.set(0);
  }

  async start(databaseUrl: string, more: Readonly<Record<string, string>>): Promise<ShopClient> {
    this.server = await ServerProcess.start({
      DATABASE_URL: databaseUrl,
      AUTH: 'off',
      LD_PRELOAD: FAKETIME_LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      ...more,
    });
    return new ShopClient(this.server.api);
  }

  /** @param offsetMs from the right time; in one step, so that no look finds half of it */
  set(offsetMs: number): void {
    const seconds = offsetMs / 1000;
    writeFileSync(`${this.file}.next`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(`${this.file}.next`, this.file);
  }

  /** As every answer of Node's says it: the system's clock, not ours. */
  async systemIsAhead(): Promise<number> {
    const { headers } = await this.server.api.get('/health/live');
    return Date.parse(String(headers.date)) - Date.now();
  }

  async close(): Promise<void> {
    await this.server.kill();
    rmSync(this.folder, { recursive: true });
  }
}

describeWith('libfaketime', 'A server whose clock jumps', () => {
  let database: FreshDatabase;
  let clock: ServerOnBadClock;
  let shop: ShopClient;
  let place: string;
  let sku: string;
  /** Those that the jump ends. */
  const ended: Reservation[] = [];

  beforeAll(async () => {
    database = await freshDatabase('sqlite');
    clock = new ServerOnBadClock();
    // Nothing stores what is over, so that the clock alone has to keep it so.
    shop = await clock.start(database.url, { SWEEP_INTERVAL_MS: '60000' });
    place = await shop.location();
    sku = await shop.product();
    await shop.receive(sku, place, 10);
  });
  afterAll(async () => {
    await clock.close();
    await database.drop();
  });

  const reserve = (quantity: number, ttlSeconds: number): Promise<Reservation> =>
    shop.reserve([{ sku, quantity }], { ttlSeconds });
  const confirm = (id: string) => clock.server.api.post(`/v1/reservations/${id}/confirm`, { orderId: `order-${id}` });
  const jump = async (offsetMs: number): Promise<void> => {
    clock.set(offsetMs);
    await eventually(
      'the clock has jumped',
      async () => Math.abs((await clock.systemIsAhead()) - offsetMs) < 3_000,
      SEEN_MAX_MS,
    );
  };

  it('ends holds as early as the jump explains and no earlier, revives none, and dates nothing backwards', async () => {
    ended.push(await reserve(2, 600), await reserve(3, 840));
    const long = await reserve(5, 1_800);

    await jump(QUARTER);
    for (const over of ended) {
      expect((await shop.reservation(over.id)).status).toBe('EXPIRED');
      problemOf(await confirm(over.id), 409, 'RESERVATION_EXPIRED');
    }
    expect(await shop.reservation(long.id)).toEqual(long);
    // Somebody else has the units of the one now; nobody has asked for those of the other.
    const next = await reserve(2, 1_800);
    expect(Date.parse(next.createdAt) - Date.parse(long.createdAt)).toBeGreaterThanOrEqual(QUARTER);

    await jump(0);
    for (const over of ended) {
      expect((await shop.reservation(over.id)).status).toBe('EXPIRED');
      problemOf(await confirm(over.id), 409, 'RESERVATION_EXPIRED');
      problemOf(await clock.server.api.post(`/v1/reservations/${over.id}/refresh`, {}), 409, 'RESERVATION_EXPIRED');
    }
    const later = bodyOf(await clock.server.api.post<Reservation>(`/v1/reservations/${next.id}/refresh`, {}));
    expect(later.updatedAt >= next.updatedAt).toBe(true);

    await jump(-MINUTE_MS);
    const brief = await reserve(1, 1);
    expect(brief.createdAt >= later.updatedAt).toBe(true);
    await eventually(
      'a second passes',
      async () => (await shop.reservation(brief.id)).status === 'EXPIRED',
      SEEN_MAX_MS,
    );
    expect((await confirm(long.id)).status).toBe(200);
    await shop.receive(sku, place, 1);
    const ledger = await shop.ledger(sku, place);
    const dates = ledger.map(({ occurredAt }) => occurredAt);
    expect(dates).toEqual([...dates].sort().reverse());
  });

  it('starts with the right time when it is started again, and what was stored as over stays so', async () => {
    await clock.server.kill();
    clock.set(QUARTER);
    await clock.start(database.url, {});
    await eventually('both are stored as over', async () => {
      const stored = await rowsOf(database.url, "SELECT id FROM reservations WHERE status = 'EXPIRED'");
      return ended.every(({ id }) => stored.some((row) => (row as { id: string }).id === id));
    });

    await clock.server.kill();
    clock.set(0);
    shop = await clock.start(database.url, {});
    const made = await reserve(1, 60);
    expect(Math.abs(Date.parse(made.createdAt) - Date.now())).toBeLessThan(MINUTE_MS);
    for (const { id, expiresAt } of ended) {
      expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
      expect((await shop.reservation(id)).status).toBe('EXPIRED');
      problemOf(await confirm(id), 409, 'RESERVATION_EXPIRED');
    }
    await shop.receive(sku, place, 1);
    expect(await brokenInvariants(clock.server.api, { commandsOnly: true })).toEqual([]);
  });
});
