import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.ts';
import { Metrics } from '../operations/metrics.ts';
import { Reader } from '../persistence/reader.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { ConsumerCursors, type Turn } from './consumer-cursors.ts';
import { type Consumer, Dispatch, type OpenedEvent } from './dispatch.ts';
import { failureOf, isBusy } from './failure.ts';
import { RetryPolicy } from './retry-policy.ts';
import { SetAside } from './set-aside.ts';
import type { LoggedEvent } from './stored-event.ts';

/** How one turn of a consumer ended. */
export type TurnResult =
  | {
      readonly kind: 'done';
      /** Where the consumer is now. */
      readonly position: number;
      readonly blockedSubjects: number;
      /** Time that others had to wait for it, in milliseconds, without the commit. */
      readonly costMs: number;
    }
  /** Another server has the turn. */
  | { readonly kind: 'elsewhere' }
  /** A handler said that it cannot work now. What came before it is done. */
  | { readonly kind: 'busy'; readonly cause: unknown };

/** What it has cost is known when it is written. */
type OwnTurnResult = Omit<Extract<TurnResult, { kind: 'done' }>, 'costMs'> | Extract<TurnResult, { kind: 'busy' }>;

/** Most events of one blocked subject that are tried in one commit. */
const FOLLOWERS_PER_TURN = 100;
/** Blocked subjects that one look at what is due finds. */
const DUE_SUBJECTS = 100;

/** A pause longer than the longest one means that the clock was set back since: then it is over. */
const IS_DUE = 'next_attempt_at IS NOT NULL AND (next_attempt_at <= :at OR next_attempt_at > :at + :pauseMax)';

const DUE_SUBJECT = `SELECT subject AS "subject" FROM blocked_subjects
  WHERE tenant_id = :tenant AND consumer = :consumer AND ${IS_DUE}
  ORDER BY next_attempt_at, subject LIMIT :limit`;

const DUE_CONSUMERS = `SELECT DISTINCT tenant_id AS "tenantId", consumer AS "consumer" FROM blocked_subjects
  WHERE ${IS_DUE}`;

const RETRYING = `SELECT COUNT(*) AS "subjects" FROM (
    SELECT subject FROM blocked_subjects
    WHERE tenant_id = :tenant AND consumer = :consumer AND next_attempt_at IS NOT NULL LIMIT :limit
  ) AS retrying`;

/**
 * Hands events to a consumer, in the tenant of the context. Everything that a turn does is one commit: what the handlers
 * changed, the place in the log, and what was set aside.
 */
@Injectable()
export class Delivery {
  private readonly logger = new Logger(Delivery.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly cursors: ConsumerCursors,
    private readonly dispatch: Dispatch,
    private readonly setAside: SetAside,
    private readonly policy: RetryPolicy,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /**
   * Hands over a stretch of the log. One event that fails is set aside and disturbs no neighbour; one that makes the
   * commit fail is found by committing each alone.
   * @param events everything in the log that the consumer wants, from where it is up to `upTo`
   * @throws Busy or Unavailable when the database cannot be used now; then nothing was done
   */
  async deliver(consumer: Consumer, events: readonly OpenedEvent[], upTo: number): Promise<TurnResult> {
    try {
      return await this.takeTurn(consumer, (turn) => this.handAll(turn, consumer, events, upTo));
    } catch (error) {
      const [first] = events;
      if (isBusy(error) || first === undefined) throw error;
      return events.length === 1 ? this.blockFor(consumer, first, error) : this.deliverOneByOne(consumer, events);
    }
  }

  /**
   * Tries again what is due of the set-aside events: of each subject in order, as far as it goes.
   * @returns null when nothing was due
   * @throws as `deliver`
   */
  async retry(consumer: Consumer): Promise<TurnResult | null> {
    const due = await this.reader.select<{ subject: string }>(DUE_SUBJECT, {
      consumer: consumer.consumer,
      limit: DUE_SUBJECTS,
      ...this.dueNow(),
    });
    let result: TurnResult | null = null;
    for (const { subject } of due) {
      result = await this.retrySubject(consumer, subject, FOLLOWERS_PER_TURN);
      if (result.kind !== 'done') break;
    }
    return result;
  }

  /** Whose set-aside events are due, over all tenants. */
  dueConsumers(): Promise<{ tenantId: string; consumer: string }[]> {
    return this.reader.selectAcrossTenants(DUE_CONSUMERS, this.dueNow());
  }

  /** How many subjects of the consumer are being tried again; not counted beyond `limit`. */
  async retryingSubjects({ consumer }: Consumer, limit: number): Promise<number> {
    const [row] = await this.reader.select<{ subjects: number }>(RETRYING, { consumer, limit });
    return row?.subjects ?? 0;
  }

  private dueNow(): { at: number; pauseMax: number } {
    return { at: this.clock.now(), pauseMax: this.policy.limits.maxMs };
  }

  private async takeTurn(consumer: Consumer, work: (turn: Turn) => Promise<OwnTurnResult>): Promise<TurnResult> {
    let costMs = 0;
    const result = await this.unitOfWork.run<OwnTurnResult | 'elsewhere'>(
      { keys: [], workClass: 'bulk' },
      async (tx) => {
        const turn = await this.cursors.take(tx, consumer.consumer, false);
        if (turn === undefined) return 'elsewhere';
        tx.onSettled(() => {
          costMs = tx.costMs;
        });
        return work(turn);
      },
    );
    if (result === 'elsewhere') return { kind: 'elsewhere' };
    return result.kind === 'done' ? { ...result, costMs } : result;
  }

  private async handAll(
    turn: Turn,
    consumer: Consumer,
    events: readonly OpenedEvent[],
    upTo: number,
  ): Promise<OwnTurnResult> {
    const { tx } = turn;
    const fresh = events.filter(({ logged }) => logged.position > turn.position);
    const blocked = await this.blockedAmong(turn, consumer, fresh);
    await tx.load(
      this.dispatch.keysOf(
        consumer,
        fresh.filter(({ logged }) => !blocked.has(logged.subject)),
      ),
    );
    const attempts = this.attemptsOf(consumer, tx);
    let reached = turn.position;
    for (const event of fresh) {
      const { subject, position } = event.logged;
      if (blocked.has(subject)) {
        await this.setAside.follow(turn, consumer.consumer, event.logged);
        attempts.setAside += 1;
      } else {
        const error = await this.attempt(consumer, event, tx);
        if (isBusy(error)) {
          turn.moveTo(reached);
          return { kind: 'busy', cause: error };
        }
        attempts.count(event, error);
        if (error !== null) {
          blocked.add(subject);
          await this.setAside.block(turn, consumer.consumer, event.logged, failureOf(error));
        }
      }
      reached = position;
    }
    turn.moveTo(upTo);
    return this.done(turn);
  }

  private async retrySubject(consumer: Consumer, subject: string, limit: number): Promise<TurnResult> {
    try {
      return await this.takeTurn(consumer, async (turn) => {
        if (await this.isDue(turn, consumer, subject)) {
          return this.handWaiting(turn, consumer, subject, limit);
        }
        return this.done(turn);
      });
    } catch (error) {
      if (isBusy(error)) throw error;
      return limit > 1 ? this.retrySubject(consumer, subject, 1) : this.failFor(consumer, subject, error);
    }
  }

  private async handWaiting(turn: Turn, consumer: Consumer, subject: string, limit: number): Promise<OwnTurnResult> {
    const { tx } = turn;
    const rows = await this.setAside.waiting(turn, consumer.consumer, subject, limit);
    const events = rows.map((row) => ({ row, opened: this.dispatch.open(row.event) }));
    await tx.load(
      this.dispatch.keysOf(
        consumer,
        events.map(({ opened }) => opened),
      ),
    );
    const attempts = this.attemptsOf(consumer, tx);
    for (const { row, opened } of events) {
      const error = await this.attempt(consumer, opened, tx);
      if (isBusy(error)) {
        return { kind: 'busy', cause: error };
      }
      attempts.count(opened, error);
      if (error !== null) {
        this.setAside.failed(turn, row, failureOf(error));
        break;
      }
      this.setAside.passed(turn, row);
    }
    return this.done(turn);
  }

  /** @returns what it failed with, or null. @throws when the whole transaction is spoiled by it */
  private async attempt(consumer: Consumer, event: OpenedEvent, tx: Transaction): Promise<unknown> {
    try {
      await this.dispatch.hand(consumer, event, tx);
      return null;
    } catch (error) {
      if (tx.isBroken) throw error;
      return error ?? new Error('The reaction threw nothing at all');
    }
  }

  /** Someone spoils the commit of all: found by committing each event alone. */
  private async deliverOneByOne(consumer: Consumer, events: readonly OpenedEvent[]): Promise<TurnResult> {
    let result: TurnResult = { kind: 'elsewhere' };
    for (const event of events) {
      result = await this.deliver(consumer, [event], event.logged.position);
      if (result.kind !== 'done') break;
    }
    return result;
  }

  /** Sets an event aside that spoils the commit, without running its handler. */
  private blockFor(consumer: Consumer, event: OpenedEvent, error: unknown): Promise<TurnResult> {
    return this.takeTurn(consumer, async (turn) => {
      const { subject, position } = event.logged;
      if (position > turn.position) {
        const attempts = this.attemptsOf(consumer, turn.tx);
        if ((await this.setAside.blockedSubject(turn, consumer.consumer, subject)) === undefined) {
          attempts.count(event, error);
          await this.setAside.block(turn, consumer.consumer, event.logged, failureOf(error));
        } else {
          // It was not run: what failed was to set it aside, and not its fault.
          await this.setAside.follow(turn, consumer.consumer, event.logged);
          attempts.setAside += 1;
        }
        turn.moveTo(position);
      }
      return this.done(turn);
    });
  }

  /** The same for the first of the events that wait of a subject. */
  private failFor(consumer: Consumer, subject: string, error: unknown): Promise<TurnResult> {
    return this.takeTurn(consumer, async (turn) => {
      const due = await this.isDue(turn, consumer, subject);
      const [row] = due ? await this.setAside.waiting(turn, consumer.consumer, subject, 1) : [];
      if (row !== undefined) {
        this.attemptsOf(consumer, turn.tx).count(this.dispatch.open(row.event), error);
        this.setAside.failed(turn, row, failureOf(error));
      }
      return this.done(turn);
    });
  }

  private async isDue(turn: Turn, { consumer }: Consumer, subject: string): Promise<boolean> {
    const blocked = await this.setAside.blockedSubject(turn, consumer, subject);
    const { at, pauseMax } = this.dueNow();
    const nextAt = blocked?.nextAttemptAt ?? null;
    return nextAt !== null && (nextAt <= at || nextAt > at + pauseMax);
  }

  private blockedAmong(turn: Turn, { consumer }: Consumer, events: readonly OpenedEvent[]): Promise<Set<string>> {
    return turn.blockedSubjects === 0
      ? Promise.resolve(new Set())
      : this.setAside.blockedAmong(
          turn,
          consumer,
          events.map(({ logged }) => logged.subject),
        );
  }

  private done({ position, blockedSubjects }: Turn): OwnTurnResult {
    return { kind: 'done', position, blockedSubjects };
  }

  private attemptsOf({ consumer }: Consumer, tx: Transaction): Attempts {
    return new Attempts(consumer, tx, this.metrics, this.logger);
  }
}

/** The attempts of one turn, counted and logged when it is certain that they were made. */
class Attempts {
  setAside = 0;
  private delivered = 0;
  private readonly failed: { readonly event: LoggedEvent; readonly error: unknown }[] = [];

  constructor(
    private readonly consumer: string,
    tx: Transaction,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {
    tx.onSettled((status) => {
      if (status === 'success') this.tell();
    });
  }

  /** @param error null when the event was handled */
  count({ logged }: OpenedEvent, error: unknown): void {
    if (error === null) this.delivered += 1;
    else this.failed.push({ event: logged, error });
  }

  private tell(): void {
    const { consumer, metrics } = this;
    metrics.countDeliveries(consumer, 'delivered', this.delivered);
    metrics.countDeliveries(consumer, 'failed', this.failed.length);
    metrics.countDeliveries(consumer, 'set_aside', this.setAside);
    for (const { event, error } of this.failed) {
      const { eventId, type, subject, correlationId } = event;
      this.logger.warn({ err: error, consumer, eventId, type, subject, correlationId }, 'An event was not processed');
    }
  }
}
