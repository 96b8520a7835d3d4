import pg from 'pg';
import { StockPolicyChanged } from '../../src/modules/inventory/contract.ts';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { Unavailable } from '../../src/shared/persistence/persistence.errors.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { describeOnPostgres, superuserUrl } from '../support/services.ts';
import {
  aCounter,
  asTenant,
  gate,
  increment,
  metricValue,
  openWritePath,
  readCounter,
  type WritePath,
} from '../support/write-path.ts';

describeOnPostgres('Two servers on one database', () => {
  let database: FreshDatabase;
  let one: WritePath;
  let other: WritePath;
  let admin: pg.Client;

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    // Both migrate at the same moment.
    [one, other] = await Promise.all([openWritePath(database.url), openWritePath(database.url)]);
    admin = new pg.Client({ connectionString: superuserUrl(database.url) });
    await admin.connect();
  });

  afterAll(async () => {
    await admin.end();
    await Promise.all([one.close(), other.close()]);
    await database.drop();
  });

  it('lose no change of a row that both are changing', async () => {
    await asTenant('hot', async () => {
      await one.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter('H')));
      const rounds = Array.from({ length: 10 }, (_, index) => index);
      const changer = async ({ unitOfWork }: WritePath): Promise<void> => {
        for (const _ of rounds) {
          await Promise.all(Array.from({ length: 10 }, () => increment(unitOfWork, 'H')));
        }
      };
      await Promise.all([changer(one), changer(other)]);
      expect(await readCounter(one.reader, 'H')).toMatchObject({ priority: 200, version: 201 });
      const conflicts = await Promise.all(
        [one, other].map(({ metrics }) => metricValue(metrics, 'unit_of_work_version_conflicts_total')),
      );
      // They did meet: a run without a conflict would prove nothing.
      expect(conflicts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    });
  });

  it('let only one insert under a key; the other runs again and finds the row', async () => {
    await asTenant('insert', async () => {
      const bothLooked = gate();
      let looked = 0;
      const insert = ({ unitOfWork }: WritePath): Promise<string> =>
        unitOfWork.run({ keys: [] }, async (tx) => {
          const found = await tx.get(locationsTable, 'K');
          looked += 1;
          if (looked === 2) bothLooked.open();
          if (looked <= 2) await bothLooked.opened;
          if (found !== undefined) return 'found';
          await tx.put(locationsTable, aCounter('K'));
          return 'inserted';
        });
      const answers = await Promise.all([insert(one), insert(other)]);
      expect([...answers].sort()).toEqual(['found', 'inserted']);
      expect(looked).toBe(3);
    });
  });

  it('give positions in commit order: what a reader has passed is never filled in behind it', async () => {
    const subjects = Array.from({ length: 150 }, (_, index) => `subject-${index}`);
    const recordAll = async ({ unitOfWork }: WritePath, tenant: string): Promise<void> => {
      for (const subject of subjects) {
        await asTenant(tenant, () =>
          unitOfWork.run({ keys: [] }, (tx) => {
            tx.record([policyChanged(subject)]);
            return Promise.resolve();
          }),
        );
      }
    };
    const seen: number[] = [];
    let cursor = 0;
    const follow = async (): Promise<void> => {
      const { rows } = await admin.query<{ position: string }>(
        'SELECT position FROM outbox_events WHERE position > $1 ORDER BY position',
        [cursor],
      );
      for (const { position } of rows) seen.push(Number(position));
      cursor = seen.at(-1) ?? 0;
    };
    const state = { writing: true };
    const writers = Promise.all([recordAll(one, 'p1'), recordAll(other, 'p2')]).finally(() => {
      state.writing = false;
    });
    while (state.writing) await follow();
    await writers;
    await follow();
    const { rows } = await admin.query<{ position: string }>('SELECT position FROM outbox_events ORDER BY position');
    expect(seen).toEqual(rows.map(({ position }) => Number(position)));
    expect(seen).toHaveLength(2 * subjects.length);
  });

  it('see one state, also when the other one commits between two of their reads', async () => {
    await asTenant('mixed', async () => {
      await one.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.put(locationsTable, aCounter('M1', 1));
        await tx.put(locationsTable, aCounter('M2', 1));
      });
      const looked = gate();
      const moved = gate();
      const seen = one.unitOfWork.run({ keys: [] }, async (tx) => {
        const first = await tx.get(locationsTable, 'M1');
        looked.open();
        await moved.opened;
        const second = await tx.get(locationsTable, 'M2');
        return [first?.priority, second?.priority];
      });
      await looked.opened;
      await other.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.put(locationsTable, { ...aCounter('M1', 2), version: 2 });
        await tx.put(locationsTable, { ...aCounter('M2', 2), version: 2 });
      });
      moved.open();
      expect(await seen).toEqual([1, 1]);
    });
  });

  it('cannot both be right when one changes a row and the other has built on it as it was', async () => {
    await asTenant('built', async () => {
      await one.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter('base')));
      const looked = gate();
      const built = gate();
      let runs = 0;
      const seen = one.unitOfWork.run({ keys: [] }, async (tx) => {
        runs += 1;
        const base = await tx.get(locationsTable, 'base');
        const upon = await tx.get(locationsTable, 'upon');
        looked.open();
        await built.opened;
        if (base !== undefined) await tx.put(locationsTable, { ...base, priority: 1, version: base.version + 1 });
        return upon === undefined ? 'alone' : 'built upon';
      });
      await looked.opened;
      await other.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.get(locationsTable, 'base');
        tx.assume(locationsTable, 'base');
        await tx.put(locationsTable, aCounter('upon'));
      });
      built.open();
      expect(await seen).toBe('built upon');
      expect(runs).toBe(2);
    });
  });

  it('fail a batch whose connection the server ends, at once and whole, and go on with the next', async () => {
    await asTenant('terminated', async () => {
      let runs = 0;
      const hold = gate();
      const started = gate();
      const cut = one.unitOfWork.run({ keys: [] }, async (tx) => {
        runs += 1;
        await tx.put(locationsTable, aCounter('T'));
        started.open();
        await hold.opened;
      });
      await started.opened;
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
      );
      hold.open();
      await expect(cut).rejects.toThrow(Unavailable);
      expect(runs).toBe(1);
      await one.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter('T2')));
      expect(await readCounter(one.reader, 'T')).toBeUndefined();
      expect(await readCounter(one.reader, 'T2')).toBeDefined();
    });
  });

  it('write with synchronous_commit on, and read through connections that cannot write', async () => {
    const [setting] = await asTenant('settings', () =>
      one.unitOfWork.run({ keys: [] }, (tx) =>
        tx.select<{ value: string }>(
          `SELECT current_setting('synchronous_commit') AS "value", :tenant AS "tenant"`,
          {},
        ),
      ),
    );
    expect(setting?.value).toBe('on');
    await expect(one.reader.selectAcrossTenants('DELETE FROM locations')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('read-only') as unknown },
    });
  });
});

function policyChanged(
  subject: string,
): Parameters<Parameters<Parameters<WritePath['unitOfWork']['run']>[1]>[0]['record']>[0][number] {
  const stock = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: 0 };
  return {
    type: StockPolicyChanged.type,
    version: StockPolicyChanged.version,
    subject,
    subjectVersion: 1,
    locationId: 'L',
    data: { sku: 'A', locationId: 'L', safetyStock: 0, lowStockThreshold: null, stock },
    occurredAt: 0,
  };
}
