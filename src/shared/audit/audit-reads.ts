import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { decodeCursor, encodeCursor } from '../http/page-cursor.ts';
import type { Instant } from '../kernel/clock.ts';
import { currentContext, runInContext } from '../kernel/context.ts';
import type { Page } from '../kernel/page.ts';
import type { SqlParameters } from '../persistence/engine/engine.ts';
import { pageOf, Reader } from '../persistence/reader.ts';
import { type AuditEntryRow, auditEntriesTable } from './audit-entry.table.ts';

/** Which entries are asked for; what is null is no condition. */
export interface AuditFilter {
  readonly keyId: string | null;
  readonly clientId: string | null;
  readonly action: string | null;
  readonly subject: string | null;
  readonly correlationId: string | null;
  /** From this instant on. */
  readonly from: Instant | null;
  /** Before this instant. */
  readonly to: Instant | null;
}

/** An entry, and in whose chain it is. */
export interface AuditEntryView extends AuditEntryRow {
  readonly tenantId: string;
}

/** Where an entry is among those of several chains. */
type Place = Pick<AuditEntryView, 'occurredAt' | 'tenantId' | 'number'>;

/** Where an entry is in its chain by time: those before it in the list are newer. */
interface Bound {
  readonly at: Instant;
  readonly number: number;
}

/** What was found of one chain. */
interface Stretch {
  readonly entries: readonly AuditEntryView[];
  /** It was looked through as far as here; null: as far as was needed. */
  readonly stoppedAt: Place | null;
}

/** Entries that one statement looks through, found or not: on SQLite nothing else is answered meanwhile. */
const WINDOW_ENTRIES = 2_000;
/** Statements for one page; what they do not reach is on the next one. */
const WINDOWS_PER_PAGE = 20;

const COLUMNS = [
  'tenant_id AS "tenantId"',
  ...auditEntriesTable.columns.map(({ name, property }) => `${name} AS "${property}"`),
].join(', ');

const BEHIND = 'tenant_id = :tenant AND (occurred_at, number) < (:beforeAt, :beforeNumber) AND occurred_at >= :from';
const ORDER = 'ORDER BY occurred_at DESC, number DESC';

/** Reads the audit, newest first: by when it happened, then by tenant and number. */
@Injectable()
export class AuditReads {
  constructor(private readonly reader: Reader) {}

  /**
   * A page over the chains of some tenants.
   * @param tenantIds whose chains the caller may see
   * @returns it may have fewer entries than `limit`, even none, and yet a next page: what one page looks through is bounded
   */
  async list(
    tenantIds: readonly string[],
    filter: AuditFilter,
    limit: number,
    cursor: string | null,
  ): Promise<Page<AuditEntryView>> {
    const sealed = { ...filter, of: tenantIds.join(' ') };
    const toCursor = ({ occurredAt, tenantId, number }: Place): string =>
      encodeCursor('audit', sealed, [occurredAt, tenantId, number]);
    const after = cursor === null ? null : placeOf(decodeCursor(cursor, 'audit', sealed));
    const stretches = await Promise.all(tenantIds.map((tenantId) => this.ofChain(tenantId, filter, after, limit + 1)));
    const found = stretches.flatMap(({ entries }) => entries).sort(newestFirst);
    // Behind the place where one of them has stopped, nobody knows whether it has something newer than the others.
    const [stop] = stretches.flatMap(({ stoppedAt }) => (stoppedAt === null ? [] : [stoppedAt])).sort(newestFirst);
    const known = stop === undefined ? found : found.filter((entry) => newestFirst(entry, stop) <= 0);
    const page = pageOf(known, limit, toCursor);
    return page.nextCursor === null && stop !== undefined ? { ...page, nextCursor: toCursor(stop) } : page;
  }

  private ofChain(tenantId: string, filter: AuditFilter, after: Place | null, limit: number): Promise<Stretch> {
    const context = { ...currentContext(), tenantId, reach: null };
    return runInContext(context, () => this.stretch(filter, boundOf(tenantId, filter, after), limit));
  }

  private async stretch(filter: AuditFilter, first: Bound, limit: number): Promise<Stretch> {
    const { leading, looked, parameters } = conditionsOf(filter);
    const entries: AuditEntryView[] = [];
    let before = first;
    for (let windows = 1; ; windows += 1) {
      const range = { ...parameters, beforeAt: before.at, beforeNumber: before.number, from: filter.from ?? 0 };
      // What an index finds need not be looked through.
      const end = looked === '' ? null : await this.endOfWindow(leading, range);
      const within = end === null ? '' : ' AND (occurred_at, number) >= (:endAt, :endNumber)';
      const page = await this.reader.select<AuditEntryView>(
        `SELECT ${COLUMNS} FROM audit_entries WHERE ${BEHIND}${leading}${looked}${within} ${ORDER} LIMIT :limit`,
        {
          ...range,
          ...(end === null ? {} : { endAt: end.occurredAt, endNumber: end.number }),
          limit: limit - entries.length,
        },
      );
      entries.push(...page);
      if (end === null || entries.length >= limit) return { entries, stoppedAt: null };
      if (windows === WINDOWS_PER_PAGE) return { entries, stoppedAt: end };
      before = { at: end.occurredAt, number: end.number };
      await nextTurn();
    }
  }

  /** The last entry of the next window; null: what is left is less than one. */
  private async endOfWindow(leading: string, range: SqlParameters): Promise<Place | null> {
    const [end] = await this.reader.select<Place>(
      `SELECT tenant_id AS "tenantId", occurred_at AS "occurredAt", number AS "number" FROM audit_entries
        WHERE ${BEHIND}${leading} ${ORDER} LIMIT 1 OFFSET :skipped`,
      { ...range, skipped: WINDOW_ENTRIES - 1 },
    );
    return end ?? null;
  }
}

/** @returns the conditions that an index leads to, those that are looked at in each entry, and what they compare with */
function conditionsOf(filter: AuditFilter): {
  readonly leading: string;
  readonly looked: string;
  readonly parameters: SqlParameters;
} {
  const { correlationId, subject, keyId, clientId, action } = filter;
  const given = Object.entries({ correlationId, subject, keyId, clientId, action }).filter(
    ([, value]) => value !== null,
  );
  const leads = correlationId !== null ? 'correlationId' : 'subject';
  const [leading = '', looked = ''] = [true, false].map((isLeading) =>
    given
      .filter(([name]) => (name === leads) === isLeading)
      .map(([name]) => ` AND ${COLUMN_OF[name as keyof typeof COLUMN_OF]} = :${name}`)
      .join(''),
  );
  return { leading, looked, parameters: Object.fromEntries(given) };
}

const COLUMN_OF = {
  correlationId: 'correlation_id',
  subject: 'subject',
  keyId: 'key_id',
  clientId: 'client_id',
  action: 'action',
} as const;

/** Where to begin in the chain of a tenant: behind the last entry that was seen, and before `to`. */
function boundOf(tenantId: string, { to }: AuditFilter, after: Place | null): Bound {
  const latest = { at: to ?? Number.MAX_SAFE_INTEGER, number: 0 };
  if (after === null || after.occurredAt > latest.at) return latest;
  const { occurredAt: at } = after;
  if (tenantId === after.tenantId) return { at, number: after.number };
  // Of the entries of that instant, all were seen, or none.
  return { at, number: tenantId < after.tenantId ? 0 : Number.MAX_SAFE_INTEGER };
}

function newestFirst(one: Place, other: Place): number {
  if (one.occurredAt !== other.occurredAt) return other.occurredAt - one.occurredAt;
  if (one.tenantId !== other.tenantId) return one.tenantId < other.tenantId ? -1 : 1;
  return other.number - one.number;
}

function placeOf([occurredAt, tenantId, number]: readonly (string | number)[]): Place {
  return { occurredAt: Number(occurredAt), tenantId: String(tenantId), number: Number(number) };
}
