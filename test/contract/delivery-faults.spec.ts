import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';
import { counts } from '../support/counts.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { labelOf, Notes, TestRelay } from '../support/delivery.ts';
import { eventually } from '../support/eventually.ts';
import { type Fault, FaultyEngine } from '../support/faulty-engine.ts';
import { type Engine, describeOnBothEngines } from '../support/services.ts';

const TENANT = 'faults';
/** Far more steps than a story takes: a sweep that comes here does not end. */
const STEPS_MAX = 200;

/** How often a fault that lasts has struck when it is lifted. */
const STRIKES = 3;
/** Strikes again and again, until the story lifts it. */
const LASTING = 1_000;

/** A disk or a server that cannot be used, as the drivers tell it. */
const UNUSABLE: Record<Engine, string> = { sqlite: 'SQLITE_FULL', postgres: '53100' };

const codedError = (code: string): Error => Object.assign(new Error(`planted ${code}`), { code });

describeOnBothEngines('A relay whose N-th statement fails, for every N', (engine) => {
  let database: FreshDatabase;
  let publisher: TestRelay;
  let server: TestRelay;
  let faulty: FaultyEngine;
  let notes: Notes;
  /** The first attempt at each of these events fails, so that a story has a set-aside event and its retry. */
  let failsOnce: Set<string>;
  let stories = 0;

  beforeAll(async () => {
    database = await freshDatabase(engine);
    publisher = await TestRelay.open(database.url, { tenantId: TENANT });
    failsOnce = new Set();
    notes = new Notes(TENANT);
    notes.fail = (event: StoredEvent) => (failsOnce.delete(labelOf(event)) ? new Error('not yet') : undefined);
    server = await TestRelay.open(database.url, {
      tenantId: TENANT,
      reactions: [notes],
      wrap: (real) => (faulty = new FaultyEngine(real)),
      // A lost attempt is no reason to give an event up here. With two events a turn, the third one comes when its subject
      // is blocked already.
      environment: { RELAY_ATTEMPTS_MAX: '100', RELAY_BATCH_EVENTS_MAX: '2' },
    });
    server.start();
    await server.settle();
  });

  afterAll(async () => {
    await server.close();
    await publisher.close();
    await database.drop();
  });

  /**
   * Three events: one goes through, one fails at first, one waits behind it. Whatever happens meanwhile, all have their
   * effect once and in order in the end.
   * @returns false when the fault found no statement to strike at any more: the story was over before
   */
  async function tell(fault: Fault): Promise<boolean> {
    stories += 1;
    const [passes, waits] = [`p${stories}`, `w${stories}`];
    failsOnce.add(`${waits}@1`);
    await publisher.publish(`${passes}@1`, `${waits}@1`, `${waits}@2`);
    const times = fault.times ?? 1;
    faulty.fault = fault;
    server.relay.wake(TENANT);
    const isTold = async (): Promise<boolean> => {
      const noted = [await server.noted(passes), await server.noted(waits)].join(' | ');
      if (noted === '1 | 1 2') return true;
      await server.retryNow();
      server.relay.wake(TENANT);
      // It has struck more than once: what seemed to last is over.
      if (fault.times !== undefined && fault.times <= times - STRIKES) faulty.fault = undefined;
      return false;
    };
    await eventually(`story ${stories} is told whatever fails`, isTold);
    const struck = fault.times !== times;
    faulty.fault = undefined;
    await server.settle();
    expect([await server.noted(passes), await server.noted(waits)]).toEqual(['1', '1 2']);
    expect(await server.blocked()).toEqual([]);
    return struck;
  }

  /** @param stride looks at every n-th statement only @returns how many statements a story has, about */
  async function sweep(
    fault: Omit<Fault, 'step' | 'skip'> & Partial<Pick<Fault, 'step'>>,
    stride = 1,
  ): Promise<number> {
    for (let skip = 0; skip < STEPS_MAX; skip += stride) {
      if (!(await tell({ step: 'any', times: 1, ...fault, skip }))) return skip;
    }
    throw new Error(`A story still has a ${STEPS_MAX}th statement`);
  }

  const unusable = codedError(UNUSABLE[engine]);

  it.each([
    ['because the database cannot be used', unusable],
    ['because it is wrong in itself', codedError('')],
  ])('once, %s, has each effect once and in order', async (_, error) => {
    // Lock, cursor, events, set-aside rows, commit, and that twice: fewer would mean that nothing was swept.
    expect(await sweep({ error })).toBeGreaterThan(8);
  });

  it.each([
    ['because the database cannot be used', unusable],
    ['because they are wrong in themselves', codedError('')],
  ])('with all that follow for a while, %s, has each effect once and in order', async (_, error) => {
    // Each takes a pause or two of the relay, so the short run leaves some out.
    expect(await sweep({ error, times: LASTING }, counts(4, 1))).toBeGreaterThan(8);
  });

  it('is a commit whose answer alone is lost, has each effect once and in order', async () => {
    expect(await sweep({ step: 'commit', error: unusable, after: true })).toBeGreaterThanOrEqual(2);
  });
});
