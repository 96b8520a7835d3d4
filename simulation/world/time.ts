import { v7 } from 'uuid';
import { Clock, type Instant } from '../../src/shared/kernel/clock.ts';
import { Ids } from '../../src/shared/kernel/ids.ts';
import { Pace } from '../../src/shared/kernel/pace.ts';
import type { Chance } from '../chance.ts';
import type { Life, Turns } from './turns.ts';

interface Timer {
  readonly life: Life;
  readonly dueMs: number;
  readonly run: () => void;
}

/** The time of a story: it stands still until a step moves it, and takes whatever was to happen meanwhile on its way. */
export class Time extends Clock {
  /** Since the beginning of the story, in milliseconds; never goes back. */
  elapsedMs = 0;
  private readonly timers = new Set<Timer>();

  constructor(private instant: Instant) {
    super();
  }

  now(): Instant {
    return this.instant;
  }

  /** The clock of all servers is set; nothing happens meanwhile. */
  set(instant: Instant): void {
    this.instant = instant;
  }

  after(life: Life, ms: number, run: () => void): () => void {
    const timer = { life, dueMs: this.elapsedMs + Math.max(1, Math.ceil(ms)), run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** @param rung after each of the timers that ring meanwhile */
  async pass(ms: number, rung: () => Promise<void>): Promise<void> {
    const endMs = this.elapsedMs + ms;
    for (let next = this.nextBefore(endMs); next !== undefined; next = this.nextBefore(endMs)) {
      this.timers.delete(next);
      this.moveTo(Math.max(next.dueMs, this.elapsedMs));
      next.run();
      await rung();
    }
    this.moveTo(endMs);
  }

  private nextBefore(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.life.isOver) this.timers.delete(timer);
      else if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  private moveTo(elapsedMs: number): void {
    this.instant += elapsedMs - this.elapsedMs;
    this.elapsedMs = elapsedMs;
  }
}

/** The pace of one life of a server. */
export class SimulatedPace extends Pace {
  private workedMs = 0;

  /** @param slownessMs longest time that anything takes that is measured, in milliseconds */
  constructor(
    private readonly time: Time,
    private readonly turns: Turns,
    private readonly life: Life,
    private readonly random: Chance,
    private readonly slownessMs: number,
  ) {
    super();
  }

  elapsedMs(): number {
    this.workedMs += this.random.fraction() * this.slownessMs;
    return this.time.elapsedMs + this.workedMs;
  }

  chance(): number {
    return this.random.fraction();
  }

  nextTurn(): Promise<void> {
    return this.turns.wait(this.life);
  }

  /** Of no length: who pauses to let others go first is let go when the seed says so. */
  pause(): Promise<void> {
    return this.turns.wait(this.life);
  }

  after(ms: number, run: () => void): () => void {
    return this.time.after(this.life, ms, run);
  }
}

/** Ids that rise with the time of the story, as those of a server do, and that nobody else has. */
export class SimulatedIds extends Ids {
  private count = 0;
  private milliseconds = 0;

  constructor(
    private readonly time: Time,
    private readonly random: Chance,
  ) {
    super();
  }

  next(): string {
    this.count += 1;
    const bytes = Uint8Array.from({ length: 16 }, () => this.random.whole(0, 255));
    this.milliseconds = Math.max(this.milliseconds, this.time.now());
    return v7({ random: bytes, msecs: this.milliseconds, seq: this.count });
  }
}
