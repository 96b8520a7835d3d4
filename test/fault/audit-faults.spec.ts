import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUDITED_EVENT_TYPES } from '../../src/published-events.ts';
import { AUDIT_CONSUMER, AuditWriter } from '../../src/shared/audit/audit-writer.ts';
import { PurgePieces } from '../../src/shared/housekeeping/purge-pieces.ts';
import { NO_TENANT, RetentionMarks } from '../../src/shared/housekeeping/retention-marks.ts';
import { Metrics } from '../../src/shared/operations/metrics.ts';
import { Dispatch } from '../../src/shared/outbox/dispatch.ts';
import type { Engine as DatabaseEngine } from '../../src/shared/persistence/engine/engine.ts';
import { UnitOfWork } from '../../src/shared/persistence/unit-of-work.ts';
import { restoreBackup } from '../../scripts/backup/restore-backup.ts';
import { takeBackup } from '../../scripts/backup/take-backup.ts';
import { auditOf, verified } from '../support/auditing.ts';
import { freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { FaultyEngine } from '../support/faulty-engine.ts';
import { type GuardedApp, startGuardedApp } from '../support/guarded-app.ts';
import { importRows } from '../support/importing.ts';
import { passDays, purge } from '../support/retention.ts';
import { describeOnBothEngines, describeOnPostgres, type Engine } from '../support/services.ts';
import { bodyOf, ShopClient, useShop } from '../support/shop.ts';
import { change, rowsOf } from '../support/sql.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { metricValue } from '../support/write-path.ts';

interface Chained {
  readonly number: number | string;
  readonly id: string;
  readonly hash: string;
}

const writerOf = ({ app }: RunningApp): AuditWriter => app.get(AuditWriter, { strict: false });
const metricOf = ({ app }: RunningApp, name: string) => metricValue(app.get(Metrics, { strict: false }), name);

const entriesOf = (url: string, tenant: string): Promise<Chained[]> =>
  rowsOf<Chained>(
    url,
    `SELECT number, event_id AS id, hash FROM audit_entries WHERE tenant_id = '${tenant}' ORDER BY number`,
  );

/** The audited events that the log of a tenant still has, in its order. */
async function auditedOf(url: string, tenant: string): Promise<string[]> {
  const types = AUDITED_EVENT_TYPES.map((type) => `'${type}'`).join(', ');
  const rows = await rowsOf<{ id: string }>(
    url,
    `SELECT event_id AS id FROM outbox_events WHERE tenant_id = '${tenant}' AND type IN (${types}) ORDER BY position`,
  );
  return rows.map(({ id }) => id);
}

/** Each audited event of the whole log has one entry, numbered in the order of the log, and the verifier finds nothing. */
async function expectWhole(url: string, tenants: readonly string[] = ['default']): Promise<void> {
  for (const tenant of tenants) {
    const [entries, events] = [await entriesOf(url, tenant), await auditedOf(url, tenant)];
    expect(entries.map(({ id }) => id)).toEqual(events);
    expect(entries.map(({ number }) => Number(number))).toEqual(events.map((_, index) => index + 1));
  }
  expect((await verified(url)).faults).toEqual([]);
}

async function expectCaughtUp(running: RunningApp, tenant = 'default'): Promise<void> {
  expect(await writerOf(running).caughtUp(tenant, 20_000)).toBe(true);
}

/** Puts faults between the write path of an app and its database. */
function faultyEngineOf({ app }: RunningApp): FaultyEngine {
  const unitOfWork = app.get(UnitOfWork, { strict: false });
  const faulty = new FaultyEngine(Reflect.get(unitOfWork, 'engine') as DatabaseEngine);
  Reflect.set(unitOfWork, 'engine', faulty);
  return faulty;
}

describeOnBothEngines('The audit whose commit fails', (engine) => {
  const shop = useShop(engine, { RELAY_INTERVAL_MS: '60000', AUDIT_KEEP_DAYS: '40' });
  let faulty: FaultyEngine;
  let place: string;
  let sku: string;

  beforeAll(async () => {
    faulty = faultyEngineOf(shop.app);
    [place, sku] = [await shop.location(), await shop.product()];
  });

  afterEach(() => {
    faulty.fault = undefined;
  });

  const error = Object.assign(new Error('planted'), { code: engine === 'sqlite' ? 'SQLITE_IOERR' : '08006' });
  const struck = () => (faulty.fault?.times ?? 1) < 1;

  /** The entries may share a commit with it: then it gets the fault, too, and asks again under its key. */
  async function receiveSurely(units: number): Promise<void> {
    const key = shop.name('key');
    await eventually('the receipt is answered', async () => {
      return (await shop.tryMove(sku, place, 'RECEIPT', units, {}, { key })).status === 201;
    });
  }

  it.each([
    ['is cut off', false],
    ['is done, and its answer lost', true],
  ])('and %s, time and again, has each event once and in the order of the log', async (_what, after) => {
    for (let round = 1; round <= 3; round += 1) {
      faulty.fault = { step: 'commit', writing: 'audit_entries', after, times: 1, error };
      for (let units = 1; units <= round; units += 1) await receiveSurely(units);
      await expectCaughtUp(shop.app);
      expect(struck()).toBe(true);
      await expectWhole(shop.app.databaseUrl);
    }
  });

  it('at any of its statements, has each event once and in the order of the log', async () => {
    let strikes = 0;
    for (let skip = 0, over = false; !over; skip += 1) {
      expect(skip).toBeLessThan(60);
      await shop.receive(sku, place, 1);
      faulty.fault = { step: 'any', after: skip % 2 === 1, skip, times: 1, error };
      await expectCaughtUp(shop.app);
      over = !struck();
      if (!over) strikes += 1;
      faulty.fault = undefined;
      await expectWhole(shop.app.databaseUrl);
    }
    expect(strikes).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ['is cut off', false],
    ['is done, and its answer lost', true],
  ])('while a purge of old entries %s, keeps the anchor, and the rest is verified from there', async (_what, after) => {
    const url = shop.app.databaseUrl;
    await shop.receive(sku, place, 1);
    await expectCaughtUp(shop.app);
    const old = await entriesOf(url, 'default');
    await passDays(shop.app, 20);
    for (let units = 1; units <= 3; units += 1) await shop.receive(sku, place, units);
    await passDays(shop.app, 22);

    faulty.fault = { step: 'commit', writing: 'audit_chains', after, times: 1, error };
    await purge(shop.app).catch(() => undefined);
    expect(struck()).toBe(true);
    expect((await verified(url)).faults).toEqual([]);
    await purge(shop.app);
    await expectCaughtUp(shop.app);

    const last = old.at(-1)!;
    const chains = "SELECT purged_number, purged_hash FROM audit_chains WHERE tenant_id = 'default'";
    const [anchor] = await rowsOf<{ purged_number: number | string; purged_hash: string }>(url, chains);
    expect([Number(anchor?.purged_number), anchor?.purged_hash]).toEqual([Number(last.number), last.hash]);
    const left = await entriesOf(url, 'default');
    expect(Number(left[0]?.number)).toBe(Number(last.number) + 1);
    expect(left.length).toBeGreaterThanOrEqual(4);
    const told = await auditOf(shop.api, '?action=access.audit.purged');
    expect(told.map(({ data }) => data)).toContainEqual({ number: Number(last.number), hash: last.hash });
    expect((await verified(url)).faults).toEqual([]);
  });
});

describeOnPostgres('The audit that two servers write', () => {
  let one: GuardedApp;
  let other: GuardedApp;

  beforeAll(async () => {
    one = await startGuardedApp('postgres');
    other = await one.another('postgres');
  });

  afterAll(async () => {
    await other.close();
    await one.close();
  });

  it('is one chain for each tenant, without a fork and without a hole', async () => {
    const tenants = ['t1', 't2', 't3'];
    const clients: { readonly sku: string; readonly place: string; readonly shops: readonly ShopClient[] }[] = [];
    for (const tenantId of tenants) {
      bodyOf(await one.admin.post('/v1/admin/tenants', { id: tenantId, name: tenantId }), 201);
      const { key } = await one.makeKey({ role: 'operator', tenantId });
      const shops = [one, other].map((server) => new ShopClient(server.withKey(key), `${tenantId}-`));
      clients.push({ place: await shops[0]!.location(), sku: await shops[0]!.product(), shops });
    }
    let left = 360;
    const caller = async (first: number): Promise<void> => {
      for (let turn = first; left > 0; turn += 1) {
        left -= 1;
        const { shops, sku, place } = clients[turn % clients.length]!;
        await shops[(turn >> 1) % 2]!.receive(sku, place, 1);
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, first) => caller(first)));
    for (const server of [one, other]) for (const tenant of tenants) await expectCaughtUp(server.running, tenant);

    for (const { running } of [one, other]) expect(await metricOf(running, 'audit_entries_total')).toBeGreaterThan(0);
    await expectWhole(one.running.databaseUrl, [...tenants, 'default', NO_TENANT]);
    for (const tenant of tenants)
      expect((await entriesOf(one.running.databaseUrl, tenant)).length).toBeGreaterThanOrEqual(120);
  });
});

describeOnBothEngines('The audit of one tenant that cannot be written', (engine) => {
  let server: GuardedApp;

  beforeAll(async () => {
    server = await startGuardedApp(engine, { RELAY_INTERVAL_MS: '60000' });
    // As only the owner of the database can.
    await change(
      server.running.databaseUrl,
      `DROP TRIGGER audit_chains_go_on${engine === 'postgres' ? ' ON audit_chains' : ''}`,
    );
  });

  afterAll(() => server.close());

  /** Whoever reads the log has read it to its end and stored that, but the audit of this tenant. */
  async function othersHaveRead(stuck: string | null): Promise<void> {
    const { app, databaseUrl } = server.running;
    for (const { consumer } of [AUDIT_CONSUMER, ...app.get(Dispatch, { strict: false }).consumers])
      await change(
        databaseUrl,
        `INSERT INTO consumer_cursors (tenant_id, consumer, position, blocked_subjects, updated_at, version)
         SELECT tenant_id, '${consumer}', MAX(position), 0, 0, 1 FROM outbox_events
           WHERE tenant_id <> '${consumer === AUDIT_CONSUMER.consumer ? (stuck ?? '') : ''}' GROUP BY tenant_id
         ON CONFLICT (tenant_id, consumer)
         DO UPDATE SET position = excluded.position, version = consumer_cursors.version + 1`,
      );
  }

  async function passEventKeepDays(): Promise<void> {
    const { app, clock } = server.running;
    clock.advanceSeconds(40 * 86_400);
    const marks = app.get(RetentionMarks, { strict: false });
    await app.get(PurgePieces, { strict: false }).run(NO_TENANT, (tx) => marks.raise(tx, 'clock', clock.now()));
  }

  it.each([
    ['says less', 'number = number - 1', 'number = number + 1'],
    ['says more', 'number = number + 1', 'number = number - 1'],
    ['has another hash', "hash = 'x' || hash", 'hash = substr(hash, 2)'],
    ['is gone', "tenant_id = 'x' || tenant_id", 'tenant_id = substr(tenant_id, 2)'],
  ])('because its head %s holds up no other, is counted, keeps its events, and goes on once it is mended', tampered);

  async function tampered(head: string, harm: string, repair: string): Promise<void> {
    const { running } = server;
    const url = running.databaseUrl;
    const name = `stuck-${head.replaceAll(' ', '-')}`;
    const tenants = [name, `beside-${name}`];
    const shops: ShopClient[] = [];
    for (const tenant of tenants) shops.push(new ShopClient(await server.operatorOf(tenant), `${tenant}-`));
    const [stuck, other] = shops as [ShopClient, ShopClient];
    const [place, sku] = [await stuck.location(), await stuck.product()];
    const [otherPlace, otherSku] = [await other.location(), await other.product()];
    for (const tenant of tenants) await expectCaughtUp(running, tenant);
    const before = await entriesOf(url, name);

    await change(url, `UPDATE audit_chains SET ${harm} WHERE chain = '${name}'`);
    const failures = await metricOf(running, 'audit_failures_total');
    for (let units = 1; units <= 3; units += 1) {
      await stuck.receive(sku, place, units);
      await other.receive(otherSku, otherPlace, units);
    }
    const failed = async () => (await metricOf(running, 'audit_failures_total')) >= failures + 2;
    await eventually('the failed turns are counted', failed);
    await expectCaughtUp(running, tenants[1]);
    expect((await auditOf(other.api, '?action=inventory.stock.moved')).length).toBe(3);
    expect(await entriesOf(url, name)).toEqual(before);
    const { faults } = await verified(url);
    expect([faults.length > 0, faults.filter((fault) => !fault.startsWith(`${name}: `))]).toEqual([true, []]);

    await expectCaughtUp(running, NO_TENANT);
    await passEventKeepDays();
    const waiting = (await auditedOf(url, name)).slice(before.length);
    expect(waiting).toHaveLength(3);
    await othersHaveRead(name);
    await purge(running);
    expect(await auditedOf(url, name)).toEqual(waiting);

    await change(url, `UPDATE audit_chains SET ${repair} WHERE chain = '${name}'`);
    await expectCaughtUp(running, name);
    expect((await entriesOf(url, name)).map(({ id }) => id)).toEqual([...before.map(({ id }) => id), ...waiting]);
    expect((await verified(url)).faults).toEqual([]);
    await othersHaveRead(null);
    await purge(running);
    expect(await auditedOf(url, name)).toEqual([]);
  }
});

describe('The audit of a backup (SQLite)', () => {
  it('is whole after the restore, although it was behind, and goes on', async () => {
    const database = await freshDatabase('sqlite', 'disk');
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-audit-'));
    const file = join(folder, 'backup.sqlite');
    const path = database.url.slice('sqlite:'.length);
    let app: RunningApp | undefined;
    try {
      app = await startApp('sqlite', { DATABASE_URL: database.url });
      const shop = new ShopClient(app.api, 'a-');
      const [place, sku] = [await shop.location(), await shop.product()];
      await expectCaughtUp(app);
      // From here on it is behind.
      await writerOf(app).onModuleDestroy();
      for (let units = 1; units <= 20; units += 1) await shop.receive(sku, place, units);
      const written = await takeBackup(path, file, { force: false, onProgress: () => undefined }).then(() =>
        entriesOf(`sqlite:${file}`, 'default'),
      );
      for (let units = 1; units <= 5; units += 1) await shop.receive(sku, place, units);
      await app.close();
      expect(written).toHaveLength(2);
      const events = await auditedOf(`sqlite:${file}`, 'default');
      expect(events).toHaveLength(22);

      restoreBackup(file, path, { force: false, now: new Date() });
      expect((await verified(database.url)).faults).toEqual([]);
      expect(await entriesOf(database.url, 'default')).toEqual(written);

      app = await startApp('sqlite', { DATABASE_URL: database.url });
      await expectCaughtUp(app);
      await expectWhole(database.url);
      await new ShopClient(app.api, 'b-').receive(sku, place, 1);
      await expectCaughtUp(app);
      expect(await entriesOf(database.url, 'default')).toHaveLength(23);
      await expectWhole(database.url);
    } finally {
      await app?.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describeOnBothEngines('The audit that is longer than one look', (engine: Engine) => {
  const shop = useShop(engine);

  it('is paged through with a filter, to its very end and without a loss', async () => {
    const [place, sku] = [await shop.location(), await shop.product()];
    const rows = Array.from({ length: 2_300 }, (_, index) => ({ sku, locationId: place, counted: index + 1 }));
    expect((await importRows(shop, rows)).summary?.applied).toBe(rows.length);
    await expectCaughtUp(shop.app);
    const all = await entriesOf(shop.app.databaseUrl, 'default');
    expect(all.length).toBeGreaterThanOrEqual(2_302);

    // Nothing has happened in the other chain that is seen here, so no page waits for it.
    expect(await writerOf(shop.app).caughtUp(NO_TENANT, 0)).toBe(true);
    // It is the oldest one: nothing of what is looked through before is what is asked for.
    const [oldest] = await auditOf(shop.api, '?action=inventory.location.created');
    expect([oldest?.number, oldest?.subject]).toEqual([1, `location/${place}`]);

    const moved = await auditOf(shop.api, '?action=inventory.stock.moved');
    const numbers = moved.map(({ number }) => number);
    expect(numbers).toEqual(Array.from(rows, (_, index) => all.length - index));
    expect(moved.map(({ hash }) => hash)).toEqual(
      all
        .slice(2)
        .map(({ hash }) => hash)
        .reverse(),
    );
  });
});
