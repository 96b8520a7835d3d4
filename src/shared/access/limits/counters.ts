import { Injectable } from '@nestjs/common';
import { Pace } from '../../kernel/pace.ts';
import { Settings } from '../../settings.ts';

/** So many requests in so many milliseconds. */
export interface Quota {
  /** Names the policy in headers, and its counters apart from those of others. */
  readonly name: string;
  readonly requests: number;
  readonly windowMs: number;
}

/** Where somebody stands within a quota. */
export interface Standing {
  readonly admitted: boolean;
  /** Requests that are left until the quota is whole again. */
  readonly remaining: number;
  /** Milliseconds until then, more than 0. */
  readonly resetMs: number;
}

/** Who is counted: the two are kept apart, so that addresses, of which anybody has many, never push out a key. */
export type Space = 'keys' | 'addresses';

/**
 * Where requests are counted. It may answer at once or later: counters that several servers share are somewhere else,
 * and those of one process need no promise (docs/decisions/0032).
 */
export abstract class Counters {
  /** @param units 1: counts one request; 0: only looks */
  abstract take(space: Space, who: string, quota: Quota, units: 0 | 1): Standing | Promise<Standing>;
}

interface Window {
  readonly startedMs: number;
  used: number;
}

/**
 * Counters in the memory of this process: a window begins with the first request and ends after its time, whatever is
 * asked meanwhile, so refused requests do not prolong it. Time is that of `Pace`, which only goes forward: setting the clock of
 * the machine must neither shut everybody out nor open the gate.
 *
 * Each space keeps at most RATE_LIMIT_COUNTERS_MAX windows and drops the one that nobody has asked for the longest time. To
 * have its own dropped, a caller would have to make that many requests from other addresses first, which is more than
 * it gains by it.
 */
@Injectable()
export class MemoryCounters extends Counters {
  private readonly spaces: Readonly<Record<Space, Map<string, Window>>> = { keys: new Map(), addresses: new Map() };

  constructor(
    private readonly settings: Settings,
    private readonly pace: Pace,
  ) {
    super();
  }

  take(space: Space, who: string, { name, requests, windowMs }: Quota, units: 0 | 1): Standing {
    const windows = this.spaces[space];
    const key = `${name} ${who}`;
    const nowMs = this.pace.elapsedMs();
    const known = windows.get(key);
    const isOver = known === undefined || nowMs - known.startedMs >= windowMs;
    if (isOver && units === 0) return { admitted: requests > 0, remaining: requests, resetMs: windowMs };
    const window = isOver ? { startedMs: nowMs, used: 0 } : known;
    const admitted = window.used + Math.max(units, 1) <= requests;
    if (admitted) window.used += units;
    // A Map keeps the order in which its keys were set: the first is the one that was asked for least lately.
    if (known !== undefined) windows.delete(key);
    windows.set(key, window);
    if (windows.size > this.settings.rateLimitCountersMax) this.dropOldest(windows);
    return { admitted, remaining: requests - window.used, resetMs: window.startedMs + windowMs - nowMs };
  }

  /** How many windows there are, for tests and whoever looks for memory. */
  get size(): number {
    return this.spaces.keys.size + this.spaces.addresses.size;
  }

  private dropOldest(windows: Map<string, Window>): void {
    for (const key of windows.keys()) {
      windows.delete(key);
      return;
    }
  }
}
