import type { Pace } from '../kernel/pace.ts';
import type { Settings } from '../settings.ts';
import type { ConsumerCursors } from './consumer-cursors.ts';
import type { Delivery, TurnResult } from './delivery.ts';
import type { Consumer, Dispatch } from './dispatch.ts';
import { isBusy } from './failure.ts';
import { LogPlace, turnEventsAfter } from './log-place.ts';
import type { LogReader } from './log-reader.ts';

/** Rest after another server was found at work for this consumer, in milliseconds. */
export const ELSEWHERE_PAUSE_MS = 25;
/** Rest after the database, or a handler, could not work: at most this first, twice as long each time, up to the second. */
const HELD_UP_FIRST_MS = 100;
const HELD_UP_MAX_MS = 5_000;
/** Events of the first turn; later ones follow what the handlers take. */
const FIRST_TURN_EVENTS = 32;

/** One consumer in one tenant: what the relay knows of it between its turns. */
export class Lane {
  /** Something has happened since its turn began. */
  wanted = false;
  retryWanted = true;
  state: 'idle' | 'queued' | 'running' | 'resting' = 'idle';
  private readonly place: LogPlace;
  private blockedSubjects = 0;
  private turnEvents = FIRST_TURN_EVENTS;
  private failures = 0;

  constructor(
    readonly tenantId: string,
    readonly consumer: Consumer,
    private readonly delivery: Delivery,
    private readonly cursors: ConsumerCursors,
    private readonly log: LogReader,
    private readonly dispatch: Dispatch,
    private readonly settings: Settings,
    private readonly pace: Pace,
  ) {
    this.place = new LogPlace(pace);
  }

  begin(): void {
    this.state = 'running';
    this.wanted = false;
  }

  get isWantedAgain(): boolean {
    return this.wanted;
  }

  /** It is further than the database knows, and has been for so long that a turn for that alone is due. */
  get isOverdue(): boolean {
    const { position } = this.place;
    return position !== undefined && this.place.isToBeStored(position);
  }

  /**
   * A turn: what was set aside and is due, then the next stretch of the log.
   * @returns how long to rest before the next turn, in milliseconds; 0: not at all
   */
  async step(): Promise<number> {
    const position = this.place.position ?? this.place.begin(await this.cursors.positionOf(this.consumer));
    const retried = this.retryWanted ? await this.retry() : null;
    if (retried !== null && retried.kind !== 'done') return this.restAfter(retried);
    return (await this.isFull()) ? 0 : this.readOn(position);
  }

  /** A turn has thrown. @returns how long to rest, and whether it is the first failure after a success */
  failed(): { pauseMs: number; isFirst: boolean } {
    this.failures += 1;
    this.place.forget();
    this.retryWanted = true;
    const longest = Math.min(HELD_UP_MAX_MS, HELD_UP_FIRST_MS * 2 ** (this.failures - 1));
    return { pauseMs: 1 + this.pace.chance() * longest, isFirst: this.failures === 1 };
  }

  private async retry(): Promise<TurnResult | null> {
    this.retryWanted = false;
    const result = await this.delivery.retry(this.consumer);
    if (result?.kind === 'done') this.blockedSubjects = result.blockedSubjects;
    if (result !== null) {
      // There may be more than one look finds.
      this.retryWanted = true;
      this.wanted = true;
    }
    return result;
  }

  /** Too many subjects wait for another attempt: the consumer, not an event, is in trouble. The retries go on. */
  private async isFull(): Promise<boolean> {
    const max = this.settings.relayRetryingSubjectsMax;
    return this.blockedSubjects >= max && (await this.delivery.retryingSubjects(this.consumer, max)) >= max;
  }

  private async readOn(after: number): Promise<number> {
    const { events, upTo, more, fromMemory } = await this.log.next(after, this.consumer, this.turnEvents);
    if (more || fromMemory) this.wanted = true;
    if (events.length === 0 && !this.place.isToBeStored(upTo)) {
      this.place.pass(upTo);
      this.failures = 0;
      return 0;
    }
    const opened = events.map((event) => this.dispatch.open(event));
    const result = await this.delivery.deliver(this.consumer, opened, upTo);
    if (result.kind !== 'done') return this.restAfter(result);
    this.failures = 0;
    this.place.store(result.position);
    this.blockedSubjects = result.blockedSubjects;
    if (result.position < upTo) this.wanted = true;
    if (events.length > 0) {
      this.turnEvents = turnEventsAfter(this.turnEvents, events.length, result.costMs, this.settings);
    }
    return 0;
  }

  private restAfter(result: Exclude<TurnResult, { kind: 'done' }>): number {
    if (result.kind === 'busy') {
      const { pauseMs } = this.failed();
      const { retryAfterSeconds = 0 } = result.cause as { retryAfterSeconds?: number };
      return isBusy(result.cause) ? Math.max(pauseMs, retryAfterSeconds * 1000) : pauseMs;
    }
    this.place.forget();
    this.retryWanted = true;
    return ELSEWHERE_PAUSE_MS;
  }
}
