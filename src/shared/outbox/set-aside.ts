import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.ts';
import type { EntityKey } from '../kernel/entity-key.ts';
import type { Transaction } from '../persistence/transaction.ts';
import type { Turn } from './consumer-cursors.ts';
import { DeadLetters } from './dead-letters.ts';
import { type Failure } from './failure.ts';
import { RetryPolicy } from './retry-policy.ts';
import {
  type BlockedSubjectRow,
  blockedSubjectsTable,
  type SetAsideEventRow,
  setAsideEventsTable,
} from './set-aside.table.ts';
import type { LoggedEvent } from './stored-event.ts';

/**
 * Events that wait: one that failed, and behind it the later ones of its subject, so that a consumer sees each subject
 * in order while all others pass (docs/decisions/0017). All of it happens in the consumer's turn.
 */
@Injectable()
export class SetAside {
  constructor(
    private readonly policy: RetryPolicy,
    private readonly deadLetters: DeadLetters,
    private readonly clock: Clock,
  ) {}

  /** Of these subjects the ones whose events have to wait. */
  async blockedAmong({ tx }: Turn, consumer: string, subjects: Iterable<string>): Promise<Set<string>> {
    const distinct = [...new Set(subjects)];
    await tx.load(distinct.map((subject) => blockedSubjectKey(consumer, subject)));
    return new Set(distinct.filter((subject) => tx.loaded(blockedSubjectsTable, consumer, subject) !== undefined));
  }

  /** The first failure of an event: its subject is blocked from now on. */
  async block(turn: Turn, consumer: string, event: LoggedEvent, failure: Failure): Promise<void> {
    await this.keep(turn.tx, consumer, event);
    const { subject } = event;
    const fresh = { consumer, subject, events: 1, attempts: 0, nextAttemptAt: 0, deadLetterId: null, version: 0 };
    await turn.tx.put(blockedSubjectsTable, this.afterFailure(turn.tx, fresh, event, failure));
    turn.countBlockedSubjects(1);
  }

  /** An event of a subject that is blocked waits behind the others. */
  async follow(turn: Turn, consumer: string, event: LoggedEvent): Promise<void> {
    await this.keep(turn.tx, consumer, event);
    const blocked = turn.tx.loaded(blockedSubjectsTable, consumer, event.subject);
    if (blocked !== undefined) {
      const { events, version } = blocked;
      turn.tx.replace(blockedSubjectsTable, { ...blocked, events: events + 1, version: version + 1 });
    }
  }

  async blockedSubject({ tx }: Turn, consumer: string, subject: string): Promise<BlockedSubjectRow | undefined> {
    return tx.get(blockedSubjectsTable, consumer, subject);
  }

  /** What waits of a subject, in order. @param limit most events, from 1 */
  async waiting({ tx }: Turn, consumer: string, subject: string, limit: number): Promise<SetAsideEventRow[]> {
    const found = await tx.select<{ eventId: string }>(WAITING, { consumer, subject, limit });
    await tx.load(found.map(({ eventId }) => ({ table: setAsideEventsTable.name, values: [consumer, eventId] })));
    return found
      .map(({ eventId }) => tx.loaded(setAsideEventsTable, consumer, eventId))
      .filter((row): row is SetAsideEventRow => row !== undefined);
  }

  /**
   * The first event of a blocked subject is handled or given up. The next one may be tried now; the last one unblocks
   * the subject.
   */
  passed(turn: Turn, event: SetAsideEventRow): void {
    const { tx } = turn;
    const blocked = tx.loaded(blockedSubjectsTable, event.consumer, event.subject);
    if (blocked === undefined) {
      throw new Error(`Bug: ${event.subject} is not blocked for ${event.consumer}`);
    }
    tx.remove(setAsideEventsTable, event);
    if (blocked.events === 1) {
      tx.remove(blockedSubjectsTable, blocked);
      turn.countBlockedSubjects(-1);
    } else {
      const next = { attempts: 0, nextAttemptAt: this.clock.now(), deadLetterId: null };
      const { events, version } = blocked;
      tx.replace(blockedSubjectsTable, { ...blocked, ...next, events: events - 1, version: version + 1 });
    }
  }

  /** The first event of a blocked subject has failed again. */
  failed({ tx }: Turn, event: SetAsideEventRow, failure: Failure): void {
    const blocked = tx.loaded(blockedSubjectsTable, event.consumer, event.subject);
    if (blocked !== undefined) {
      tx.replace(blockedSubjectsTable, this.afterFailure(tx, blocked, event.event, failure));
    }
  }

  private afterFailure(
    tx: Transaction,
    blocked: BlockedSubjectRow,
    event: LoggedEvent,
    failure: Failure,
  ): BlockedSubjectRow {
    const attempts = blocked.attempts + 1;
    const pauseMs = this.policy.pauseMs(attempts);
    const next =
      pauseMs === null
        ? { nextAttemptAt: null, deadLetterId: this.bury(tx, blocked.consumer, event, failure, attempts) }
        : { nextAttemptAt: this.clock.now() + pauseMs };
    return { ...blocked, ...next, attempts, version: blocked.version + 1 };
  }

  private bury(tx: Transaction, consumer: string, event: LoggedEvent, failure: Failure, attempts: number): string {
    const { eventId, type, version, subject, subjectVersion, locationId, position, occurredAt, payload } = event;
    const letter = this.deadLetters.bury(tx, {
      eventId,
      consumer,
      locationId,
      type,
      data: JSON.parse(payload) as unknown,
      failure,
      attempts,
      origin: { version, subject, subjectVersion, position, occurredAt },
    });
    return letter.id;
  }

  private async keep(tx: Transaction, consumer: string, event: LoggedEvent): Promise<void> {
    const { eventId, subject, position } = event;
    await tx.put(setAsideEventsTable, { consumer, eventId, subject, position, event });
  }
}

function blockedSubjectKey(consumer: string, subject: string): EntityKey {
  return { table: blockedSubjectsTable.name, values: [consumer, subject] };
}

const WAITING = `SELECT event_id AS "eventId" FROM set_aside_events
  WHERE tenant_id = :tenant AND consumer = :consumer AND subject = :subject ORDER BY position LIMIT :limit`;
