import { StockPolicyChanged } from '../../src/modules/inventory/contract.ts';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { currentContext } from '../../src/shared/kernel/context.ts';
import { DomainError } from '../../src/shared/kernel/domain-error.ts';
import type { DomainEvent } from '../../src/shared/kernel/domain-event.ts';
import type { Transaction } from '../../src/shared/persistence/transaction.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { describeOnBothEngines } from '../support/services.ts';
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

class Refused extends DomainError {
  readonly code = 'REFUSED';
  readonly kind = 'refused';
}

interface StoredEvent {
  readonly position: number;
  readonly tenantId: string;
  readonly subject: string;
  readonly correlationId: string;
}

function anEvent(subject: string): DomainEvent {
  const stock = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 1, available: -1 };
  return {
    type: StockPolicyChanged.type,
    version: StockPolicyChanged.version,
    subject,
    subjectVersion: 1,
    locationId: 'L1',
    data: { sku: 'A', locationId: 'L1', safetyStock: 1, lowStockThreshold: null, stock },
    occurredAt: 1,
  };
}

describeOnBothEngines('UnitOfWork.run', (engineName) => {
  let database: FreshDatabase;
  let path: WritePath;

  beforeAll(async () => {
    database = await freshDatabase(engineName);
    path = await openWritePath(database.url);
  });

  afterAll(async () => {
    await path.close();
    await database.drop();
  });

  function insertCounter(locationId: string): Promise<void> {
    return path.unitOfWork.run({ keys: [] }, (tx) => tx.put(locationsTable, aCounter(locationId)));
  }

  function storedEvents(): Promise<StoredEvent[]> {
    return path.reader.selectAcrossTenants<StoredEvent>(
      `SELECT position AS "position", tenant_id AS "tenantId", subject AS "subject", correlation_id AS "correlationId"
       FROM outbox_events ORDER BY position`,
    );
  }

  it('answers when the change is committed, and the reader sees nothing of it before', async () => {
    await asTenant('visible', async () => {
      const hold = gate();
      const put = gate();
      const running = path.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.put(locationsTable, aCounter('V'));
        put.open();
        await hold.opened;
      });
      await put.opened;
      expect(await readCounter(path.reader, 'V')).toBeUndefined();
      hold.open();
      await running;
      expect(await readCounter(path.reader, 'V')).toMatchObject({ priority: 0, version: 1 });
    });
  });

  it('lets works share a commit, writes a hot row once, and counts a version for each change', async () => {
    await asTenant('hot', async () => {
      await insertCounter('H');
      const before = await metricValue(path.metrics, 'unit_of_work_batch_works_count');
      const answers = await Promise.all(Array.from({ length: 60 }, () => increment(path.unitOfWork, 'H')));
      expect([...answers].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
      expect(await readCounter(path.reader, 'H')).toMatchObject({ priority: 60, version: 61 });
      const batches = (await metricValue(path.metrics, 'unit_of_work_batch_works_count')) - before;
      expect(batches).toBeLessThanOrEqual(2);
    });
  });

  it('undoes a refused work alone: no row, no event, and its neighbours go on', async () => {
    await asTenant('refusal', async () => {
      await insertCounter('R');
      const refused = path.unitOfWork.run({ keys: [] }, async (tx) => {
        const row = await tx.get(locationsTable, 'R');
        await tx.put(locationsTable, { ...aCounter('R', 500), version: (row?.version ?? 0) + 1 });
        await tx.put(locationsTable, aCounter('R-new'));
        tx.record([anEvent('refused')]);
        throw new Refused('no');
      });
      const results = await Promise.allSettled([
        increment(path.unitOfWork, 'R'),
        refused,
        increment(path.unitOfWork, 'R'),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await readCounter(path.reader, 'R')).toMatchObject({ priority: 2, version: 3 });
      expect(await readCounter(path.reader, 'R-new')).toBeUndefined();
      expect((await storedEvents()).filter(({ subject }) => subject === 'refused')).toEqual([]);
    });
  });

  it('undoes a work that throws a bug, and tells only its caller', async () => {
    await asTenant('bug', async () => {
      await insertCounter('B');
      const broken = path.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.put(locationsTable, aCounter('B-new'));
        throw new TypeError('a bug');
      });
      const good = increment(path.unitOfWork, 'B');
      await expect(broken).rejects.toThrow(TypeError);
      await expect(good).resolves.toBe(1);
      expect(await readCounter(path.reader, 'B-new')).toBeUndefined();
    });
  });

  it('runs each work in the context of its caller: tenants and correlation ids never mix', async () => {
    const callers = Array.from({ length: 40 }, (_, index) => ({
      tenant: index % 2 === 0 ? 'even' : 'odd',
      correlation: `request-${index}`,
    }));
    const seen = await Promise.all(
      callers.map(({ tenant, correlation }) =>
        asTenant(
          tenant,
          () =>
            path.unitOfWork.run({ keys: [{ table: 'locations', values: [correlation] }] }, async (tx) => {
              await tx.put(locationsTable, aCounter(correlation));
              await tx.get(locationsTable, 'shared');
              tx.record([anEvent(correlation)]);
              return { tenant: currentContext().tenantId, correlation: currentContext().correlationId };
            }),
          correlation,
        ),
      ),
    );
    expect(seen).toEqual(callers);
    const events = (await storedEvents()).filter(({ tenantId }) => tenantId === 'even' || tenantId === 'odd');
    expect(events).toHaveLength(callers.length);
    for (const { tenant, correlation } of callers) {
      expect(events.filter(({ correlationId }) => correlationId === correlation)).toEqual([
        expect.objectContaining({ tenantId: tenant, subject: correlation }),
      ]);
      const other = tenant === 'even' ? 'odd' : 'even';
      expect(await asTenant(tenant, () => readCounter(path.reader, correlation))).toBeDefined();
      expect(await asTenant(other, () => readCounter(path.reader, correlation))).toBeUndefined();
    }
  });

  it('joins a command that is sent from within a work: one commit, and its refusal undoes its own part only', async () => {
    await asTenant('join', async () => {
      const inner = (id: string, fail: boolean): Promise<void> =>
        path.unitOfWork.run({ keys: [] }, async (tx) => {
          await tx.put(locationsTable, aCounter(id));
          tx.record([anEvent(id)]);
          if (fail) throw new Refused('no');
        });
      await path.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.put(locationsTable, aCounter('outer'));
        await inner('joined', false);
        await expect(inner('undone', true)).rejects.toThrow(Refused);
        expect(await tx.get(locationsTable, 'joined')).toBeDefined();
        expect(await tx.get(locationsTable, 'undone')).toBeUndefined();
      });
      const commits = [];
      for (const id of ['outer', 'joined', 'undone']) {
        commits.push((await readCounter(path.reader, id)) !== undefined);
      }
      expect(commits).toEqual([true, true, false]);
      const failing = path.unitOfWork.run({ keys: [] }, async () => {
        await inner('lost-with-outer', false);
        throw new Refused('no');
      });
      await expect(failing).rejects.toThrow(Refused);
      expect(await readCounter(path.reader, 'lost-with-outer')).toBeUndefined();
    });
  });

  it('refuses to join a work that has settled, and a transaction that outlives its work', async () => {
    await asTenant('settled', async () => {
      const later = gate();
      let late: Promise<unknown> = Promise.resolve();
      let kept: Transaction | undefined;
      await path.unitOfWork.run({ keys: [] }, async (tx) => {
        kept = tx;
        late = later.opened.then(() => path.unitOfWork.run({ keys: [] }, () => Promise.resolve()));
        await tx.put(locationsTable, aCounter('settled'));
      });
      later.open();
      await expect(late).rejects.toThrow(/settled/);
      await expect(kept?.put(locationsTable, aCounter('too-late'))).rejects.toThrow(/settled/);
      expect(await readCounter(path.reader, 'too-late')).toBeUndefined();
    });
  });

  it('refuses two commands at the same time inside one work', async () => {
    await asTenant('parallel', async () => {
      const hold = gate();
      const outer = path.unitOfWork.run({ keys: [] }, async () => {
        const slow = path.unitOfWork.run({ keys: [] }, () => hold.opened);
        const quick = path.unitOfWork.run({ keys: [] }, () => {
          hold.open();
          return Promise.resolve();
        });
        await Promise.all([slow, quick]);
      });
      await expect(outer).rejects.toThrow(/at the same time/);
    });
  });

  it('refuses an event that does not match its schema, and stores nothing of the work', async () => {
    await asTenant('schema', async () => {
      const wrong = { ...anEvent('wrong'), data: { sku: 'A' } };
      const work = path.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.put(locationsTable, aCounter('schema'));
        tx.record([wrong]);
      });
      await expect(work).rejects.toThrow(/does not match its schema/);
      expect(await readCounter(path.reader, 'schema')).toBeUndefined();
    });
  });

  it('tells the observers of a work once, after the commit, how it ended', async () => {
    await asTenant('observed', async () => {
      const told: string[] = [];
      const observed = (fail: Error | null): Promise<void> =>
        path.unitOfWork.run({ keys: [] }, (tx) => {
          tx.onSettled((status) => told.push(status));
          return fail === null ? Promise.resolve() : Promise.reject(fail);
        });
      await Promise.allSettled([observed(null), observed(new Refused('no')), observed(new Error('bug'))]);
      expect(told).toEqual(['success', 'refused', 'error']);
    });
  });

  it('undoes a part of a work back to its mark, and tells that part that it was refused', async () => {
    await asTenant('marked', async () => {
      const told: string[] = [];
      await path.unitOfWork.run({ keys: [] }, async (tx) => {
        tx.onSettled((status) => told.push(`kept ${status}`));
        await tx.put(locationsTable, aCounter('kept', 1));
        const mark = tx.mark();
        tx.onSettled((status) => told.push(`undone ${status}`));
        await tx.put(locationsTable, aCounter('undone'));
        await tx.put(locationsTable, aCounter('kept', 2));
        tx.undoTo(mark);
        expect(tx.loaded(locationsTable, 'kept')?.priority).toBe(1);
      });
      expect(told).toEqual(['kept success', 'undone refused']);
      expect(await readCounter(path.reader, 'kept')).toMatchObject({ priority: 1 });
      expect(await readCounter(path.reader, 'undone')).toBeUndefined();
    });
  });

  it('tells a work what it has cost, its share of the writing included', async () => {
    const cost = { running: Infinity, all: 0 };
    await asTenant('cost', () =>
      path.unitOfWork.run({ keys: [] }, (tx) => {
        const from = performance.now();
        for (let n = 0; n < 300; n += 1) tx.insert(locationsTable, aCounter(`cost-${n}`));
        cost.running = performance.now() - from;
        tx.onSettled(() => {
          cost.all = tx.costMs;
        });
        return Promise.resolve();
      }),
    );
    expect(cost.all).toBeGreaterThan(cost.running);
  });

  it('counts only rows that are unchanged since they were loaded as assumed', async () => {
    await asTenant('assumed', async () => {
      await insertCounter('assumed');
      await path.unitOfWork.run({ keys: [] }, async (tx) => {
        await tx.get(locationsTable, 'assumed');
        tx.assume(locationsTable, 'assumed');
        await tx.put(locationsTable, aCounter('made-on-assumption'));
      });
      expect(await readCounter(path.reader, 'assumed')).toMatchObject({ version: 1 });
      expect(await readCounter(path.reader, 'made-on-assumption')).toBeDefined();
    });
  });
});
