import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import type { Engine, EngineTransaction } from '../../src/shared/persistence/engine/engine.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { aCounter, asTenant, gate, openWritePath, type WritePath } from '../support/write-path.ts';

/** A place in each commit at which everything is written and nothing is stored yet. */
class HeldCommits {
  private reached = gate();
  private allowed = gate();
  private error: Error | undefined;

  /** Everything of the batch is written. */
  get written(): Promise<void> {
    return this.reached.opened;
  }

  /** Lets the commit go on, or (with an error) has it rolled back. */
  release(error?: Error): void {
    this.error = error;
    this.allowed.open();
  }

  around(engine: Engine): Engine {
    const begin = async (tenantId: string, lockRows: boolean): Promise<EngineTransaction> => {
      const real = await engine.begin(tenantId, lockRows);
      const commit = async (): Promise<void> => {
        this.reached.open();
        await this.allowed.opened;
        if (this.error === undefined) return real.commit();
        await real.rollback();
        throw this.error;
      };
      return Object.assign(Object.create(real) as EngineTransaction, { commit });
    };
    return Object.assign(Object.create(engine) as Engine, { begin });
  }
}

const COUNTERS = 'SELECT location_id AS "id" FROM locations WHERE tenant_id = :tenant';

describeOnBothEngines('Reader', (engine) => {
  let database: FreshDatabase;
  let path: WritePath;
  let commits: HeldCommits;

  beforeEach(async () => {
    commits = new HeldCommits();
    database = await freshDatabase(engine);
    path = await openWritePath(database.url, { wrap: (real) => commits.around(real) });
  });

  afterEach(async () => {
    await path.close();
    await database.drop();
  });

  function seen(): Promise<{ id: string }[]> {
    return asTenant('t', () => path.reader.select<{ id: string }>(COUNTERS));
  }

  function seenByBuilder(): Promise<number> {
    return asTenant('t', async () => (await path.reader.many(path.reader.rows(locationsTable, 'l'))).length);
  }

  function write(): Promise<void> {
    return asTenant('t', () => path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter('one'))));
  }

  it('sees nothing of a batch that is written and not yet committed, and all of it when its caller is told', async () => {
    const told = write();
    await commits.written;
    expect(await seen()).toEqual([]);
    expect(await seenByBuilder()).toBe(0);
    commits.release();
    await told;
    expect(await seen()).toEqual([{ id: 'one' }]);
    expect(await seenByBuilder()).toBe(1);
  });

  it('never sees what was rolled back', async () => {
    const told = write();
    await commits.written;
    expect(await seen()).toEqual([]);
    commits.release(new Error('the commit was not done'));
    await expect(told).rejects.toThrow();
    expect(await seen()).toEqual([]);
  });
});
