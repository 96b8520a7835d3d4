import { jest } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { behindTenantWall, pastTenantWall } from '../../migrations/tenant-wall.ts';
import { dialectOf } from '../../migrations/dialect.ts';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { counts } from '../support/counts.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnPostgres } from '../support/services.ts';
import { change, rowsOf } from '../support/sql.ts';
import { aCounter, asTenant, openWritePath, type WritePath } from '../support/write-path.ts';

/** SQLSTATE of what the wall refuses: insufficient_privilege. */
const REFUSED = expect.objectContaining({ code: '42501' }) as unknown;

describeOnPostgres('The wall between tenants', () => {
  let database: FreshDatabase;
  let path: WritePath;

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    path = await openWritePath(database.url, { environment: { READER_CONNECTIONS_MAX: '2' } });
    for (const tenantId of ['a', 'b']) await addCounter(tenantId, `place-of-${tenantId}`);
  });

  afterAll(async () => {
    await path.close();
    await database.drop();
  });

  function addCounter(tenantId: string, locationId: string): Promise<void> {
    return asTenant(tenantId, () =>
      path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(locationId))),
    );
  }

  /** A raw connection of the role that serves, as an attacker in the program would have it. */
  async function asServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  const unguarded = async (): Promise<string[]> => {
    const rows = await rowsOf<{ name: string }>(
      database.url,
      `SELECT c.relname AS name FROM pg_class AS c
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
       WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
         AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND 'a r w d' = (
           SELECT string_agg(polcmd::text, ' ' ORDER BY array_position('{a,r,w,d}', polcmd::text)) FROM pg_policy
           WHERE polrelid = c.oid AND polpermissive AND polroles = '{0}'
             AND (polqual IS NOT NULL OR polcmd = 'a') AND (polwithcheck IS NOT NULL OR polcmd IN ('r', 'd'))))`,
    );
    return rows.map(({ name }) => name);
  };

  it('stands before every table with a tenant, and one without it is found', async () => {
    expect(await unguarded()).toEqual([]);
    const known = await rowsOf(database.url, `SELECT 1 FROM pg_policies WHERE policyname = 'tenant_select'`);
    expect(known.length).toBeGreaterThan(20);
    await change(database.url, 'CREATE TABLE forgotten (tenant_id TEXT NOT NULL)');
    expect(await unguarded()).toEqual(['forgotten']);
    await change(database.url, 'DROP TABLE forgotten');
  });

  it('stops a server whose migrations have left one of its tables before it', async () => {
    await change(database.url, 'ALTER TABLE holds NO FORCE ROW LEVEL SECURITY');
    await expect(openWritePath(database.url)).rejects.toThrow('has left holds before the wall');
    await change(database.url, 'ALTER TABLE holds FORCE ROW LEVEL SECURITY');
  });

  describe.each([
    ['no tenant', null, []],
    ['an empty tenant', '', []],
    ['another tenant', 'b', ['place-of-b']],
    ['a tenant that there is not', 'c', []],
    ['all tenants', 'all tenants', ['place-of-a', 'place-of-b']],
    ['all tenants, to purge', 'all tenants, purging', ['place-of-a', 'place-of-b']],
  ])('to a connection with %s', (_, tenant, visible) => {
    const attack = (statement: string): Promise<pg.QueryResult<Record<string, unknown>>> =>
      asServer(async (client) => {
        if (tenant !== null) await client.query(`SELECT set_config('holdfast.tenant', $1, false)`, [tenant]);
        await client.query('BEGIN');
        return client.query(statement);
      });

    it('shows no more than that', async () => {
      const { rows } = await attack('SELECT location_id FROM locations ORDER BY 1');
      expect(rows.map((row) => row['location_id'])).toEqual(visible);
    });

    it('takes nothing for, from or of tenant a', async () => {
      const insert = (row: string): string =>
        `INSERT INTO locations SELECT ${row}, 'X', name, kind, priority, sells_online, 0, 0, 1
           FROM (VALUES ('n', 'STORE', 1, true)) AS v(name, kind, priority, sells_online)`;
      await expect(attack(insert(`'a'`))).rejects.toEqual(REFUSED);
      expect((await attack(`UPDATE locations SET name = 'taken' WHERE tenant_id = 'a'`)).rowCount).toBe(0);
      expect((await attack(`DELETE FROM locations WHERE tenant_id = 'a'`)).rowCount).toBe(0);
      expect((await attack(`DELETE FROM movements WHERE tenant_id = 'a'`)).rowCount).toBe(0);
      await expect(attack('TRUNCATE locations, stock_items')).resolves.toBeDefined(); // Its owner may; it is rolled back.
    });

    it('moves no row to tenant a', async () => {
      const moved = attack(`UPDATE locations SET tenant_id = 'a'`);
      if (tenant === 'b') await expect(moved).rejects.toEqual(REFUSED);
      else expect((await moved).rowCount).toBe(0);
    });
  });

  it('cannot be switched off by a session', async () => {
    const off = asServer(async (client) => {
      await client.query('SET row_security = off');
      return client.query('SELECT * FROM locations');
    });
    await expect(off).rejects.toEqual(REFUSED);
  });

  it('keeps a work that forgets its tenant to its own rows, and its purge too', async () => {
    await addCounter('forgetful', 'mine');
    await asTenant('forgetful', async () => {
      const seen = await path.unitOfWork.run({ keys: [] }, (tx) =>
        tx.select<{ id: string }>('SELECT location_id AS "id" FROM locations', {}),
      );
      expect(seen).toEqual([{ id: 'mine' }]);
      let purged = -1;
      await path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.purge('DELETE FROM locations', {}, (rows) => (purged = rows));
        return Promise.resolve();
      });
      expect(purged).toBe(1);
    });
    const left = await rowsOf(database.url, `SELECT 1 FROM locations WHERE tenant_id IN ('a', 'b')`);
    expect(left).toHaveLength(2);
  });

  it('keeps a read that forgets its tenant to its own rows, by SQL and by the query builder', async () => {
    await asTenant('a', async () => {
      const own = [{ id: 'place-of-a' }];
      expect(await path.reader.select(FORGETFUL)).toEqual(own);
      const rows = path.reader.rows(locationsTable, 'l').where('1 = 1');
      expect((await path.reader.many(rows)).map(({ locationId }) => ({ id: locationId }))).toEqual(own);
      expect(
        await path.reader.one(path.reader.rows(locationsTable, 'l').where("l.locationId = 'place-of-b'")),
      ).toBeUndefined();
    });
  });

  it('shows a work of one tenant no more of the others than it asks for by that name', async () => {
    await asTenant('a', async () => {
      const [across, after] = await path.unitOfWork.run({ keys: [] }, async (tx) => [
        await tx.selectAcrossTenants<{ id: string }>(
          'SELECT location_id AS "id" FROM locations WHERE location_id = :id AND version < :below AND :yes',
          { id: 'place-of-b', below: 2, yes: true },
        ),
        await tx.select<{ id: string }>('SELECT location_id AS "id" FROM locations', {}),
      ]);
      expect(across).toEqual([{ id: 'place-of-b' }]);
      expect(after).toEqual([{ id: 'place-of-a' }]);
    });
  });

  it('takes no text for a tenant that stands for all of them', async () => {
    const work = asTenant('all tenants', () => path.unitOfWork.run({ keys: [] }, () => Promise.resolve()));
    await expect(work).rejects.toThrow('no id of a tenant');
    await expect(asTenant('all tenants', () => path.reader.select(FORGETFUL))).rejects.toThrow('no id of a tenant');
  });

  it('sends nothing while the tenant of a connection stays the same', async () => {
    const sent = jest.spyOn(pg.Client.prototype, 'query');
    await asTenant('a', async () => {
      for (let times = 0; times < 20; times += 1) await path.reader.select(FORGETFUL);
    });
    const turns = sent.mock.calls.filter((call) => JSON.stringify(call).includes('set_config'));
    sent.mockRestore();
    expect(turns.length).toBeLessThanOrEqual(1);
  });

  it('never mixes tenants who share connections, whatever fails in between', async () => {
    const tenants = Array.from({ length: 12 }, (_, index) => `t-${index}`);
    for (const tenantId of tenants) await addCounter(tenantId, `of-${tenantId}`);
    const random = new Random(SEED);
    const kill =
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
    let answered = 0;
    const read = (tenantId: string): Promise<void> =>
      asTenant(tenantId, async () => {
        try {
          const ids = (await path.reader.select<{ id: string }>(FORGETFUL)).map(({ id }) => id);
          const rows = await path.reader.many(path.reader.rows(locationsTable, 'l').where('1 = 1'));
          expect([ids, rows.map(({ locationId }) => locationId)]).toEqual([[`of-${tenantId}`], [`of-${tenantId}`]]);
          answered += 1;
        } catch (error) {
          if ((error as { code?: string }).code !== 'UNAVAILABLE') throw error;
        }
      });
    const fail = (tenantId: string, sql: string): Promise<void> =>
      asTenant(tenantId, async () => {
        await path.reader.select(sql).catch(() => undefined);
      });
    for (let round = 0; round < counts(8, 200); round += 1) {
      const works = Array.from({ length: 40 }, () => {
        const tenantId = random.pick(tenants);
        const dice = random.whole(0, 9);
        if (dice === 0) return fail(tenantId, 'SELECT 1 / 0 WHERE :tenant IS NOT NULL');
        if (dice === 1) return fail(tenantId, 'SELECT no_such_column FROM locations WHERE tenant_id = :tenant');
        return read(tenantId);
      });
      if (round % 4 === 3) works.push(rowsOf(database.url, kill).then(() => undefined));
      await Promise.all(works);
    }
    expect(answered).toBeGreaterThan(100);
  });

  it('lets a later migration change rows of all tenants, and stands again behind it', async () => {
    const migrator = new DataSource({ type: 'postgres', url: database.url, extra: { options: '-c row_security=off' } });
    await migrator.initialize();
    const runner = migrator.createQueryRunner();
    const update = `UPDATE locations SET priority = 7 WHERE tenant_id IN ('a', 'b') RETURNING 1`;
    // Without the door it is told so, instead of changing nothing.
    await expect(runner.query(update)).rejects.toThrow('row-level security');
    await runner.startTransaction();
    await pastTenantWall(runner, 'locations', async () => {
      await runner.query(update);
    });
    await runner.query('CREATE TABLE later (tenant_id TEXT NOT NULL)');
    for (const statement of behindTenantWall(dialectOf(runner), 'later')) await runner.query(statement);
    await runner.commitTransaction();
    await runner.release();
    await migrator.destroy();
    expect(await rowsOf(database.url, 'SELECT 1 FROM locations WHERE priority = 7')).toHaveLength(2);
    expect(await unguarded()).toEqual([]);
    await change(database.url, 'DROP TABLE later');
  });
});

/** Names the tenant, as the reader demands, and yet does not keep to it. */
const FORGETFUL = `SELECT location_id AS "id" FROM locations WHERE :tenant <> '' ORDER BY location_id`;
