import { Metrics } from '../../src/shared/operations/metrics.ts';
import { EventRetention } from '../../src/shared/outbox/event-retention.ts';
import { eventually } from '../support/eventually.ts';
import { freshKey, problemOf, RawBody } from '../support/http.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { passDays, purge } from '../support/retention.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { allPages, type Reservation, useShop } from '../support/shop.ts';
import { rowsOf } from '../support/sql.ts';
import { startApp } from '../support/start-app.ts';
import { metricValue } from '../support/write-path.ts';

interface StoredEvent {
  readonly position: number;
  readonly subject: string;
}

describeOnBothEngines('What has been kept for its time', (engine) => {
  const shop = useShop(engine, { PURGE_CHUNK_ROWS: '10', LOG_LEVEL: 'silent' });
  let place: string;

  beforeAll(async () => {
    place = await shop.location();
    shop.app.app.get(EventRetention, { strict: false }).keepWhatIsNeeded(() => Promise.resolve(needed));
  });

  afterEach(() => {
    needed = null;
  });

  const count = async (from: string): Promise<number> => {
    const [row] = await rowsOf<{ rows: number }>(shop.app.databaseUrl, `SELECT COUNT(*) AS rows FROM ${from}`);
    return Number(row?.rows);
  };
  const storedEvents = async (): Promise<StoredEvent[]> => {
    const rows = await rowsOf<{ position: number | string; subject: string }>(
      shop.app.databaseUrl,
      'SELECT position, subject FROM outbox_events ORDER BY position',
    );
    return rows.map(({ position, subject }) => ({ position: Number(position), subject }));
  };
  const purgedThrough = () => shop.app.app.get(EventRetention, { strict: false }).purgedThrough();
  const metric = (name: string, kind?: string): Promise<number> =>
    metricValue(shop.app.app.get(Metrics, { strict: false }), name, kind === undefined ? {} : { kind });
  let needed: number | null = null;

  it('goes: keys that have expired, in as many pieces as it takes, and no others', async () => {
    const sku = await shop.product();
    for (let i = 0; i < 35; i++) await shop.receive(sku, place, 1);
    const renewed = freshKey();
    await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: renewed });
    shop.clock.advanceSeconds(24 * 3600);
    await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: renewed });
    const kept = freshKey();
    const first = await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: kept });
    expect(await count('idempotency_keys')).toBeGreaterThanOrEqual(37);
    const before = await metric('retention_purged_rows_total', 'idempotency_keys');

    await purge(shop.app);

    const left = await rowsOf<{ key: string }>(shop.app.databaseUrl, 'SELECT key FROM idempotency_keys ORDER BY key');
    expect(left.map(({ key }) => key)).toEqual([kept, renewed].sort());
    expect((await metric('retention_purged_rows_total', 'idempotency_keys')) - before).toBeGreaterThanOrEqual(35);
    const again = await shop.tryMove(sku, place, 'RECEIPT', 1, {}, { key: kept });
    expect([again.text, again.headers['idempotency-replayed']]).toEqual([first.text, 'true']);
  });

  it('goes: what an import has noted of its rows', async () => {
    const sku = await shop.product();
    const rows = new RawBody(`{"sku":"${sku}","locationId":"${place}","counted":3}\n`, 'application/x-ndjson');
    expect((await shop.api.post('/v1/stock/import', rows)).text).toContain('"applied"');
    expect(await count('import_chunks')).toBe(1);
    shop.clock.advanceSeconds(24 * 3600);

    await purge(shop.app);

    expect(await count('import_chunks')).toBe(0);
  });

  it('goes: events that are old, from the front, but not those of reservations that are still there', async () => {
    const sku = await shop.stocked({ [place]: 100 });
    for (let i = 0; i < 20; i++) await shop.receive(sku, place, 1);
    const { id } = await shop.reserve([{ sku, quantity: 1 }], { ttlSeconds: 60 });
    await shop.cancel(id);
    const old = await storedEvents();
    await passDays(shop.app, 20);
    for (let i = 0; i < 12; i++) await shop.receive(sku, place, 1);
    const young = (await storedEvents()).slice(old.length);
    await passDays(shop.app, 10);

    await purge(shop.app);

    const ofReservations = old.filter(({ subject }) => subject.startsWith('reservation/'));
    expect(ofReservations.length).toBeGreaterThanOrEqual(2);
    expect(await storedEvents()).toEqual([...ofReservations, ...young]);
    expect(await purgedThrough()).toBe(old.at(-1)?.position);
    // The ledger is never purged: balances are its sum.
    expect((await shop.ledger(sku, place)).length).toBe(33);
    expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
  });

  it('stays: events that somebody has still to read, with everything behind them', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    await passDays(shop.app, 31);
    const all = await storedEvents();
    const stock = all.filter(({ subject }) => subject.startsWith('stock/'));
    needed = stock.at(-2)?.position ?? 0;

    await purge(shop.app);
    expect(await purgedThrough()).toBe(needed - 1);
    expect((await storedEvents()).filter(({ position }) => position >= needed!)).toEqual(
      all.filter(({ position }) => position >= needed!),
    );
    expect(await metric('retention_overdue_seconds', 'events')).toBeGreaterThanOrEqual(86_400);

    needed = null;
    await purge(shop.app);
    expect(await purgedThrough()).toBe(all.at(-1)?.position);
    expect((await storedEvents()).some(({ subject }) => subject.includes(sku))).toBe(false);
  });

  it('goes: reservations that ended long ago, with their events and places in one commit', async () => {
    const sku = await shop.stocked({ [place]: 100 });
    const lines = [{ sku, quantity: 1 }];
    const gone: Reservation[] = [];
    for (let i = 0; i < 7; i++) gone.push(await shop.reserve(lines));
    for (const { id } of gone.slice(0, 3)) await shop.cancel(id);
    for (const { id } of gone.slice(3)) await shop.confirm(id);
    for (const { id } of gone.slice(3)) await shop.fulfil(id);
    const paid = await shop.reserve(lines);
    await shop.confirm(paid.id);
    await passDays(shop.app, 1);
    const later = await shop.reserve(lines);
    await shop.cancel(later.id);
    await passDays(shop.app, 399);

    await purge(shop.app);

    const left = await allPages<Reservation>(shop.api, '/v1/reservations');
    expect(left.map(({ id }) => id)).toEqual([later.id, paid.id]);
    problemOf(await shop.api.get(`/v1/reservations/${gone[0]?.id}`), 404, 'NOT_FOUND');
    expect(await allPages<Reservation>(shop.api, `/v1/reservations?locationId=${place}`)).toHaveLength(2);
    expect(await count('reservation_places')).toBe(2);
    const subjects = new Set((await storedEvents()).map(({ subject }) => subject));
    expect(subjects).toEqual(new Set([`reservation/${later.id}`, `reservation/${paid.id}`]));
    expect(await shop.stock(sku, place)).toMatchObject({ onHand: 96, held: 0, committed: 1 });
    expect(await brokenInvariants(shop.api, { commandsOnly: true })).toEqual([]);
  });

  it('stays: reservations while somebody has still to read their events', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    const [first, second] = [await shop.reserve([{ sku, quantity: 1 }]), await shop.reserve([{ sku, quantity: 1 }])];
    await shop.cancel(first.id);
    await shop.cancel(second.id);
    await passDays(shop.app, 401);
    const created = (await storedEvents()).filter(({ subject }) => subject === `reservation/${second.id}`).at(-1);
    needed = created?.position ?? 0;

    await purge(shop.app);
    problemOf(await shop.api.get(`/v1/reservations/${first.id}`), 404, 'NOT_FOUND');
    expect((await shop.reservation(second.id)).status).toBe('CANCELLED');

    needed = null;
    await purge(shop.app);
    problemOf(await shop.api.get(`/v1/reservations/${second.id}`), 404, 'NOT_FOUND');
    await eventually('nothing is overdue', async () => (await metric('retention_overdue_seconds', 'events')) === 0);
  });

  it('goes, although a wrong clock has dated it in the future, when what follows is old', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    shop.clock.advanceSeconds(365 * 86_400);
    for (let i = 0; i < 60; i++) await shop.receive(sku, place, 1);
    shop.clock.advanceSeconds(-365 * 86_400);
    await passDays(shop.app, 1);
    await shop.receive(sku, place, 1);
    const last = (await storedEvents()).at(-1);
    await passDays(shop.app, 29);

    await purge(shop.app);
    expect((await storedEvents()).filter(({ subject }) => subject.includes(sku))).toHaveLength(60 + 1);

    await passDays(shop.app, 1);
    await purge(shop.app);
    expect((await storedEvents()).some(({ subject }) => subject.includes(sku))).toBe(false);
    expect(await purgedThrough()).toBe(last?.position);
  });

  it('does not go because a clock jumped a year ahead: three days of it at once, and a warning number', async () => {
    const sku = await shop.stocked({ [place]: 5 });
    await passDays(shop.app, 28);
    await shop.receive(sku, place, 1);
    const before = await storedEvents();
    const young = before.at(-1)!;
    shop.clock.advanceSeconds(365 * 86_400);

    await purge(shop.app);

    // 28 days and three more make the first ones old, and not the last one.
    expect(await storedEvents()).toEqual(before.filter((event) => event === young || isOfReservation(event)));
    expect(await metric('retention_clock_lag_seconds')).toBeGreaterThan(300 * 86_400);
    shop.clock.advanceSeconds(-365 * 86_400);
    await purge(shop.app);
    expect((await storedEvents()).at(-1)).toEqual(young);
  });
});

function isOfReservation({ subject }: StoredEvent): boolean {
  return subject.startsWith('reservation/');
}

describeOnBothEngines('The purge of a running server', (engine) => {
  const shop = useShop(engine, { PURGE_INTERVAL_MS: '10' });

  it('comes by itself', async () => {
    const place = await shop.location();
    await shop.stocked({ [place]: 5 });
    shop.clock.advanceSeconds(24 * 3600);
    await eventually('the keys are gone', async () => {
      const rows = await rowsOf(shop.app.databaseUrl, 'SELECT key FROM idempotency_keys');
      return rows.length === 0;
    });
  });
});

describeOnPostgres('Two servers that purge one database', () => {
  it('share the work and make no batch of the other run again', async () => {
    // Two that write one audit log do get in each other's way, and say so.
    const env = { PURGE_CHUNK_ROWS: '10', AUDIT: 'off' };
    const one = await startApp('postgres', env);
    const other = await startApp('postgres', { ...env, DATABASE_URL: one.databaseUrl });
    try {
      const sku = 'two-servers';
      await one.api.put('/v1/locations/L', { name: 'L', kind: 'STORE' });
      await one.api.put(`/v1/products/${sku}`, { name: sku });
      const receive = () => one.api.post(`/v1/stock/${sku}/L/movements`, { type: 'RECEIPT', quantity: 1 });
      for (let i = 0; i < 60; i++) await receive();
      await passDays(one, 31);
      other.clock.set(one.clock.iso());

      await Promise.all([purge(one), purge(other), ...Array.from({ length: 20 }, receive), purge(other), purge(one)]);
      await purge(one);

      const count = async (sql: string) => Number((await rowsOf<{ n: number }>(one.databaseUrl, sql))[0]?.n);
      expect(await count('SELECT COUNT(*) AS n FROM idempotency_keys')).toBe(20);
      expect(await count('SELECT COUNT(*) AS n FROM outbox_events')).toBe(20);
      const metrics = await Promise.all([one, other].map(async ({ api }) => (await api.get('/metrics')).text));
      const sum = (name: string) =>
        metrics.reduce((total, text) => {
          const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
          return total + Number(line?.split(' ')[1]);
        }, 0);
      expect(sum('retention_purged_rows_total{kind="idempotency_keys"}')).toBe(60);
      expect(sum('unit_of_work_version_conflicts_total')).toBe(0);
    } finally {
      await other.close();
      await one.close();
    }
  });
});
