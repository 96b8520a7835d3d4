import { StockLow } from '../../src/modules/inventory/contract.ts';
import type { EventDefinition } from '../../src/shared/kernel/domain-event.ts';
import { DomainError } from '../../src/shared/kernel/domain-error.ts';
import { type Reaction, ReactsTo } from '../../src/shared/outbox/reaction.ts';
import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';
import { freshDatabase, type FreshDatabase } from '../support/databases.ts';
import { anEvent, labelOf, Notes, TestRelay } from '../support/delivery.ts';
import { eventually } from '../support/eventually.ts';
import { CART_UPCASTERS, CartChanged1, CartChanged2, CartChanged3 } from '../support/recorded-events.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { asTenant, metricValue } from '../support/write-path.ts';

/** Of a type that the consumer does not name. */
const unwanted = {
  type: StockLow.type,
  version: StockLow.version,
  subject: 'other',
  subjectVersion: 1,
  locationId: 'L',
  data: {
    sku: 'A',
    locationId: 'L',
    lowStockThreshold: 1,
    stock: { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: 0 },
  },
  occurredAt: 0,
};

const ALL_CARTS = [CartChanged1, CartChanged2, CartChanged3];

@ReactsTo({ consumer: 'test.carts', events: [CartChanged3] })
class Carts implements Reaction {
  readonly seen: Pick<StoredEvent, 'version' | 'data'>[] = [];

  handle({ version, data }: StoredEvent): void {
    this.seen.push({ version, data });
  }
}

/** The same consumer in an older program. */
@ReactsTo({ consumer: 'test.carts', events: [CartChanged1] })
class OldCarts implements Reaction {
  handle(): void {
    throw new Error('an older program cannot read this');
  }
}

class Refused extends DomainError {
  readonly code = 'TEST_REFUSED';
  readonly kind = 'refused';
}

class NotNow extends DomainError {
  readonly code = 'BUSY';
  readonly kind = 'busy';
}

/** Fails for the events with these labels, as often as said; others pass. */
function failing(times: Record<string, number>): (event: StoredEvent) => unknown {
  const left = { ...times };
  return (event) => {
    const label = labelOf(event);
    const more = left[label] ?? 0;
    left[label] = more - 1;
    return more > 0 ? new Refused(`${label} cannot be`) : undefined;
  };
}

describeOnBothEngines('The relay', (engine) => {
  let database: FreshDatabase;
  let notes: Notes;
  let server: TestRelay | undefined;

  let tests = 0;
  let tenantId: string;

  beforeAll(async () => {
    database = await freshDatabase(engine);
  });

  afterAll(() => database.drop());

  beforeEach(() => {
    tests += 1;
    tenantId = `tenant-${tests}`;
    notes = new Notes(tenantId);
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function open(environment: Record<string, string> = {}): Promise<TestRelay> {
    server = await TestRelay.open(database.url, { tenantId, reactions: [notes], environment });
    return server;
  }

  /** A server that starts again on the same database, as after a crash: with nothing but what is stored. */
  async function startAgain(environment: Record<string, string> = {}): Promise<TestRelay> {
    await server?.close();
    const again = await open(environment);
    again.start();
    return again;
  }

  it('delivers what was stored before its start, and what is stored later, in order and once', async () => {
    const relay = await open();
    await relay.publish('a@1', 'b@1', 'a@2');
    relay.start();
    await relay.untilNoted('a', '1 2');
    await relay.publish('a@3', 'b@2');
    await relay.untilNoted('a', '1 2 3');
    await relay.untilNoted('b', '1 2');
    expect(notes.calls).toEqual(['a@1', 'b@1', 'a@2', 'a@3', 'b@2']);
  });

  it('goes on after a restart where it was', async () => {
    const relay = await open();
    relay.start();
    await relay.publish('a@1');
    await relay.untilNoted('a', '1');
    const again = await startAgain();
    await again.publish('a@2');
    await again.untilNoted('a', '1 2');
    expect(notes.calls).toEqual(['a@1', 'a@2']);
  });

  it('delivers many events in batches that share commits, and in order', async () => {
    const relay = await open({ BULK_SLICE_MS: '1000' });
    const versions = Array.from({ length: 600 }, (_, index) => index + 1);
    await relay.publish(...versions.map((version) => `s${version % 7}@${version}`));
    relay.start();
    for (let subject = 0; subject < 7; subject++) {
      await relay.untilNoted(`s${subject}`, versions.filter((version) => version % 7 === subject).join(' '));
    }
    expect(notes.calls).toHaveLength(600);
    const batches = await metricValue(relay.path.metrics, 'unit_of_work_batch_works_count');
    // Published in one, then the cursor, then 32, 64, 128 … events a commit.
    expect(batches).toBeLessThan(15);
  });

  it('sets an event that fails aside with the later ones of its subject, while all others pass', async () => {
    const relay = await open();
    notes.fail = failing({ 'a@2': 1 });
    await relay.publish('a@1', 'a@2', 'b@1', 'a@3', 'b@2');
    relay.start();
    await relay.untilNoted('b', '1 2');
    await relay.publish('a@4', 'b@3');
    await relay.untilNoted('b', '1 2 3');
    expect(await relay.noted('a')).toBe('1');
    expect(await relay.blocked()).toEqual(['a: 3/1']);

    await relay.retryNow();
    await relay.untilNoted('a', '1 2 3 4');
    expect(await relay.blocked()).toEqual([]);
    await relay.publish('a@5');
    await relay.untilNoted('a', '1 2 3 4 5');
    expect(notes.calls.filter((call) => call.startsWith('a'))).toEqual(['a@1', 'a@2', 'a@2', 'a@3', 'a@4', 'a@5']);
  });

  it('delivers what waits before the later events of its subject, also when these are stored already', async () => {
    const first = await open();
    notes.fail = failing({ 'a@1': 1 });
    await first.publish('a@1', 'a@2');
    first.start();
    await eventually('a is blocked', async () => (await first.blocked())[0] === 'a: 2/1');
    await first.close();
    const again = await open();
    await again.publish('a@3', 'b@1');
    again.clock.advanceSeconds(3_600);
    again.start();
    await again.untilNoted('b', '1');
    await again.untilNoted('a', '1 2 3');
  });

  it('leaves nothing of an attempt that failed, and what it had done is counted as undone', async () => {
    const relay = await open();
    const told: string[] = [];
    notes.meanwhile = (event, tx) => {
      tx.onSettled((status) => told.push(`${labelOf(event)} ${status}`));
    };
    notes.fail = failing({ 'a@1': 1 });
    await relay.publish('a@1', 'b@1');
    relay.start();
    await relay.untilNoted('b', '1');
    expect(await relay.noted('a')).toBe('');
    expect(told.sort()).toEqual(['a@1 refused', 'b@1 success']);
  });

  it('finds the one event that spoils the commit of all, and sets it alone aside', async () => {
    const relay = await open();
    notes.meanwhile = async (event, tx) => {
      if (labelOf(event) === 'poison@1') await tx.select('SELECT nonsense FROM nowhere', {});
    };
    await relay.publish('a@1', 'poison@1', 'b@1', 'poison@2');
    relay.start();
    await relay.untilNoted('a', '1');
    await relay.untilNoted('b', '1');
    await eventually('both are set aside', async () => (await relay.blocked())[0] === 'poison: 2/1');

    notes.meanwhile = () => undefined;
    await relay.retryNow();
    await relay.untilNoted('poison', '1 2');
    expect(notes.calls.filter((call) => call === 'b@1')).toHaveLength(1);
  });

  it('counts an attempt that spoils the commit also when the event was set aside before', async () => {
    const relay = await open();
    notes.meanwhile = async (event, tx) => {
      if (labelOf(event) === 'a@1') await tx.select('SELECT nonsense FROM nowhere', {});
    };
    await relay.publish('a@1', 'a@2');
    relay.start();
    await eventually('it is set aside', async () => (await relay.blocked())[0] === 'a: 2/1');
    await relay.retryNow();
    await eventually('it has failed again', async () => (await relay.blocked())[0] === 'a: 2/2');
    notes.meanwhile = () => undefined;
    await relay.retryNow();
    await relay.untilNoted('a', '1 2');
  });

  it('tries again later each time, within limits, and then makes a dead letter of it', async () => {
    const relay = await open({ RELAY_ATTEMPTS_MAX: '3', RELAY_BACKOFF_FIRST_MS: '1000' });
    notes.fail = failing({ 'a@1': 3 });
    await relay.publish('a@1', 'a@2', 'b@1');
    relay.start();
    await relay.untilNoted('b', '1');
    expect(await relay.blocked()).toEqual(['a: 2/1']);
    // The second attempt comes after at most one second, the third after at most two.
    await relay.retryNow(0.9);
    await untilCalls('a@1', 1);
    await relay.retryNow(0.1);
    await untilCalls('a@1', 2);
    await relay.retryNow(1.9);
    await untilCalls('a@1', 2);
    await relay.retryNow(0.1);
    await untilCalls('a@1', 3);
    await eventually('it is dead', async () => (await relay.blocked())[0] === 'a: 2/3 dead');

    await relay.retryNow();
    await relay.publish('a@3', 'b@2');
    await relay.untilNoted('b', '1 2');
    expect(await relay.noted('a')).toBe('');
    expect(await relay.blocked()).toEqual(['a: 3/3 dead']);
    const { items } = await asTenant(tenantId, () => relay.deadLetters.list('DEAD', 10, null));
    expect(items).toEqual([
      expect.objectContaining({
        consumer: 'test.notes',
        type: 'inventory.stock.policy-changed',
        locationId: 'L',
        code: 'TEST_REFUSED',
        detail: 'a@1 cannot be',
        attempts: 3,
        status: 'DEAD',
        data: expect.objectContaining({ sku: 'A', safetyStock: 1 }),
        origin: expect.objectContaining({ version: 1, subject: 'a', subjectVersion: 1 }),
      }),
    ]);
  });

  it('delivers everything in order after the consumer has failed for a while', async () => {
    const relay = await open({ RELAY_RETRYING_SUBJECTS_MAX: '3' });
    let down = true;
    notes.fail = () => (down ? new Error('the consumer is down') : undefined);
    const subjects = Array.from({ length: 40 }, (_, index) => `s${index}`);
    for (const version of [1, 2]) {
      await relay.publish(...subjects.map((subject) => `${subject}@${version}`));
    }
    relay.start();
    for (let round = 0; round < 4; round++) await relay.retryNow();
    down = false;
    await eventually('nothing is blocked any more', async () => {
      // An attempt of before may fail only now, and be due later.
      await relay.retryNow();
      return (await relay.noted('s39')) !== '' && (await relay.blocked()).length === 0;
    });
    for (const subject of subjects) await relay.untilNoted(subject, '1 2');
  });

  it('takes no new events while too many subjects wait for another attempt', async () => {
    const relay = await open({ RELAY_RETRYING_SUBJECTS_MAX: '40' });
    notes.fail = () => new Error('the consumer is down');
    await relay.publish(...Array.from({ length: 200 }, (_, index) => `s${index}@1`));
    relay.start();
    // The first turn takes 32 events, the second as many as have become twice that.
    await eventually('it is full', async () => (await relay.blocked()).length >= 40);
    await relay.retryNow();
    await eventually('all were tried again', async () => (await relay.blocked()).every((line) => line.endsWith('/2')));
    expect((await relay.blocked()).length).toBeLessThan(100);
  });

  it('holds up the whole consumer, without counting attempts, when the handler says that it cannot work now', async () => {
    const relay = await open();
    let busy = true;
    notes.fail = ({ subject }) => (busy && subject === 'b' ? new NotNow('come back') : undefined);
    await relay.publish('a@1', 'b@1', 'c@1');
    relay.start();
    await relay.untilNoted('a', '1');
    await eventually('it was tried twice', async () => notes.calls.filter((call) => call === 'b@1').length >= 2);
    expect(await relay.blocked()).toEqual([]);
    expect(notes.calls).not.toContain('c@1');
    busy = false;
    await relay.untilNoted('b', '1');
    await relay.untilNoted('c', '1');
    expect(notes.calls.filter((call) => call === 'a@1')).toHaveLength(1);
  });

  it('moves the cursor of a consumer past what it does not want, so that nothing is kept for it', async () => {
    const relay = await open();
    relay.start();
    await relay.publish('a@1');
    await relay.untilNoted('a', '1');
    await asTenant(tenantId, () =>
      relay.path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.record(Array.from({ length: 10_000 }, () => unwanted));
        return Promise.resolve();
      }),
    );
    await eventually('the cursor is behind all of it', () =>
      asTenant(tenantId, async () => (await relay.cursors.deliveredUpTo()) === (await relay.log.headOfTenant())),
    );
    expect(notes.calls).toEqual(['a@1']);
  });

  it('hands over old events in their newest version', async () => {
    const old = await openCarts([CartChanged1], []);
    await record(old, CartChanged1, { cartId: '17', units: 3 });
    await old.close();
    const carts = new Carts();
    const now = await openCarts(ALL_CARTS, [carts]);
    now.start();
    await record(now, CartChanged3, { cartId: '17', quantity: 5, unit: 'box' });
    await eventually('both have come', async () => carts.seen.length === 2);
    expect(carts.seen).toEqual([
      { version: 3, data: { cartId: '17', quantity: 3, unit: 'piece' } },
      { version: 3, data: { cartId: '17', quantity: 5, unit: 'box' } },
    ]);
  });

  it('sets aside what only a newer server can read, until one does', async () => {
    const now = await openCarts(ALL_CARTS, []);
    await record(now, CartChanged3, { cartId: '17', quantity: 5, unit: 'box' });
    await now.close();
    const old = await openCarts([CartChanged1], [new OldCarts()]);
    old.start();
    await eventually('it is set aside', async () => (await old.blocked())[0] === 'cart/17: 1/1');
    await old.close();
    const carts = new Carts();
    const again = await openCarts(ALL_CARTS, [carts]);
    again.clock.advanceSeconds(3_600);
    again.start();
    await eventually('it is read', async () => carts.seen.length === 1);
  });

  async function openCarts(events: readonly EventDefinition[], reactions: readonly Reaction[]): Promise<TestRelay> {
    const upcasters = events.length === 1 ? [] : CART_UPCASTERS;
    server = await TestRelay.open(database.url, { tenantId, events, upcasters, reactions });
    return server;
  }

  async function record({ path }: TestRelay, { type, version }: EventDefinition, data: object): Promise<void> {
    const event = { type, version, subject: 'cart/17', subjectVersion: 1, locationId: null, data, occurredAt: 0 };
    await asTenant(tenantId, () => path.unitOfWork.run({ keys: [] }, async (tx) => tx.record([event])));
  }

  it('names the event as the cause of what its handler records, and the consumer as the caller', async () => {
    const relay = await open();
    notes.meanwhile = ({ subject }, tx) => {
      if (subject === 'cause') tx.record([anEvent('effect@1')]);
    };
    await relay.publish('cause@1');
    relay.start();
    await relay.untilNoted('effect', '1');
    const rows = await asTenant(tenantId, () =>
      relay.path.reader.select<{ eventId: string; causationId: string; clientId: string; correlationId: string }>(
        `SELECT event_id AS "eventId", causation_id AS "causationId", client_id AS "clientId",
           correlation_id AS "correlationId" FROM outbox_events WHERE tenant_id = :tenant ORDER BY position`,
      ),
    );
    expect(rows).toEqual([
      expect.objectContaining({ causationId: null, clientId: 'test' }),
      expect.objectContaining({
        causationId: rows[0]?.eventId,
        clientId: 'test.notes',
        correlationId: rows[0]?.correlationId,
      }),
    ]);
  });

  async function untilCalls(label: string, times: number): Promise<void> {
    await eventually(
      `${label} was tried ${times} times`,
      async () => notes.calls.filter((call) => call === label).length === times,
    );
  }
});
