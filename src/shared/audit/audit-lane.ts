import type { Pace } from '../kernel/pace.ts';
import { isBusy } from '../outbox/failure.ts';
import { ELSEWHERE_PAUSE_MS } from '../outbox/lane.ts';
import { LogPlace, turnEventsAfter } from '../outbox/log-place.ts';
import type { Settings } from '../settings.ts';

/** Rest after a turn has failed: this first, twice as long each time, up to the second. */
const FAILED_FIRST_MS = 100;
const FAILED_MAX_MS = 30_000;
const FIRST_TURN_EVENTS = 64;

/** The chain of one tenant: what its writer knows of it between its turns. */
export class AuditLane {
  /** Something may have happened since its last turn. */
  wanted = false;
  readonly place: LogPlace;
  turnEvents = FIRST_TURN_EVENTS;
  /** On the monotonic clock, in milliseconds. */
  restsUntil = -Infinity;
  /** Turns in a row that have failed. */
  failures = 0;

  constructor(
    readonly tenantId: string,
    private readonly pace: Pace,
  ) {
    this.place = new LogPlace(pace);
  }

  get isReady(): boolean {
    return this.wanted && this.pace.elapsedMs() >= this.restsUntil;
  }

  /** There was nothing to write up to here. */
  passed(upTo: number): void {
    this.place.pass(upTo);
    this.failures = 0;
  }

  /** A turn has written what there was up to here. */
  stored(position: number, events: number, tookMs: number, settings: Settings): void {
    this.place.store(position);
    this.failures = 0;
    if (events > 0) this.turnEvents = turnEventsAfter(this.turnEvents, events, tookMs, settings);
  }

  /** Another server is at work for this chain. */
  elsewhere(): void {
    this.place.forget();
    this.rest(ELSEWHERE_PAUSE_MS);
  }

  /** @returns whether somebody has to hear of it: it is no database that cannot be used for a moment */
  failed(error: unknown): boolean {
    this.place.forget();
    this.failures += 1;
    this.rest(Math.min(FAILED_MAX_MS, FAILED_FIRST_MS * 2 ** (this.failures - 1)));
    return !isBusy(error);
  }

  private rest(ms: number): void {
    this.wanted = true;
    this.restsUntil = this.pace.elapsedMs() + ms;
  }
}
