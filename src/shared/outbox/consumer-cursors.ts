import { Injectable } from '@nestjs/common';
import { RetentionMarks } from '../housekeeping/retention-marks.ts';
import { Clock } from '../kernel/clock.ts';
import { runInContext } from '../kernel/context.ts';
import { Reader } from '../persistence/reader.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { type ConsumerCursorRow, consumerCursorsTable } from './consumer-cursor.table.ts';
import { type Consumer, Dispatch } from './dispatch.ts';
import { LogReader } from './log-reader.ts';

const OWN_CURSORS = `SELECT consumer AS "consumer", position AS "position" FROM consumer_cursors
  WHERE tenant_id = :tenant`;

const CONTEXT = { clientId: 'retention', correlationId: 'retention', traceparent: null };

/** Whoever has a cursor, as far as it decides where that begins. */
export type Follower = Pick<Consumer, 'consumer' | 'startAt'>;

/** Each consumer's place in the log of the tenant in the context. */
@Injectable()
export class ConsumerCursors {
  private readonly others: Follower[] = [];

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly log: LogReader,
    private readonly dispatch: Dispatch,
    private readonly marks: RetentionMarks,
    private readonly clock: Clock,
  ) {}

  /** Somebody who is no reaction goes through the log of every tenant with a cursor: what it has still to pass is kept. */
  follow(follower: Follower): void {
    this.others.push(follower);
  }

  /** Where the consumer is; its cursor is made when it has none, which is its first start. */
  async positionOf({ consumer, startAt }: Follower): Promise<number> {
    const stored = (await this.positions()).get(consumer);
    if (stored !== undefined) {
      return stored;
    }
    const first = startAt === 'oldest' ? ((await this.marks.read('events')) ?? 0) : await this.log.headOfTenant();
    return this.unitOfWork.run({ keys: [], workClass: 'bulk' }, async (tx) => {
      const made = await tx.get(consumerCursorsTable, consumer);
      if (made === undefined) {
        const row = { consumer, position: first, blockedSubjects: 0, updatedAt: this.clock.now(), version: 1 };
        tx.replace(consumerCursorsTable, row);
      }
      return made?.position ?? first;
    });
  }

  /**
   * The consumer's turn: until the transaction ends nobody else delivers to it.
   * @param wait false: give up when somebody else has it
   * @returns undefined when somebody else has it
   * @throws Error when it has no cursor
   */
  async take(tx: Transaction, consumer: string, wait: boolean): Promise<Turn | undefined> {
    if (!(await tx.lock(consumerCursorsTable, [consumer], wait))) {
      return undefined;
    }
    const cursor = await tx.get(consumerCursorsTable, consumer);
    if (cursor === undefined) {
      throw new Error(`The consumer ${consumer} has no cursor`);
    }
    return new Turn(tx, cursor, this.clock);
  }

  /**
   * Every event of the tenant up to here, included, is no longer needed by anybody who has a cursor: it was handled, or what
   * waits has a copy of it. Number.MAX_SAFE_INTEGER when nobody has one. It may be a few seconds behind.
   */
  async deliveredUpTo(): Promise<number> {
    const positions = await this.positions();
    return Math.min(
      Number.MAX_SAFE_INTEGER,
      ...this.followers.map(
        ({ consumer, startAt }) =>
          // One that never started and wants only what is new needs nothing that is there.
          positions.get(consumer) ?? (startAt === 'oldest' ? 0 : Number.MAX_SAFE_INTEGER),
      ),
    );
  }

  /**
   * The first event over all tenants that somebody with a cursor has still to pass; null when there is none. A tenant in which nothing
   * happens needs nothing, however far back its cursors stand.
   */
  async neededFrom(): Promise<number | null> {
    if (this.followers.length === 0) return null;
    let needed: number | null = null;
    for (const tenantId of await this.log.tenants()) {
      const next = await runInContext({ ...CONTEXT, tenantId }, async () =>
        this.log.firstAfter(await this.deliveredUpTo()),
      );
      if (next !== null) needed = Math.min(needed ?? next, next);
    }
    return needed;
  }

  private get followers(): readonly Follower[] {
    return [...this.dispatch.consumers, ...this.others];
  }

  private async positions(): Promise<Map<string, number>> {
    const rows = await this.reader.select<{ consumer: string; position: number }>(OWN_CURSORS);
    return new Map(rows.map(({ consumer, position }) => [consumer, position]));
  }
}

/** One consumer's turn within one transaction. */
export class Turn {
  constructor(
    readonly tx: Transaction,
    private cursor: ConsumerCursorRow,
    private readonly clock: Clock,
  ) {}

  get position(): number {
    return this.cursor.position;
  }

  get blockedSubjects(): number {
    return this.cursor.blockedSubjects;
  }

  /** A cursor never goes back. */
  moveTo(position: number): void {
    if (position > this.cursor.position) this.change({ position });
  }

  countBlockedSubjects(more: number): void {
    if (more !== 0) this.change({ blockedSubjects: this.cursor.blockedSubjects + more });
  }

  private change(next: Partial<ConsumerCursorRow>): void {
    const { version } = this.cursor;
    this.cursor = { ...this.cursor, ...next, updatedAt: this.clock.now(), version: version + 1 };
    this.tx.replace(consumerCursorsTable, this.cursor);
  }
}
