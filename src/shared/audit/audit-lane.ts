import type { Settings } from '../settings.ts';
import { isBusy } from '../outbox/failure.ts';

/** Rest after another server was found at work for this chain, in milliseconds. */
const ELSEWHERE_PAUSE_MS = 25;
/** Rest after a turn has failed: this first, twice as long each time, up to the second. */
const FAILED_FIRST_MS = 100;
const FAILED_MAX_MS = 30_000;
const FIRST_TURN_EVENTS = 64;
/** A place that moves on past events of no interest is stored no later than after so many, or so long. */
const UNSTORED_POSITIONS_MAX = 10_000;
const UNSTORED_MS_MAX = 10_000;

/** The chain of one tenant: what its writer knows of it between its turns. */
export class AuditLane {
  /** Something may have happened since its last turn. */
  wanted = false;
  /** Behind this nothing is left to write; undefined: the database has to say. */
  position: number | undefined;
  turnEvents = FIRST_TURN_EVENTS;
  /** On the monotonic clock, in milliseconds. */
  restsUntil = -Infinity;
  /** Turns in a row that have failed. */
  failures = 0;
  private storedPosition = 0;
  private storedAtMs = performance.now();

  constructor(readonly tenantId: string) {}

  get isReady(): boolean {
    return this.wanted && performance.now() >= this.restsUntil;
  }

  begins(position: number): void {
    this.position = position;
    this.storedPosition = position;
  }

  isToBeStored(upTo: number): boolean {
    const unstored = upTo - this.storedPosition;
    return (
      unstored >= UNSTORED_POSITIONS_MAX || (unstored > 0 && performance.now() - this.storedAtMs >= UNSTORED_MS_MAX)
    );
  }

  stored(position: number): void {
    this.position = Math.max(position, this.position ?? 0);
    this.storedPosition = position;
    this.storedAtMs = performance.now();
    this.failures = 0;
  }

  /** The other one has moved on, so what was read is of the past. */
  elsewhere(): void {
    this.position = undefined;
    this.rest(ELSEWHERE_PAUSE_MS);
  }

  /** @returns whether somebody has to hear of it: it is no database that cannot be used for a moment */
  failed(error: unknown): boolean {
    this.position = undefined;
    this.failures += 1;
    this.rest(Math.min(FAILED_MAX_MS, FAILED_FIRST_MS * 2 ** (this.failures - 1)));
    return !isBusy(error);
  }

  /** As many events as take no more than a bulk slice: interactive works wait for no longer than that. */
  adapt(events: number, ms: number, { bulkSliceMs, relayBatchEventsMax }: Settings): void {
    if (events === 0) return;
    const fitting = Math.floor((bulkSliceMs * events) / Math.max(ms, 0.001));
    this.turnEvents = Math.max(1, Math.min(fitting, 2 * this.turnEvents, relayBatchEventsMax));
  }

  private rest(ms: number): void {
    this.wanted = true;
    this.restsUntil = performance.now() + ms;
  }
}
