import fc from 'fast-check';
import { RetryPolicy } from './retry-policy.ts';

const LIMITS = { attemptsMax: 5, firstMs: 100, maxMs: 350 };

describe('RetryPolicy', () => {
  const longest = new RetryPolicy(LIMITS, () => 0.999_999_999);

  it('waits up to twice as long each time, up to its maximum, and gives up after the last attempt', () => {
    expect([1, 2, 3, 4, 5, 6].map((attempts) => longest.pauseMs(attempts))).toEqual([99, 199, 349, 349, null, null]);
  });

  it('draws each pause from the whole range, so that what failed together does not come back together', () => {
    const draws = [0, 0.25, 0.5, 0.75];
    const pauses = draws.map((draw) => new RetryPolicy(LIMITS, () => draw).pauseMs(2));
    expect(pauses).toEqual([0, 50, 100, 150]);
  });

  it('never waits longer than its maximum, however often it was tried', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, draw) => {
          const pause = new RetryPolicy({ ...LIMITS, attemptsMax: Infinity }, () => draw).pauseMs(attempts);
          expect(pause).not.toBeNull();
          expect(pause).toBeGreaterThanOrEqual(0);
          expect(pause).toBeLessThanOrEqual(LIMITS.maxMs);
        },
      ),
    );
  });
});
