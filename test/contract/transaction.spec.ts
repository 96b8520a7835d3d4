import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import type { Transaction } from '../../src/shared/persistence/transaction.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { anEvent } from '../support/delivery.ts';
import { describeOnBothEngines, describeOnPostgres } from '../support/services.ts';
import { aCounter, asTenant, gate, openWritePath, readCounter, type WritePath } from '../support/write-path.ts';

describeOnBothEngines('Transaction.lock', (engine) => {
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

  it.each([true, false])('takes a row that is there, and says so when there is none (wait: %s)', async (wait) => {
    await asTenant('locks', async () => {
      await path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(`there-${wait}`)));
      const taken = await path.unitOfWork.run({ keys: [] }, async (tx) => ({
        there: await tx.lock(locationsTable, [`there-${wait}`], wait),
        again: await tx.lock(locationsTable, [`there-${wait}`], wait),
        nowhere: await tx.lock(locationsTable, ['nowhere'], wait),
      }));
      expect(taken).toEqual({ there: true, again: true, nowhere: false });
    });
  });

  it('takes no row of another tenant', async () => {
    await asTenant('one', () => path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter('mine'))));
    const taken = await asTenant('another', () =>
      path.unitOfWork.run({ keys: [] }, (tx) => tx.lock(locationsTable, ['mine'], false)),
    );
    expect(taken).toBe(false);
  });
});

describeOnPostgres('Transaction.lock on two servers', () => {
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

  /** The first server has the row until the second one has done its work. */
  async function whileTaken<T>(id: string, work: (release: () => void) => Promise<T>): Promise<T> {
    await one.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(id)));
    const [taken, released] = [gate(), gate()];
    const holding = one.unitOfWork.run({ keys: [] }, async (tx) => {
      await tx.lock(locationsTable, [id], true);
      taken.open();
      await released.opened;
      await tx.put(locationsTable, { ...aCounter(id, 7), version: 2 });
    });
    await taken.opened;
    const done = await work(() => {
      released.open();
    });
    released.open();
    await holding;
    return done;
  }

  it('gives up at once when the other one has the row and nobody is to wait', async () => {
    await asTenant('locks', async () => {
      const taken = await whileTaken('busy', () =>
        other.unitOfWork.run({ keys: [] }, (tx) => tx.lock(locationsTable, ['busy'], false)),
      );
      expect(taken).toBe(false);
    });
  });

  it('waits for the other one to commit, and then sees what it has stored', async () => {
    await asTenant('locks', async () => {
      const seen = await whileTaken('waited', (release) => {
        const waiting = other.unitOfWork.run({ keys: [] }, async (tx) => {
          setImmediate(release);
          const taken = await tx.lock(locationsTable, ['waited'], true);
          return { taken, priority: (await tx.get(locationsTable, 'waited'))?.priority };
        });
        return waiting;
      });
      expect(seen).toEqual({ taken: true, priority: 7 });
    });
  });
});

describeOnBothEngines('Transaction.rehearse', (engine) => {
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

  const inTenant = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
    asTenant('rehearsals', () => path.unitOfWork.run({ keys: [] }, work));
  const stored = (id: string) => asTenant('rehearsals', () => readCounter(path.reader, id));
  const eventsStored = async (): Promise<number> => {
    const [row] = await asTenant('rehearsals', () =>
      path.reader.select<{ n: number }>('SELECT COUNT(*) AS "n" FROM outbox_events WHERE tenant_id = :tenant'),
    );
    return Number(row?.n);
  };

  it('tells of each row how it was and would be, and leaves nothing of it', async () => {
    await inTenant(async (tx) => {
      for (const id of ['changed', 'removed', 'untouched', 'changed-back']) await tx.put(locationsTable, aCounter(id));
    });
    const settled: string[] = [];
    const changes = await inTenant((tx) =>
      tx.rehearse(async () => {
        for (const id of ['changed', 'removed', 'untouched', 'changed-back']) await tx.get(locationsTable, id);
        tx.replace(locationsTable, { ...aCounter('changed', 1), version: 2 });
        tx.replace(locationsTable, { ...aCounter('changed', 2), version: 3 });
        tx.insert(locationsTable, aCounter('made', 3));
        tx.remove(locationsTable, aCounter('removed'));
        const before = tx.loaded(locationsTable, 'changed-back')!;
        tx.replace(locationsTable, { ...before, priority: 9, version: 2 });
        tx.replace(locationsTable, before);
        tx.insert(locationsTable, aCounter('made and gone'));
        tx.remove(locationsTable, aCounter('made and gone'));
        tx.record([anEvent('rehearsed@1')]);
        tx.onSettled((status) => settled.push(status));
      }),
    );
    const shown = changes.map(({ table, before, after }) => ({
      table,
      before: (before as { priority: number } | undefined)?.priority,
      after: (after as { priority: number } | undefined)?.priority,
    }));
    expect(shown).toEqual([
      { table: 'locations', before: 0, after: 2 },
      { table: 'locations', before: undefined, after: 3 },
      { table: 'locations', before: 0, after: undefined },
    ]);
    expect(settled).toEqual([]);
    expect(await stored('changed')).toMatchObject({ priority: 0, version: 1 });
    expect(await stored('removed')).toBeDefined();
    expect(await stored('made')).toBeUndefined();
    expect(await eventsStored()).toBe(0);
  });

  it('keeps what the work did before and does after it', async () => {
    const settled: string[] = [];
    await inTenant(async (tx) => {
      await tx.put(locationsTable, aCounter('kept', 1));
      tx.onSettled((status) => settled.push(status));
      const [change] = await tx.rehearse(() => tx.put(locationsTable, { ...aCounter('kept', 2), version: 2 }));
      expect(change).toMatchObject({ before: { priority: 1 }, after: { priority: 2 } });
      await tx.put(locationsTable, { ...aCounter('kept', 5), version: 2 });
    });
    expect(await stored('kept')).toMatchObject({ priority: 5, version: 2 });
    expect(settled).toEqual(['success']);
  });

  it('throws what the work throws, and leaves nothing of that either', async () => {
    await inTenant(async (tx) => {
      const failing = tx.rehearse(async () => {
        await tx.put(locationsTable, aCounter('half-way'));
        throw new Error('half-way');
      });
      await expect(failing).rejects.toThrow('half-way');
    });
    expect(await stored('half-way')).toBeUndefined();
  });

  it('undoes a deletion by condition that the work has asked for', async () => {
    await inTenant((tx) => tx.put(locationsTable, aCounter('purged')));
    let counted: number | null = null;
    await inTenant(async (tx) => {
      await tx.rehearse(() => {
        const sql = "DELETE FROM locations WHERE location_id = 'purged'";
        tx.purge(sql, {}, (rows) => (counted = rows));
        return Promise.resolve();
      });
    });
    expect(await stored('purged')).toBeDefined();
    expect(counted).toBeNull();
  });
});
