import fc from 'fast-check';
import { counts } from '../../../test/support/counts.ts';
import { SET_BACK_MAX_MS, SystemClock } from './clock.ts';

const RUNS = counts(300, 30_000);
const START = 1_800_000_000_000;

/** A system's clock and the time that really passes, as a test moves them. */
class World {
  systemMs = START;
  elapsedMs = 5_000;
  readonly clock = new SystemClock(
    () => this.systemMs,
    () => this.elapsedMs,
  );

  pass(ms: number): void {
    this.elapsedMs += ms;
    this.systemMs += ms;
  }

  jump(ms: number): void {
    this.systemMs += ms;
  }
}

interface Step {
  readonly passMs: number;
  readonly jumpMs: number;
}

/** Jumps that never leave the system's clock further behind than what is waited for. */
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    passMs: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 200_000 })),
    jumpMs: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      fc.integer({ min: -120_000, max: 900_000 }),
      fc.constantFrom(-1, -2, -60_000, 900_000),
    ),
  }),
  { maxLength: 25 },
);

describe('SystemClock', () => {
  it('is the system clock, also when that is set forward', () => {
    const world = new World();
    expect(world.clock.now()).toBe(START);
    world.jump(900_000);
    expect(world.clock.now()).toBe(START + 900_000);
  });

  it('goes on at half speed when the system clock is set back by a minute, and has met it after two', () => {
    const world = new World();
    world.clock.now();
    world.jump(-60_000);
    expect(world.clock.now()).toBe(START);
    world.pass(1);
    expect(world.clock.now()).toBe(START);
    world.pass(1);
    expect(world.clock.now()).toBe(START + 1);
    // Asked ever again: of an instant that it never told, nobody knows.
    for (let second = 0; second < 60; second += 1) {
      world.pass(1_000);
      world.clock.now();
    }
    expect(world.clock.now()).toBe(START + 30_001);
    world.pass(60_000);
    expect(world.clock.now()).toBe(world.systemMs);
    world.pass(10);
    expect(world.clock.now()).toBe(world.systemMs);
  });

  it('follows at once a system clock that is set back by more than anybody should wait for', () => {
    const world = new World();
    world.clock.now();
    world.jump(-SET_BACK_MAX_MS - 1);
    expect(world.clock.now()).toBe(START - SET_BACK_MAX_MS - 1);
    world.pass(7);
    expect(world.clock.now()).toBe(world.systemMs);
  });

  it('never goes back, is never behind the system, moves by no more than has passed, and meets the system again', () => {
    fc.assert(
      fc.property(steps, (story) => {
        const world = new World();
        let before = world.clock.now();
        for (const { passMs, jumpMs } of story) {
          world.pass(passMs);
          world.jump(jumpMs);
          const now = world.clock.now();
          expect(now).toBeGreaterThanOrEqual(before);
          expect(now).toBeGreaterThanOrEqual(world.systemMs);
          // Ahead of the system's clock: at most as far on as time has passed.
          if (now > world.systemMs) expect(now - before).toBeLessThanOrEqual(passMs / 2 + 1);
          before = now;
        }
        const aheadMs = before - world.systemMs;
        world.pass(2 * aheadMs + 2);
        expect(world.clock.now()).toBe(world.systemMs);
      }),
      { numRuns: RUNS },
    );
  });
});
