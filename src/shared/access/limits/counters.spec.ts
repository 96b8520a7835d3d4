import fc from 'fast-check';
import { SystemPace } from '../../kernel/pace.ts';
import { readSettings } from '../../settings.ts';
import { MemoryCounters, type Quota } from './counters.ts';

class MovedPace extends SystemPace {
  atMs = 1_000;
  override elapsedMs(): number {
    return this.atMs;
  }
}

function countersOf(env: Record<string, string> = {}): { counters: MemoryCounters; clock: MovedPace } {
  const clock = new MovedPace();
  return { counters: new MemoryCounters(readSettings(env), clock), clock };
}

const THREE: Quota = { name: 'writes', requests: 3, windowMs: 10_000 };

describe('MemoryCounters.take', () => {
  it('admits as many as the quota has, and tells what is left and when it is whole again', () => {
    const { counters, clock } = countersOf();
    const standings = [1, 2, 3, 4].map(() => {
      clock.atMs += 100;
      return counters.take('keys', 'K1', THREE, 1);
    });
    expect(standings).toEqual([
      { admitted: true, remaining: 2, resetMs: 10_000 },
      { admitted: true, remaining: 1, resetMs: 9_900 },
      { admitted: true, remaining: 0, resetMs: 9_800 },
      { admitted: false, remaining: 0, resetMs: 9_700 },
    ]);
  });

  it('counts callers, classes and spaces apart', () => {
    const { counters } = countersOf();
    for (let i = 0; i < 3; i += 1) counters.take('keys', 'K1', THREE, 1);
    expect(counters.take('keys', 'K1', THREE, 1).admitted).toBe(false);
    expect(counters.take('keys', 'K2', THREE, 1).admitted).toBe(true);
    expect(counters.take('addresses', 'K1', THREE, 1).admitted).toBe(true);
    expect(counters.take('keys', 'K1', { ...THREE, name: 'reads' }, 1).admitted).toBe(true);
  });

  it('begins anew when the time is over, which refused requests do not prolong', () => {
    const { counters, clock } = countersOf();
    for (let i = 0; i < 10; i += 1) {
      counters.take('keys', 'K1', THREE, 1);
      clock.atMs += 999;
    }
    expect(counters.take('keys', 'K1', THREE, 1).admitted).toBe(false);
    clock.atMs += 10;
    expect(counters.take('keys', 'K1', THREE, 1)).toEqual({ admitted: true, remaining: 2, resetMs: 10_000 });
  });

  it('only looks when it is to take nothing', () => {
    const { counters } = countersOf();
    expect(counters.take('keys', 'K1', THREE, 0).admitted).toBe(true);
    expect(counters.size).toBe(0);
    for (let i = 0; i < 3; i += 1) counters.take('keys', 'K1', THREE, 1);
    expect(counters.take('keys', 'K1', THREE, 0)).toMatchObject({ admitted: false, remaining: 0 });
  });

  it('never admits more than the quota within its window, whatever is asked when', () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 4_000 }), who: fc.constantFrom('A', 'B') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { counters, clock } = countersOf();
        const windows = new Map<string, { from: number; admitted: number }>();
        for (const { waitMs, who } of steps) {
          clock.atMs += waitMs;
          const { admitted, remaining, resetMs } = counters.take('keys', who, THREE, 1);
          let window = windows.get(who);
          if (window === undefined || clock.atMs - window.from >= THREE.windowMs) {
            window = { from: clock.atMs, admitted: 0 };
            windows.set(who, window);
          }
          expect(admitted).toBe(window.admitted < 3);
          if (admitted) window.admitted += 1;
          expect([remaining, resetMs]).toEqual([3 - window.admitted, window.from + THREE.windowMs - clock.atMs]);
        }
      }),
    );
  });

  it('keeps no more than RATE_LIMIT_COUNTERS_MAX of a million addresses, and no key is dropped for them', () => {
    const { counters } = countersOf({ RATE_LIMIT_COUNTERS_MAX: '1000' });
    for (let i = 0; i < 3; i += 1) counters.take('keys', 'K1', THREE, 1);
    for (let i = 0; i < 1_000_000; i += 1) counters.take('addresses', String(i), THREE, 1);
    expect(counters.size).toBe(1_001);
    expect(counters.take('keys', 'K1', THREE, 1).admitted).toBe(false);
  });

  it('drops whoever was asked for the longest time ago, so that an address that goes on stays counted', () => {
    const { counters } = countersOf({ RATE_LIMIT_COUNTERS_MAX: '1000' });
    for (let i = 0; i < 10_000; i += 1) {
      if (i % 500 === 0) counters.take('addresses', 'persistent', THREE, 1);
      counters.take('addresses', String(i), THREE, 1);
    }
    expect(counters.take('addresses', 'persistent', THREE, 1).admitted).toBe(false);
  });
});
