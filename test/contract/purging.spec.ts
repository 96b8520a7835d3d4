import pg from 'pg';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { keptUntilExpiry } from '../../src/shared/housekeeping/kept.ts';
import { PurgePieces } from '../../src/shared/housekeeping/purge-pieces.ts';
import { NO_TENANT, RetentionMarks } from '../../src/shared/housekeeping/retention-marks.ts';
import { idempotencyKeysTable } from '../../src/shared/http/idempotency-key.table.ts';
import { UuidV7Ids } from '../../src/shared/kernel/ids.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { Notes, TestRelay } from '../support/delivery.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnBothEngines, describeOnPostgres, superuserUrl } from '../support/services.ts';
import { rowsOf } from '../support/sql.ts';
import {
  aCounter,
  asTenant,
  gate,
  metricValue,
  openWritePath,
  readCounter,
  type WritePath,
} from '../support/write-path.ts';

const DELETE_LOW = 'DELETE FROM locations WHERE tenant_id = :tenant AND priority < :priority';
const LOCK = 42;

describeOnBothEngines('Transaction.purge', (engineName) => {
  let database: FreshDatabase;
  let path: WritePath;

  beforeAll(async () => {
    database = await freshDatabase(engineName);
    path = await openWritePath(database.url);
  });

  afterAll(async () => {
    await path.close();
    await database.drop();
  });

  const put = (id: string, count: number) =>
    path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(id, count)));

  it('deletes by a condition that sees what the batch has changed, and tells how many rows', async () => {
    await asTenant('purged', async () => {
      await put('low', 1);
      await put('raised', 1);
      const rows = await path.unitOfWork.run({ keys: [] }, async (tx) => {
        const counted = { rows: -1, settled: -1 };
        tx.purge(DELETE_LOW, { priority: 5 }, (purged) => {
          counted.rows = purged;
        });
        tx.onSettled(() => {
          counted.settled = counted.rows;
        });
        const raised = await tx.get(locationsTable, 'raised');
        await tx.put(locationsTable, { ...raised!, priority: 9, version: 2 });
        return counted;
      });
      expect(rows).toEqual({ rows: 1, settled: 1 });
      expect(await readCounter(path.reader, 'low')).toBeUndefined();
      expect(await readCounter(path.reader, 'raised')).toMatchObject({ priority: 9 });
    });
  });

  it('deletes nothing for a work that is refused, while its neighbours go on', async () => {
    await asTenant('refused', async () => {
      await put('stays', 1);
      const refused = path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.purge(DELETE_LOW, { priority: 5 }, () => undefined);
        throw new Error('no');
      });
      const neighbour = put('neighbour', 1);
      await expect(refused).rejects.toThrow('no');
      await neighbour;
      expect(await readCounter(path.reader, 'stays')).toBeDefined();
      expect(await readCounter(path.reader, 'neighbour')).toBeDefined();
    });
  });

  it('stays within the tenant that it names', async () => {
    await asTenant('other', () => put('foreign', 1));
    await asTenant('mine', () =>
      path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.purge(DELETE_LOW, { priority: 5 }, () => undefined);
        return Promise.resolve();
      }),
    );
    expect(await asTenant('other', () => readCounter(path.reader, 'foreign'))).toBeDefined();
  });

  it('fails alone when its statement is wrong', async () => {
    await asTenant('wrong', async () => {
      const wrong = path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.purge('DELETE FROM nowhere', {}, () => undefined);
        return Promise.resolve();
      });
      const neighbour = put('beside', 1);
      // The driver's errors are of another realm, so that toThrow does not take them for errors.
      await expect(wrong).rejects.toMatchObject({ message: expect.stringContaining('nowhere') });
      await neighbour;
      expect(await readCounter(path.reader, 'beside')).toBeDefined();
    });
  });
});

describeOnBothEngines('What reactions have still to read', (engineName) => {
  let database: FreshDatabase;

  beforeAll(async () => {
    database = await freshDatabase(engineName);
  });

  afterAll(() => database.drop());

  it('is the first event that one has not passed, over all tenants; those without any need nothing', async () => {
    const quiet = await TestRelay.open(database.url, { tenantId: 'quiet', reactions: [new Notes('quiet')] });
    await quiet.publish('a@1');
    expect(await quiet.cursors.neededFrom()).toBe(1);
    quiet.start();
    await eventually('it has passed', async () => (await quiet.cursors.neededFrom()) === null);
    await quiet.close();

    const busy = await TestRelay.open(database.url, { tenantId: 'busy', reactions: [new Notes('busy')] });
    await busy.publish('b@1', 'b@2');
    expect(await busy.cursors.neededFrom()).toBe(2);
    busy.start();
    await eventually('it has passed', async () => (await busy.cursors.neededFrom()) === null);
    await busy.close();
  });

  it('is nothing where nothing reacts', async () => {
    const relay = await TestRelay.open(database.url, { tenantId: 'alone' });
    await relay.publish('c@1');
    expect(await relay.cursors.neededFrom()).toBeNull();
    await relay.close();
  });

  it('begins for a new reaction behind what is purged', async () => {
    const relay = await TestRelay.open(database.url, { tenantId: 'late', reactions: [new Notes('late')] });
    await relay.publish('d@1', 'd@2');
    const head = await relay.log.head();
    await asTenant(NO_TENANT, () =>
      relay.path.unitOfWork.run({ keys: [] }, (tx) =>
        new RetentionMarks(relay.path.reader).raise(tx, 'events', head - 1),
      ),
    );
    relay.start();
    await relay.untilNoted('d', '2');
    await relay.close();
  });
});

describeOnPostgres('Two servers on one database', () => {
  let database: FreshDatabase;
  let one: WritePath;
  let other: WritePath;

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    one = await openWritePath(database.url);
    other = await openWritePath(database.url);
  });

  afterAll(async () => {
    await one.close();
    await other.close();
    await database.drop();
  });

  it('get a lock one at a time, without waiting, and it ends with the batch', async () => {
    await asTenant('t', async () => {
      const hold = gate();
      const taken = gate();
      const first = one.unitOfWork.run({ keys: [] }, async (tx) => {
        const locked = await tx.tryLock(LOCK);
        taken.open();
        await hold.opened;
        return locked;
      });
      await taken.opened;
      const tryOther = () => other.unitOfWork.run({ keys: [] }, (tx) => tx.tryLock(LOCK));
      expect(await tryOther()).toBe(false);
      hold.open();
      expect(await first).toBe(true);
      expect(await tryOther()).toBe(true);
    });
  });

  it('never purge a key that the other one renews at the same moment', async () => {
    const insert = `INSERT INTO idempotency_keys SELECT 't', 'c', 'key-' || n, '', 200, '', '{}', 0, 1000, 1
      FROM generate_series(1, 3) AS n RETURNING key`;
    await rowsOf(database.url, insert);
    const renewing = new pg.Client({ connectionString: superuserUrl(database.url) });
    await renewing.connect();
    try {
      await renewing.query('BEGIN');
      await renewing.query("UPDATE idempotency_keys SET expires_at = 5000, version = 2 WHERE key = 'key-2'");
      const pieces = new PurgePieces(one.unitOfWork, new UuidV7Ids(), one.metrics, readSettings({}));
      const purging = keptUntilExpiry(idempotencyKeysTable).purgeDue(1_000, pieces);
      await eventually('the purge waits for the row', async () => {
        const waiting =
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        return (await rowsOf(database.url, waiting)).length > 0;
      });
      await renewing.query('COMMIT');
      await purging;
    } finally {
      await renewing.end();
    }
    expect(await rowsOf(database.url, 'SELECT key FROM idempotency_keys')).toEqual([{ key: 'key-2' }]);
    expect(await metricValue(one.metrics, 'retention_purged_rows_total', { kind: 'idempotency_keys' })).toBe(2);
  });
});
