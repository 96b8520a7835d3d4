import { openDatabases } from '../../src/shared/persistence/data-source.ts';
import type { Engine } from '../../src/shared/persistence/engine/engine.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { describeOnPostgres } from '../support/services.ts';

describeOnPostgres('A commit', () => {
  let database: FreshDatabase;
  let engine: Engine;
  let close: () => Promise<void>;

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    const opened = await openDatabases(readSettings({ DATABASE_URL: database.url }), []);
    ({ engine } = opened);
    close = async () => {
      await opened.reader.close();
      await opened.engine.close();
    };
  });

  afterAll(async () => {
    await close();
    await database.drop();
  });

  it('is none when a statement has failed and nobody noticed: the database answers it with ROLLBACK, and no error', async () => {
    const transaction = await engine.begin('chain', false);
    await expect(transaction.select('SELECT 1 / 0', {})).rejects.toThrow('division by zero');

    const error: unknown = await transaction.commit().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(Error);
    expect(engine.isCertainlyRolledBack(error)).toBe(true);
    expect(engine.classify(error)).toBe('stale');
  });

  it('gives back a connection that the next transaction can use', async () => {
    const transaction = await engine.begin('chain', false);
    expect(await transaction.select('SELECT 1 AS "one"', {})).toEqual([{ one: 1 }]);
    await transaction.commit();
  });
});
