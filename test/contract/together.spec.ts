import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { type EngineTransaction, type Row, StaleVersion } from '../../src/shared/persistence/engine/engine.ts';
import type { Table } from '../../src/shared/persistence/table.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { aCounter, asTenant, openWritePath, readCounter, type WritePath } from '../support/write-path.ts';

const table = locationsTable as Table;

/** How a batch is written: the statements of all its tables at once where the database is a round trip away. */
describeOnBothEngines('An engine that is given several statements together', (engine) => {
  let database: FreshDatabase;
  let path: WritePath;
  let transaction: EngineTransaction;

  beforeAll(async () => {
    database = await freshDatabase(engine);
    path = await openWritePath(database.url);
  });

  beforeEach(async () => {
    transaction = await path.engine.begin('t', false);
  });

  afterAll(async () => {
    await path.close();
    await database.drop();
  });

  async function counted(id: string): Promise<number | undefined> {
    return (await asTenant('t', () => readCounter(path.reader, id)))?.priority;
  }

  function row(id: string, version: number, count: number): Row {
    return { ...aCounter(id, count), version };
  }

  it('does them in their order', async () => {
    await transaction.together([
      () => transaction.insert(table, [row('ordered', 1, 1)]),
      () => transaction.update(table, [row('ordered', 2, 2)], [row('ordered', 1, 1)]),
      () => transaction.update(table, [row('ordered', 3, 3)], [row('ordered', 2, 2)]),
    ]);
    await transaction.commit();
    expect(await counted('ordered')).toBe(3);
  });

  it('fails as the first one does that fails, and nothing of any is stored', async () => {
    const together = transaction.together([
      () => transaction.insert(table, [row('before', 1, 1)]),
      () => transaction.update(table, [row('missing', 2, 2)], [row('missing', 1, 1)]),
      () => transaction.insert(table, [row('before', 1, 1)]),
      () => transaction.insert(table, [row('behind', 1, 1)]),
    ]);
    await expect(together).rejects.toBeInstanceOf(StaleVersion);
    await transaction.rollback();
    expect([await counted('before'), await counted('behind')]).toEqual([undefined, undefined]);
  });

  it('fails as a statement that the database refuses, not as those behind it that it refuses for that', async () => {
    const together = transaction.together([
      () => transaction.insert(table, [row('twice', 1, 1), row('twice', 1, 1)]),
      () => transaction.insert(table, [row('behind', 1, 1)]),
    ]);
    await expect(together).rejects.toMatchObject({
      code: engine === 'sqlite' ? 'SQLITE_CONSTRAINT_PRIMARYKEY' : '23505',
    });
    await transaction.rollback();
    expect([await counted('twice'), await counted('behind')]).toEqual([undefined, undefined]);
  });

  it(
    engine === 'sqlite'
      ? 'begins none behind one that fails: its transaction may be gone, and each would be one of its own'
      : 'begins each without waiting for what becomes of those before it',
    async () => {
      const begun: string[] = [];
      const insert = (id: string) => (): Promise<void> => {
        begun.push(id);
        return transaction.insert(table, [row(id, 1, 1)]);
      };
      const together = transaction.together([insert('one'), insert('one'), insert('two')]);
      await expect(together).rejects.toBeDefined();
      await transaction.rollback();
      expect(begun).toEqual(engine === 'sqlite' ? ['one', 'one'] : ['one', 'one', 'two']);
      expect(await counted('two')).toBeUndefined();
    },
  );
});
