import fc from 'fast-check';
import { CATCH_UP_SPEED, JUMP_MAX_MS, RetentionClock } from './retention-clock.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const START = Date.parse('2026-03-01T10:00:00.000Z');

describe('RetentionClock', () => {
  let elapsedMs: number;
  let clock: RetentionClock;

  beforeEach(() => {
    elapsedMs = 5_000;
    clock = new RetentionClock(() => elapsedMs);
  });

  it('follows a clock that runs', () => {
    let reached = START;
    for (let hour = 1; hour <= 1000; hour += 1) {
      elapsedMs += HOUR_MS;
      reached = clock.advance(reached, START + hour * HOUR_MS);
      expect(reached).toBe(START + hour * HOUR_MS);
    }
  });

  it('is up to date at once after a stop over a weekend', () => {
    expect(clock.advance(START, START + 60 * HOUR_MS)).toBe(START + 60 * HOUR_MS);
  });

  it('lets a jump of a year through for three days, and then ten hours an hour', () => {
    const now = START + YEAR_MS;
    let reached = clock.advance(START, now);
    expect(reached - START).toBe(72 * HOUR_MS);

    elapsedMs += HOUR_MS;
    reached = clock.advance(reached, now);
    expect(reached - START).toBe(82 * HOUR_MS);
    expect(clock.advance(reached, now)).toBe(reached);
  });

  it('stands still while the clock is behind, and goes on from where it was', () => {
    expect(clock.advance(START, START - YEAR_MS)).toBe(START);
    elapsedMs += 10;
    expect(clock.advance(START, START + 10)).toBe(START + 10);
  });

  it('never goes back, never passes the clock, and never runs faster than it may, whatever the clock does', () => {
    const step = fc.record({ jumpMs: fc.integer({ min: -YEAR_MS, max: YEAR_MS }), elapsedMs: fc.nat(HOUR_MS) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        let elapsed = 0;
        let now = START;
        let reached = START;
        const own = new RetentionClock(() => elapsed);
        for (const { jumpMs, elapsedMs: passedMs } of steps) {
          elapsed += passedMs;
          now += passedMs + jumpMs;
          const next = own.advance(reached, now);
          expect(next).toBeGreaterThanOrEqual(reached);
          expect(next).toBeLessThanOrEqual(Math.max(reached, now));
          expect(next - START).toBeLessThanOrEqual(JUMP_MAX_MS + CATCH_UP_SPEED * elapsed);
          reached = next;
        }
      }),
    );
  });
});
