import { Busy, IdempotencyKeyInFlight, Unavailable } from '../../src/shared/persistence/persistence.errors.ts';
import type { WorkClass } from '../../src/shared/persistence/work-queue.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { asTenant, gate, metricValue, openWritePath, type WritePath } from '../support/write-path.ts';

describeOnBothEngines('The queue of the unit of work', (engineName) => {
  let database: FreshDatabase;

  beforeAll(async () => {
    database = await freshDatabase(engineName);
  });

  afterAll(() => database.drop());

  async function withPath(
    limits: Parameters<typeof openWritePath>[1],
    test: (path: WritePath) => Promise<void>,
  ): Promise<void> {
    const path = await openWritePath(database.url, limits);
    try {
      await test(path);
    } finally {
      await path.close();
    }
  }

  /** Occupies the writer until the returned gate is opened. */
  async function occupy(path: WritePath, tenantId = 'occupier'): Promise<{ open: () => void; done: Promise<void> }> {
    const started = gate();
    const hold = gate();
    const done = asTenant(tenantId, () =>
      path.unitOfWork.run({ keys: [] }, async () => {
        started.open();
        await hold.opened;
      }),
    );
    await started.opened;
    return { open: hold.open, done };
  }

  function note(
    path: WritePath,
    tenantId: string,
    name: string,
    order: string[],
    workClass: WorkClass = 'interactive',
  ): Promise<void> {
    return asTenant(tenantId, () =>
      path.unitOfWork.run({ keys: [], workClass }, () => {
        order.push(name);
        return Promise.resolve();
      }),
    );
  }

  it('refuses with BUSY at once when it is full', async () => {
    await withPath({ limits: { worksMax: 2 } }, async (path) => {
      const writer = await occupy(path);
      const order: string[] = [];
      const waiting = [note(path, 'a', 'first', order), note(path, 'a', 'second', order)];
      await expect(note(path, 'a', 'third', order)).rejects.toThrow(Busy);
      // The bulk class has a bound of its own.
      waiting.push(note(path, 'a', 'bulk', order, 'bulk'));
      writer.open();
      await Promise.all([...waiting, writer.done]);
      expect(order).toEqual(['first', 'second', 'bulk']);
    });
  });

  it('refuses with BUSY a work that no batch took in time, and answers one that was taken', async () => {
    await withPath({ limits: { waitMaxMs: 50 } }, async (path) => {
      const writer = await occupy(path);
      const order: string[] = [];
      await expect(note(path, 'a', 'late', order)).rejects.toThrow(Busy);
      expect(await metricValue(path.metrics, 'unit_of_work_works_total', { outcome: 'busy' })).toBe(1);
      writer.open();
      await expect(writer.done).resolves.toBeUndefined();
      expect(order).toEqual([]);
      await note(path, 'a', 'next', order);
      expect(order).toEqual(['next']);
    });
  });

  it('tells a repeat that waited too long that its first is still in flight', async () => {
    await withPath({ limits: { waitMaxMs: 50 } }, async (path) => {
      const started = gate();
      const hold = gate();
      const first = asTenant('a', () =>
        path.unitOfWork.run({ keys: [], requestKey: 'client key-1' }, async () => {
          started.open();
          await hold.opened;
        }),
      );
      await started.opened;
      const again = (requestKey: string): Promise<void> =>
        asTenant('a', () => path.unitOfWork.run({ keys: [], requestKey }, () => Promise.resolve()));
      const results = await Promise.allSettled([again('client key-1'), again('client key-2')]);
      expect(results.map((result) => result.status === 'rejected' && (result.reason as unknown))).toEqual([
        expect.any(IdempotencyKeyInFlight),
        expect.any(Busy),
      ]);
      hold.open();
      await first;
      await expect(again('client key-1')).resolves.toBeUndefined();
    });
  });

  it('takes interactive works first and gives bulk works a share of every batch', async () => {
    await withPath({ limits: { batchWorksMax: 2, bulkSliceMs: 1 } }, async (path) => {
      const writer = await occupy(path);
      const order: string[] = [];
      const works = [
        note(path, 'a', 'bulk 1', order, 'bulk'),
        note(path, 'a', 'bulk 2', order, 'bulk'),
        ...['one', 'two', 'three', 'four'].map((name) => note(path, 'a', name, order)),
      ];
      writer.open();
      await Promise.all([...works, writer.done]);
      expect(order).toEqual(['one', 'two', 'bulk 1', 'three', 'four', 'bulk 2']);
    });
  });

  it('serves tenants in turn, so that one with a long queue does not keep the others waiting', async () => {
    await withPath({ limits: { batchWorksMax: 2 } }, async (path) => {
      const writer = await occupy(path);
      const order: string[] = [];
      const works = [
        ...['a1', 'a2', 'a3', 'a4'].map((name) => note(path, 'a', name, order)),
        note(path, 'b', 'b1', order),
      ];
      writer.open();
      await Promise.all([...works, writer.done]);
      expect(order).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
    });
  });

  it('finishes what waits when it is closed, and takes nothing more', async () => {
    const path = await openWritePath(database.url);
    const order: string[] = [];
    const waiting = ['one', 'two'].map((name) => note(path, 'a', name, order));
    const closing = path.close();
    await expect(note(path, 'a', 'late', order)).rejects.toThrow(Unavailable);
    await Promise.all([...waiting, closing]);
    expect(order).toEqual(['one', 'two']);
  });
});
