import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { StaleVersion } from '../../src/shared/persistence/engine/engine.ts';
import { Busy, Unavailable } from '../../src/shared/persistence/persistence.errors.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { FaultyEngine } from '../support/faulty-engine.ts';
import { describeOnBothEngines } from '../support/services.ts';
import {
  aCounter,
  asTenant,
  increment,
  metricValue,
  openWritePath,
  readCounter,
  type WritePath,
} from '../support/write-path.ts';

/** As the drivers report a connection or a disk that is gone. */
const LOST = {
  sqlite: Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_WRITE' }),
  postgres: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
};

const ATTEMPTS = 4;

describeOnBothEngines('UnitOfWork.run when the database fails', (engineName) => {
  let database: FreshDatabase;
  let path: WritePath;
  let engine: FaultyEngine;

  beforeAll(async () => {
    database = await freshDatabase(engineName);
    path = await openWritePath(database.url, {
      limits: { attemptsMax: ATTEMPTS },
      wrap: (real) => {
        engine = new FaultyEngine(real);
        return engine;
      },
    });
  });

  afterAll(async () => {
    await path.close();
    await database.drop();
  });

  beforeEach(() => {
    engine.fault = undefined;
  });

  async function counter(id: string): Promise<void> {
    await path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(id)));
    engine.steps.length = 0;
    engine.updatedRows.length = 0;
  }

  it('writes one row for a row that many works changed', async () => {
    await asTenant('one-write', async () => {
      await counter('W');
      await Promise.all(Array.from({ length: 20 }, () => increment(path.unitOfWork, 'W')));
      expect(engine.updatedRows).toEqual([1]);
      expect(engine.steps.filter((step) => step === 'loadByKey')).toHaveLength(1);
    });
  });

  it('runs a stale batch again on fresh rows, and each work gets the outcome of its last run', async () => {
    await asTenant('stale', async () => {
      await counter('S');
      let runs = 0;
      const told: string[] = [];
      engine.fault = { step: 'update', error: new StaleVersion('locations', 1, 0), times: 2 };
      const answers = await Promise.all([
        increment(path.unitOfWork, 'S'),
        path.unitOfWork.run({ keys: [] }, async (tx) => {
          runs += 1;
          tx.onSettled((status) => told.push(status));
          return (await tx.get(locationsTable, 'S'))?.priority;
        }),
        increment(path.unitOfWork, 'S'),
      ]);
      expect(answers).toEqual([1, 1, 2]);
      expect(runs).toBe(3);
      expect(told).toEqual(['success']);
      expect(await readCounter(path.reader, 'S')).toMatchObject({ priority: 2, version: 3 });
      expect(await metricValue(path.metrics, 'unit_of_work_version_conflicts_total')).toBe(2);
    });
  });

  it('gives up with BUSY after a bounded number of runs, and has stored nothing', async () => {
    await asTenant('given-up', async () => {
      await counter('G');
      engine.fault = { step: 'update', error: new StaleVersion('locations', 1, 0), times: Infinity };
      const error = await increment(path.unitOfWork, 'G').catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Busy);
      expect(engine.steps.filter((step) => step === 'begin')).toHaveLength(ATTEMPTS);
      expect(await readCounter(path.reader, 'G')).toMatchObject({ priority: 0, version: 1 });
    });
  });

  it('lets a poisonous work fail alone: its neighbours are tried one by one', async () => {
    await asTenant('poison', async () => {
      await counter('P');
      const told: string[] = [];
      const poison = path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.onSettled((status) => told.push(status));
        // No such kind: the table's CHECK refuses it at the flush, for the whole batch.
        return tx.put(locationsTable, { ...aCounter('poison'), kind: 'CELLAR' as 'STORE' });
      });
      const results = await Promise.allSettled([
        increment(path.unitOfWork, 'P'),
        poison,
        increment(path.unitOfWork, 'P'),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(told).toEqual(['error']);
      expect(await readCounter(path.reader, 'P')).toMatchObject({ priority: 2, version: 3 });
      expect(await readCounter(path.reader, 'poison')).toBeUndefined();
    });
  });

  it('isolates a work whose own statement fails, even when it swallows the error', async () => {
    await asTenant('swallowed', async () => {
      await counter('Q');
      const swallowing = path.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.select('SELECT no_such_column FROM locations WHERE tenant_id = :tenant', {}).catch(() => undefined);
        await tx.put(locationsTable, aCounter('swallowed'));
      });
      const results = await Promise.allSettled([swallowing, increment(path.unitOfWork, 'Q')]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
      expect(await readCounter(path.reader, 'swallowed')).toBeUndefined();
    });
  });

  it.each(['begin', 'loadByKey', 'update', 'appendEvents'] as const)(
    'fails the whole batch at once with UNAVAILABLE when the connection is lost at %s',
    async (step) => {
      await asTenant(`lost-${step}`, async () => {
        await counter('L');
        let runs = 0;
        const works = Array.from({ length: 3 }, () =>
          path.unitOfWork.run({ keys: [{ table: 'locations', values: ['L'] }] }, async (tx) => {
            runs += 1;
            const row = await tx.get(locationsTable, 'L');
            if (row !== undefined) await tx.put(locationsTable, { ...row, version: row.version + 1 });
            if (step === 'appendEvents') tx.record([policyChanged]);
          }),
        );
        engine.fault = { step, error: LOST[engineName] };
        const results = await Promise.allSettled(works);
        expect(results.map((result) => result.status === 'rejected' && (result.reason as unknown))).toEqual([
          expect.any(Unavailable),
          expect.any(Unavailable),
          expect.any(Unavailable),
        ]);
        expect(runs).toBe(step === 'begin' || step === 'loadByKey' ? 0 : 3);
        expect(await readCounter(path.reader, 'L')).toMatchObject({ version: 1 });
        await expect(increment(path.unitOfWork, 'L')).resolves.toBe(1);
      });
    },
  );

  it.each([
    ['the commit was done', true, 1],
    ['the commit was not done', false, 0],
  ])('answers UNAVAILABLE and repeats nothing when the answer to COMMIT is lost and %s', async (_, after, expected) => {
    await asTenant(`unknown-${after}`, async () => {
      await counter('U');
      engine.fault = { step: 'commit', error: LOST[engineName], after };
      const results = await Promise.allSettled([
        increment(path.unitOfWork, 'U'),
        path.unitOfWork.run({ keys: [] }, () => Promise.reject(new Error('a refusal on rows that may not be there'))),
      ]);
      expect(results.map((result) => result.status === 'rejected' && (result.reason as unknown))).toEqual([
        expect.objectContaining({ message: expect.stringContaining('unknown') as unknown }),
        expect.any(Unavailable),
      ]);
      expect(engine.steps.filter((step) => step === 'begin')).toHaveLength(1);
      expect(await readCounter(path.reader, 'U')).toMatchObject({ priority: expected });
    });
  });
});

const policyChanged = {
  type: 'inventory.stock.policy-changed',
  version: 1,
  subject: 'stock/A/L',
  subjectVersion: 1,
  locationId: 'L',
  data: {
    sku: 'A',
    locationId: 'L',
    safetyStock: 0,
    lowStockThreshold: null,
    stock: { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: 0 },
  },
  occurredAt: 0,
};
