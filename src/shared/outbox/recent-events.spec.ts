import fc from 'fast-check';
import { runInContext } from '../kernel/context.ts';
import type { Pace } from '../kernel/pace.ts';
import type { UnitOfWork } from '../persistence/unit-of-work.ts';
import { RecentEvents } from './recent-events.ts';
import type { LoggedEvent } from './stored-event.ts';

/** A log that two servers write, and the memory of one of them. */
class Log {
  readonly memory: RecentEvents;
  private readonly all: { tenantId: string; event: LoggedEvent }[] = [];
  private now = 0;
  private position: number;
  /** Something is deleted. */
  purge: () => void = () => undefined;
  private tell: (tenantId: string, events: readonly LoggedEvent[]) => void = () => undefined;

  constructor(before = 0) {
    this.position = before;
    const unitOfWork = {
      onEventsStored: (listener: typeof this.tell) => {
        this.tell = listener;
      },
      onPurged: (listener: () => void) => {
        this.purge = listener;
      },
    };
    const pace = { elapsedMs: () => this.now };
    this.memory = new RecentEvents(unitOfWork as unknown as UnitOfWork, pace as unknown as Pace);
  }

  /** A commit of our own. */
  store(tenantId: string, count: number, payload = '{}'): void {
    this.tell(tenantId, this.append(tenantId, count, payload));
  }

  /** One of another server, of which we are not told. */
  storeElsewhere(tenantId: string, count: number): void {
    this.append(tenantId, count, '{}');
  }

  /** A transaction has taken positions and was rolled back. */
  rollBack(count: number): void {
    this.position += count;
  }

  pass(ms: number): void {
    this.now += ms;
  }

  /** What the memory tells of it, by position. */
  recalled(tenantId: string, after: number): number[] | null {
    const context = { tenantId, clientId: 'test', correlationId: 'test', traceparent: null };
    return runInContext(context, () => this.memory.after(after))?.map(({ position }) => position) ?? null;
  }

  /** What the database would. */
  stored(tenantId: string, after: number): number[] {
    const own = this.all.filter((one) => one.tenantId === tenantId && one.event.position > after);
    return own.map(({ event }) => event.position);
  }

  get end(): number {
    return this.position;
  }

  private append(tenantId: string, count: number, payload: string): LoggedEvent[] {
    const events = Array.from({ length: count }, () => {
      this.position += 1;
      return { position: this.position, payload } as LoggedEvent;
    });
    this.all.push(...events.map((event) => ({ tenantId, event })));
    return events;
  }
}

describe('RecentEvents', () => {
  it('tells what was stored behind a position, of the tenant that asks', () => {
    const log = new Log(10);
    log.store('a', 2);
    log.store('b', 1);
    log.store('a', 1);
    expect(log.recalled('a', 10)).toEqual([11, 12, 14]);
    expect(log.recalled('a', 11)).toEqual([12, 14]);
    expect(log.recalled('b', 10)).toEqual([13]);
  });

  it('does not know what was before it, whether there is more than it has seen, and what others have', () => {
    const log = new Log(10);
    expect(log.recalled('a', 10)).toBeNull();
    log.store('a', 2);
    expect(log.recalled('a', 9)).toBeNull();
    expect(log.recalled('a', 12)).toBeNull();
    expect(log.recalled('a', 99)).toBeNull();
    expect(log.recalled('b', 10)).toBeNull();
  });

  it('begins anew behind a hole: what is in it may be of another server', () => {
    const log = new Log();
    log.store('a', 2);
    log.storeElsewhere('a', 1);
    log.store('a', 1);
    expect(log.recalled('a', 1)).toBeNull();
    expect(log.recalled('a', 2)).toBeNull();
    expect(log.recalled('a', 3)).toEqual([4]);
    log.rollBack(5);
    log.store('a', 1);
    expect(log.recalled('a', 3)).toBeNull();
    expect(log.recalled('a', 9)).toEqual([10]);
  });

  it('begins anew when positions go back: somebody has put back an older database', () => {
    const log = new Log(10);
    log.store('a', 2);
    log.rollBack(-5);
    log.store('a', 1);
    expect(log.recalled('a', 10)).toBeNull();
    expect(log.recalled('a', 7)).toEqual([8]);
  });

  it('forgets everything when something is deleted: it may have been events of an erased tenant', () => {
    const log = new Log();
    log.store('a', 2);
    log.purge();
    expect(log.recalled('a', 0)).toBeNull();
    log.store('a', 1);
    expect(log.recalled('a', 2)).toEqual([3]);
  });

  it('keeps an event for a second', () => {
    const log = new Log();
    log.store('a', 1);
    log.pass(600);
    log.store('a', 1);
    log.pass(400);
    expect(log.recalled('a', 0)).toEqual([1, 2]);
    log.pass(1);
    expect(log.recalled('a', 0)).toBeNull();
    expect(log.recalled('a', 1)).toEqual([2]);
    log.pass(600);
    expect(log.recalled('a', 1)).toBeNull();
  });

  it('keeps 4,096 events', () => {
    const log = new Log();
    for (let n = 0; n < 5; n += 1) log.store('a', 1_000);
    expect(log.recalled('a', 903)).toBeNull();
    expect(log.recalled('a', 904)).toHaveLength(4_096);
  });

  it('keeps 8 Mi characters of data', () => {
    const log = new Log();
    const large = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 20; n += 1) log.store('a', 1, large);
    expect(log.recalled('a', 11)).toBeNull();
    expect(log.recalled('a', 12)).toHaveLength(8);
    log.store('a', 1, large.repeat(9));
    expect(log.recalled('a', 20)).toBeNull();
    log.store('a', 1);
    expect(log.recalled('a', 21)).toEqual([22]);
  });

  it('never leaves out and never adds an event, whatever others do, and forgets nothing that it need not', () => {
    const tenant = fc.constantFrom('a', 'b');
    const count = fc.integer({ min: 1, max: 4 });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('store' as const), tenant, count }) },
      fc.record({ kind: fc.constant('storeElsewhere' as const), tenant, count }),
      fc.record({ kind: fc.constant('rollBack' as const), count }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 700 }) }),
    );
    let recalls = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(5), (steps, before) => {
        const log = new Log(before);
        for (const one of steps) {
          if (one.kind === 'pass') log.pass(one.ms);
          else if (one.kind === 'rollBack') log.rollBack(one.count);
          else log[one.kind](one.tenant, one.count);
          if (one.kind !== 'store') continue;
          expect(log.recalled(one.tenant, log.end - one.count)).toHaveLength(one.count);
          for (let after = before; after < log.end; after += 1) {
            const recalled = log.recalled('a', after);
            if (recalled === null) continue;
            recalls += 1;
            expect(recalled).toEqual(log.stored('a', after));
          }
        }
      }),
    );
    expect(recalls).toBeGreaterThan(0);
  });
});
