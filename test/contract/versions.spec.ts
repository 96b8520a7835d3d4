import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { type EngineTransaction, type Row, StaleVersion } from '../../src/shared/persistence/engine/engine.ts';
import type { Table } from '../../src/shared/persistence/table.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { aCounter, asTenant, openWritePath, readCounter, type WritePath } from '../support/write-path.ts';

const table = locationsTable as Table;

/** What stands between two writers where no lock does: the statement itself says which version it was made for. */
describeOnBothEngines('An engine that writes a row', (engine) => {
  let database: FreshDatabase;
  let path: WritePath;

  beforeAll(async () => {
    database = await freshDatabase(engine);
    path = await openWritePath(database.url);
  });

  afterAll(async () => {
    await path.close();
    await database.drop();
  });

  async function stored(id: string): Promise<void> {
    await asTenant('t', () =>
      path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, { ...aCounter(id, 5), version: 3 })),
    );
  }

  async function counted(id: string): Promise<number | undefined> {
    return (await asTenant('t', () => readCounter(path.reader, id)))?.priority;
  }

  async function attempt(act: (transaction: EngineTransaction) => Promise<void>, tenant = 't'): Promise<void> {
    const transaction = await path.engine.begin(tenant, false);
    try {
      await act(transaction);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await transaction.commit();
  }

  function row(id: string, version: number, count = 5): Row {
    return { ...aCounter(id, count), version };
  }

  it('changes it when it is at the version that was loaded', async () => {
    await stored('same');
    await attempt((transaction) => transaction.update(table, [row('same', 4, 6)], [row('same', 3)]));
    expect(await counted('same')).toBe(6);
  });

  it.each([2, 4])('changes nothing when it is not: loaded at %d, stored at 3', async (version) => {
    const id = `update-${version}`;
    await stored(id);
    await expect(
      attempt((transaction) => transaction.update(table, [row(id, version + 1, 6)], [row(id, version)])),
    ).rejects.toBeInstanceOf(StaleVersion);
    expect(await counted(id)).toBe(5);
  });

  it.each([2, 4])('removes nothing when it is not: loaded at %d, stored at 3', async (version) => {
    const id = `remove-${version}`;
    await stored(id);
    await expect(attempt((transaction) => transaction.remove(table, [row(id, version)]))).rejects.toBeInstanceOf(
      StaleVersion,
    );
    expect(await counted(id)).toBe(5);
  });

  it('finds one stale row among others, and changes none of them', async () => {
    await stored('fresh-1');
    await stored('stale');
    await stored('fresh-2');
    const ids = ['fresh-1', 'stale', 'fresh-2'];
    await expect(
      attempt((transaction) =>
        transaction.update(
          table,
          ids.map((id) => row(id, 4, 6)),
          ids.map((id) => row(id, id === 'stale' ? 2 : 3)),
        ),
      ),
    ).rejects.toBeInstanceOf(StaleVersion);
    expect(await Promise.all(ids.map(counted))).toEqual([5, 5, 5]);
  });

  it('does not reach the row of another tenant', async () => {
    await stored('mine');
    const change = (transaction: EngineTransaction): Promise<void> =>
      transaction.update(table, [row('mine', 4, 6)], [row('mine', 3)]);
    const removal = (transaction: EngineTransaction): Promise<void> => transaction.remove(table, [row('mine', 3)]);
    await expect(attempt(change, 'other')).rejects.toBeInstanceOf(StaleVersion);
    await expect(attempt(removal, 'other')).rejects.toBeInstanceOf(StaleVersion);
    expect(await counted('mine')).toBe(5);
  });
});
