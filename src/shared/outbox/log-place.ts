import type { Pace } from '../kernel/pace.ts';
import type { Settings } from '../settings.ts';

/**
 * A consumer that wants little of what there is moves on without a commit, but not further than this: a restart would
 * have to look through it again, and what is behind its cursor is not purged.
 */
const UNSTORED_POSITIONS_MAX = 10_000;
const UNSTORED_MS_MAX = 10_000;

/** Where somebody is who follows the log: as far as it knows itself, and as far as the database knows. */
export class LogPlace {
  /** Behind this nothing is left; undefined: the database has to say. At or behind the stored one. */
  private reached: number | undefined;
  private storedPosition = 0;
  private storedAtMs: number;

  constructor(private readonly pace: Pace) {
    this.storedAtMs = pace.elapsedMs();
  }

  get position(): number | undefined {
    return this.reached;
  }

  /** As the database says. */
  begin(position: number): number {
    this.reached = position;
    this.storedPosition = position;
    return position;
  }

  /** There is nothing up to here, and nobody was told. */
  pass(upTo: number): void {
    this.reached = upTo;
  }

  /** A commit has taken it here. A cursor never goes back, and so it may stand further than what was read. */
  store(position: number): void {
    this.reached = Math.max(position, this.reached ?? 0);
    this.storedPosition = position;
    this.storedAtMs = this.pace.elapsedMs();
  }

  /** What was read may be of the past, or what does not work: the next turn asks the database. */
  forget(): void {
    this.reached = undefined;
  }

  /** Whether a commit for that alone is due when it is here. */
  isToBeStored(upTo: number): boolean {
    const unstored = upTo - this.storedPosition;
    const isLate = this.pace.elapsedMs() - this.storedAtMs >= UNSTORED_MS_MAX;
    return unstored >= UNSTORED_POSITIONS_MAX || (unstored > 0 && isLate);
  }
}

/**
 * Events for the next turn: as many as take no more than a bulk slice, because interactive works wait for as long.
 * @param before of the last turn
 * @param events that it handled, from 1, and how long that took, in milliseconds
 */
export function turnEventsAfter(
  before: number,
  events: number,
  tookMs: number,
  { bulkSliceMs, relayBatchEventsMax }: Settings,
): number {
  const fitting = Math.floor((bulkSliceMs * events) / Math.max(tookMs, 0.001));
  return Math.max(1, Math.min(fitting, 2 * before, relayBatchEventsMax));
}
