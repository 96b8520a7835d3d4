import { copyFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { Busy } from '../../src/shared/persistence/persistence.errors.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { aCounter, asTenant, openWritePath, readCounter, type WritePath } from '../support/write-path.ts';

const BUSY_MAX_MS = 200;
const PATIENT_MAX_MS = 30_000;

const fileOf = ({ url }: FreshDatabase): string => url.slice('sqlite:'.length);

describe('The engine on SQLite', () => {
  let database: FreshDatabase;
  let path: WritePath;
  /** Gives up after BUSY_MAX_MS; the other one waits as long as a slow machine may need. */
  let impatient: WritePath;
  let neighbour: Database.Database;

  beforeAll(async () => {
    database = await freshDatabase('sqlite');
    path = await openWritePath(database.url, { environment: { DATABASE_BUSY_MAX_MS: String(PATIENT_MAX_MS) } });
    impatient = await openWritePath(database.url, { environment: { DATABASE_BUSY_MAX_MS: String(BUSY_MAX_MS) } });
    neighbour = new Database(fileOf(database));
  });

  afterAll(async () => {
    neighbour.close();
    await impatient.close();
    await path.close();
    await database.drop();
  });

  function put(id: string, through = path): Promise<void> {
    return asTenant('t', () => through.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(id))));
  }

  it('syncs every commit to the disk: FULL, not the default of the driver', async () => {
    const [row] = await asTenant('t', () =>
      path.unitOfWork.run({ keys: [] }, (tx) =>
        tx.select<{ synchronous: number }>('SELECT synchronous, :tenant AS "tenant" FROM pragma_synchronous', {}),
      ),
    );
    expect(row?.synchronous).toBe(2);
  });

  it('waits for the lock of another process without holding up the event loop', async () => {
    neighbour.exec('BEGIN IMMEDIATE');
    const waiting = put('waits');
    let turns = 0;
    await new Promise<void>((resolve) => {
      const turn = (): void => {
        turns += 1;
        if (turns === 50) resolve();
        else setImmediate(turn);
      };
      turn();
    });
    expect(await asTenant('t', () => readCounter(path.reader, 'waits'))).toBeUndefined();
    neighbour.exec('ROLLBACK');
    await waiting;
    expect(await asTenant('t', () => readCounter(path.reader, 'waits'))).toBeDefined();
  });

  it('answers BUSY when the lock does not come free in time, and works again when it does', async () => {
    neighbour.exec('BEGIN IMMEDIATE');
    await expect(put('refused', impatient)).rejects.toThrow(Busy);
    neighbour.exec('ROLLBACK');
    await put('works', impatient);
    expect(await asTenant('t', () => readCounter(path.reader, 'refused'))).toBeUndefined();
    expect(await asTenant('t', () => readCounter(path.reader, 'works'))).toBeDefined();
  });

  it('copies what a crash left in the log into the file, synced, before it serves', async () => {
    await put('in the log');
    const crashed = await freshDatabase('sqlite');
    for (const part of ['', '-wal']) copyFileSync(fileOf(database) + part, fileOf(crashed) + part);
    const restarted = await openWritePath(crashed.url);
    const [log] = new Database(fileOf(crashed)).pragma('wal_checkpoint(NOOP)') as [
      { log: number; checkpointed: number },
    ];
    expect(log.log).toBeGreaterThan(0);
    expect(log.checkpointed).toBe(log.log);
    await restarted.close();
    await crashed.drop();
  });

  it('reads through a connection that cannot write', async () => {
    await expect(
      Promise.resolve().then(() => path.reader.selectAcrossTenants('DELETE FROM locations')),
    ).rejects.toThrow(/readonly|does not return data/);
  });

  it('refuses a read that does not name its tenant', async () => {
    await expect(asTenant('t', () => path.reader.select('SELECT * FROM locations'))).rejects.toThrow(/:tenant/);
  });
});
