import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Kept } from '../housekeeping/kept.ts';
import { PurgePieces } from '../housekeeping/purge-pieces.ts';
import { Retention } from '../housekeeping/retention.ts';
import { NO_TENANT, RetentionMarks } from '../housekeeping/retention-marks.ts';
import { Clock, type Instant } from '../kernel/clock.ts';
import { Reader } from '../persistence/reader.ts';
import type { Transaction } from '../persistence/transaction.ts';
import { Settings } from '../settings.ts';
import { type DatedEvent, lookForOld } from './old-events.ts';

const KIND = 'events';
const MS_PER_DAY = 86_400_000;
/** Events for each row of a piece: they lie side by side, so that deleting one costs a tenth of a row that is anywhere. */
const EVENTS_PER_ROW = 5;

const WINDOW = `SELECT position AS "position", occurred_at AS "occurredAt" FROM outbox_events
  WHERE position > :after ORDER BY position LIMIT :rows`;

const PIECE_END = `SELECT MAX(position) AS "position" FROM (
  SELECT position FROM outbox_events WHERE position > :after AND position <= :through ORDER BY position LIMIT :rows) AS piece`;

/** The lowest position in the log that a reader has still to read, over all tenants; null when it needs none. */
export type NeededPosition = () => Promise<number | null>;

/**
 * How long the event log is kept (docs/decisions/0016). It is purged from the front: through the mark `events` all
 * events are gone but those that their owner keeps, behind it the log is whole. So a reader whose cursor is below the
 * mark has missed something, and one whose cursor is the mark or more has not.
 */
@Injectable()
export class EventRetention implements Kept, OnModuleInit {
  readonly kind = KIND;
  private readonly keepMs: number;
  private readonly needs: NeededPosition[] = [];
  private readonly prefixes: string[] = [];
  /** Behind the mark `after` nothing but wrongly dated events was found through here; so they are not read each time. */
  private looked = { after: 0, through: 0 };

  constructor(
    private readonly retention: Retention,
    private readonly marks: RetentionMarks,
    private readonly pieces: PurgePieces,
    private readonly reader: Reader,
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.keepMs = settings.eventKeepDays * MS_PER_DAY;
  }

  onModuleInit(): void {
    this.retention.keep(this);
  }

  /**
   * No event that somebody has still to read is purged, however old it is.
   * @param needed asked once a round, so it must not go back
   */
  keepWhatIsNeeded(needed: NeededPosition): void {
    this.needs.push(needed);
  }

  /**
   * Events of these subjects are kept until their owner lets them go by `release`.
   * @param prefix of the subject, e.g. `reservation/`
   */
  keepWithOwner(prefix: string): void {
    if (!/^[a-z-]+\/$/.test(prefix)) throw new Error(`"${prefix}" is no prefix of subjects`);
    this.prefixes.push(prefix);
  }

  /** The newest position that may be missing: a reader has to be at it or behind it. 0 when the log is whole. */
  async purgedThrough(): Promise<number> {
    return (await this.marks.read('events')) ?? 0;
  }

  /** The same as a work sees it. */
  async purgedThroughWithin(tx: Transaction): Promise<number> {
    return (await this.marks.readWithin(tx, 'events')) ?? 0;
  }

  /**
   * Purges all events of these subjects, whose owner is purged by the same work. Subjects with events that others may
   * still have to read are passed over.
   * @param subjects of the work's tenant, without a location
   * @returns those whose events go
   */
  async release(tx: Transaction, subjects: readonly string[]): Promise<Set<string>> {
    const through = (await this.marks.readWithin(tx, 'events')) ?? 0;
    const named = namedSubjects(subjects);
    const list = Object.keys(named).map((name) => `:${name}`);
    const condition = `tenant_id = :tenant AND location_id IS NULL AND subject IN (${list.join(', ')})`;
    const young = await tx.select<{ subject: string }>(
      `SELECT DISTINCT subject AS "subject" FROM outbox_events WHERE ${condition} AND position > :through`,
      { ...named, through },
    );
    const released = new Set(subjects);
    for (const { subject } of young) released.delete(subject);
    if (released.size === subjects.length) {
      this.pieces.delete(tx, KIND, `DELETE FROM outbox_events WHERE ${condition}`, named);
    } else if (released.size > 0) {
      return this.release(tx, [...released]);
    }
    return released;
  }

  async purgeDue(at: Instant): Promise<void> {
    const old = at - this.keepMs;
    const unneeded = await this.unneededThrough();
    let after = await this.purgedThrough();
    for (let through = await this.oldThrough(after, old); through > after;) {
      const reached = await this.purgePiece(after, Math.min(through, unneeded));
      if (reached === after) return;
      after = reached;
      if (after >= through) through = await this.oldThrough(after, old);
    }
  }

  async oldestDueAt(reader: Reader): Promise<Instant | null> {
    const [first] = await reader.selectAcrossTenants<DatedEvent>(WINDOW, {
      after: await this.purgedThrough(),
      rows: 1,
    });
    return first === undefined ? null : first.occurredAt + this.keepMs;
  }

  /** @returns where the mark is afterwards; `after` when another server moved it, or there is nothing through there */
  private async purgePiece(after: number, through: number): Promise<number> {
    let reached = after;
    const ran = await this.pieces.run(NO_TENANT, async (tx) => {
      reached = after;
      if (((await this.marks.readWithin(tx, 'events')) ?? 0) !== after) return;
      const rows = this.eventsMax;
      const [end] = await tx.selectAcrossTenants<{ position: number | null }>(PIECE_END, { after, through, rows });
      if (end?.position == null) return;
      reached = end.position;
      await this.marks.raise(tx, 'events', reached);
      this.pieces.deleteAcrossTenants(tx, KIND, this.deleteRange(), { after, through: reached });
    });
    return ran ? reached : after;
  }

  /** Most events of one piece. */
  private get eventsMax(): number {
    return this.pieces.rowsMax * EVENTS_PER_ROW;
  }

  private async unneededThrough(): Promise<number> {
    const needed = await Promise.all(this.needs.map((ask) => ask()));
    return Math.min(Number.MAX_SAFE_INTEGER, ...needed.map((position) => (position ?? Infinity) - 1));
  }

  private deleteRange(): string {
    const kept = this.prefixes.map((prefix) => ` AND substr(subject, 1, ${prefix.length}) <> '${prefix}'`);
    return `DELETE FROM outbox_events WHERE position > :after AND position <= :through${kept.join('')}`;
  }

  /** @returns a position through which all events are old; `after` when there is none */
  private async oldThrough(after: number, old: Instant): Promise<number> {
    const now = this.clock.now();
    const rows = this.eventsMax;
    let from = this.looked.after === after ? this.looked.through : after;
    for (;;) {
      const window = await this.reader.selectAcrossTenants<DatedEvent>(WINDOW, { after: from, rows });
      const { through, goOn } = lookForOld(window, old, now);
      if (through !== null) return through;
      if (!goOn || window.length < rows) return after;
      from = window.at(-1)?.position ?? from;
      this.looked = { after, through: from };
      await nextTurn();
    }
  }
}

/** As parameters, the last one repeated up to a power of two, so that there are few statements to prepare. */
function namedSubjects(subjects: readonly string[]): Record<string, string> {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, subjects.length)));
  return Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`subject${index}`, subjects[index] ?? subjects.at(-1) ?? '']),
  );
}
