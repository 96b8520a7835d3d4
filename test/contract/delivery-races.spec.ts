import pg from 'pg';
import { EVENT_COLUMNS, type EventRow } from '../../src/shared/outbox/event-log.ts';
import type { Engine, EngineTransaction } from '../../src/shared/persistence/engine/engine.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { labelOf, Notes, TestRelay } from '../support/delivery.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnPostgres, superuserUrl } from '../support/services.ts';
import { gate } from '../support/write-path.ts';

/*
 * Two servers on one database: what one has of a consumer, the other has not; and what commits late is not passed over.
 */

describeOnPostgres('Two servers that deliver to one consumer', () => {
  let database: FreshDatabase;
  let admin: pg.Client;
  let servers: TestRelay[] = [];
  let tests = 0;
  let tenantId: string;

  beforeAll(async () => {
    database = await freshDatabase('postgres');
    admin = new pg.Client({ connectionString: superuserUrl(database.url) });
    await admin.connect();
  });

  afterAll(async () => {
    await admin.end();
    await database.drop();
  });

  beforeEach(() => {
    tests += 1;
    tenantId = `race-${tests}`;
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    servers = [];
  });

  async function open(notes: Notes | null, wrap?: (engine: Engine) => Engine): Promise<TestRelay> {
    const server = await TestRelay.open(database.url, {
      tenantId,
      reactions: notes === null ? [] : [notes],
      // Each finds what the other one stored by looking.
      environment: { RELAY_INTERVAL_MS: '10' },
      ...(wrap === undefined ? {} : { wrap }),
    });
    servers.push(server);
    return server;
  }

  it('never have the same position at once, and together deliver each once and in order', async () => {
    const atWork = new Map<string, string>();
    const overlaps: string[] = [];
    const both = await Promise.all(
      ['one', 'other'].map(async (name) => {
        const notes = new Notes(tenantId);
        notes.meanwhile = async (event) => {
          const elsewhere = atWork.get(labelOf(event));
          if (elsewhere !== undefined && elsewhere !== name) overlaps.push(labelOf(event));
          atWork.set(labelOf(event), name);
          await Promise.resolve();
          atWork.delete(labelOf(event));
        };
        return { notes, server: await open(notes) };
      }),
    );
    both.forEach(({ server }) => {
      server.start();
    });
    const versions = Array.from({ length: 60 }, (_, index) => index + 1);
    for (const version of versions) {
      const { server } = both[version % 2]!;
      await server.publish(`a@${version}`, `b@${version}`);
    }
    await both[0]!.server.untilNoted('a', versions.join(' '));
    await both[0]!.server.untilNoted('b', versions.join(' '));
    expect(overlaps).toEqual([]);
    const calls = both.map(({ notes }) => notes.calls.length);
    expect(calls[0]! + calls[1]!).toBe(2 * versions.length);
    // Both had their turns, or this would prove nothing.
    expect(Math.min(...calls)).toBeGreaterThan(0);
  });

  it('let the turn pass on when the one that has it is cut off in the middle', async () => {
    const cut = new Notes(tenantId);
    const heir = new Notes(tenantId);
    const started = gate();
    const stuck = gate();
    cut.meanwhile = async () => {
      started.open();
      await stuck.opened;
    };
    const one = await open(cut);
    const other = await open(heir);
    await one.publish('a@1', 'a@2');
    one.start();
    await started.opened;
    other.start();
    await other.settle();
    expect(heir.calls).toEqual([]);

    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
    );
    await other.untilNoted('a', '1 2');
    stuck.open();
    await eventually('the first one has given up', async () => Promise.resolve(cut.calls.length > 0));
    expect(await other.noted('a')).toBe('1 2');
  });

  describe('when a transaction that has its position commits after a later one', () => {
    it('deliver both: the later one waits for the earlier one to be visible', async () => {
      expect(await deliveredAfterALateCommit((engine) => engine)).toEqual({ early: '1', late: '1' });
    });

    it('would lose one if positions were given without the lock: a naive cursor fails this test', async () => {
      expect(await deliveredAfterALateCommit(withoutLock)).toEqual({ early: '', late: '1' });
    });
  });

  /**
   * `early` appends its event first and commits only when `late` has committed or is waiting for it.
   * @returns what a consumer that follows the log has got in the end
   */
  async function deliveredAfterALateCommit(plant: (engine: Engine) => Engine): Promise<Record<string, string>> {
    const appended = gate();
    const commit = gate();
    const early = await open(null, (engine) => new SlowCommit(plant(engine), appended.open, commit.opened));
    const late = await open(null, plant);
    const follower = await open(new Notes(tenantId));
    follower.start();

    const first = early.publish('early@1');
    await appended.opened;
    const late1 = { committed: false };
    const second = late.publish('late@1').then(() => (late1.committed = true));
    await eventually(
      'the late one has committed, or waits',
      async () => late1.committed || (await someoneWaitsForTheLog()),
    );
    if (late1.committed) await follower.untilNoted('late', '1');
    commit.open();
    await Promise.all([first, second]);
    await follower.untilNoted('late', '1');
    await follower.settle();
    return { early: await follower.noted('early'), late: await follower.noted('late') };
  }

  async function someoneWaitsForTheLog(): Promise<boolean> {
    const { rows } = await admin.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    return rows.length > 0;
  }
});

/** Commits only when it is told to. */
class SlowCommit implements Engine {
  constructor(
    private readonly engine: Engine,
    private readonly onAppended: () => void,
    private readonly mayCommit: Promise<void>,
  ) {}

  async begin(tenantId: string, lockRows: boolean): Promise<EngineTransaction> {
    const transaction = await this.engine.begin(tenantId, lockRows);
    return changed(transaction, {
      appendEvents: async (events) => {
        const positions = await transaction.appendEvents(events);
        this.onAppended();
        return positions;
      },
      commit: async () => {
        await this.mayCommit;
        await transaction.commit();
      },
    });
  }

  classify = (error: unknown) => this.engine.classify(error);
  isCertainlyRolledBack = (error: unknown) => this.engine.isCertainlyRolledBack(error);
  ping = () => this.engine.ping();
  proveCommit = () => this.engine.proveCommit();
  close = () => this.engine.close();
}

/** Planted: it takes positions as statements come, without the lock that keeps them in commit order. */
function withoutLock(engine: Engine): Engine {
  return {
    begin: async (tenantId, lockRows) => {
      const transaction = await engine.begin(tenantId, lockRows);
      return changed(transaction, {
        appendEvents: async (events) => {
          const positions: number[] = [];
          for (const event of events) {
            const [row] = await transaction.select(INSERT, { ...event });
            positions.push(Number(row?.position));
          }
          return positions;
        },
      });
    },
    classify: (error) => engine.classify(error),
    isCertainlyRolledBack: (error) => engine.isCertainlyRolledBack(error),
    ping: () => engine.ping(),
    proveCommit: () => engine.proveCommit(),
    close: () => engine.close(),
  };
}

const INSERT = `INSERT INTO outbox_events (tenant_id, ${EVENT_COLUMNS.map(({ name }) => name).join(', ')})
  VALUES (:tenant, ${EVENT_COLUMNS.map(({ property }: { property: keyof EventRow }) => `:${property}`).join(', ')}) RETURNING position`;

function changed(transaction: EngineTransaction, by: Partial<EngineTransaction>): EngineTransaction {
  return {
    loadByKey: (table, keys) => transaction.loadByKey(table, keys),
    loadByGroup: (table, group, values) => transaction.loadByGroup(table, group, values),
    select: (sql, parameters) => transaction.select(sql, parameters),
    selectAcrossTenants: (sql, parameters) => transaction.selectAcrossTenants(sql, parameters),
    lock: (table, key, wait) => transaction.lock(table, key, wait),
    together: (steps) => transaction.together(steps),
    insert: (table, rows) => transaction.insert(table, rows),
    update: (table, rows, loaded) => transaction.update(table, rows, loaded),
    remove: (table, loaded) => transaction.remove(table, loaded),
    purge: (sql, parameters) => transaction.purge(sql, parameters),
    purgeAcrossTenants: (sql, parameters) => transaction.purgeAcrossTenants(sql, parameters),
    tryLock: (lock) => transaction.tryLock(lock),
    appendEvents: (events) => transaction.appendEvents(events),
    commit: () => transaction.commit(),
    rollback: () => transaction.rollback(),
    ...by,
  };
}
