import { Injectable } from '@nestjs/common';
import type { SqlParameters } from '../persistence/engine/engine.ts';
import { Reader } from '../persistence/reader.ts';
import { EVENT_COLUMNS } from './event-log.ts';
import { RecentEvents } from './recent-events.ts';
import type { LoggedEvent } from './stored-event.ts';

/** Which events of the tenant a reader wants; what is left out is no condition. */
export interface LogFilter {
  readonly types?: readonly string[];
  readonly locationId?: string;
  /** Of these types also events of other locations. */
  readonly anywhere?: readonly string[];
  /** Without what this location reported itself. */
  readonly notFrom?: string;
}

/** A stretch of the log. */
export interface LogPage {
  /** In order of their positions. */
  readonly events: readonly LoggedEvent[];
  /** Up to here, included, nothing is left that the filter lets through: the next page begins behind it. */
  readonly upTo: number;
  /** False: the end of the log was reached, or of what memory holds of it. */
  readonly more: boolean;
  /** Another server may have written behind it: to be asked again before its reader waits to be woken. */
  readonly fromMemory: boolean;
}

/** What is in the log before a reader. */
export interface Backlog {
  readonly events: number;
  /** When the oldest of them happened, epoch milliseconds; null when there is none. */
  readonly oldestAt: number | null;
}

/** Rows that one look at the log goes over, whether or not they pass the filter: it has to stay short on SQLite. */
const SCAN_ROWS = 2_000;

const COLUMNS = ['position', ...EVENT_COLUMNS.map(({ name, property }) => `${name} AS "${property}"`)].join(', ');

const STRETCH = `SELECT COUNT(*) AS "rows", MAX(position) AS "upTo" FROM (
  SELECT position FROM outbox_events WHERE tenant_id = :tenant AND position > :after ORDER BY position LIMIT :scan
) AS stretch`;

const HEAD = 'SELECT MAX(position) AS "head" FROM outbox_events';

const HEAD_OF_TENANT = `SELECT position AS "head" FROM outbox_events WHERE tenant_id = :tenant
  ORDER BY position DESC LIMIT 1`;

const FIRST_AFTER = `SELECT position AS "position" FROM outbox_events
  WHERE tenant_id = :tenant AND position > :after ORDER BY position LIMIT 1`;

/** One step of the index for each tenant, instead of a walk through the whole log. */
const TENANTS = `WITH RECURSIVE tenants(tenant_id) AS (
    SELECT MIN(tenant_id) FROM outbox_events
    UNION ALL
    SELECT (SELECT MIN(e.tenant_id) FROM outbox_events AS e WHERE e.tenant_id > t.tenant_id) FROM tenants AS t
    WHERE t.tenant_id IS NOT NULL
  ) SELECT tenant_id AS "tenantId" FROM tenants WHERE tenant_id IS NOT NULL`;

const TENANTS_BETWEEN = `SELECT DISTINCT tenant_id AS "tenantId" FROM outbox_events
  WHERE position > :after AND position <= :upTo`;

/**
 * Reads the event log in order. Positions are in commit order (docs/decisions/0011): what is read once is complete, and
 * nothing ever appears behind it.
 */
@Injectable()
export class LogReader {
  constructor(
    private readonly reader: Reader,
    private readonly recent: RecentEvents,
  ) {}

  /**
   * The next events of the tenant in the context.
   * @param after position of the last event that was seen; 0 for the beginning
   * @param limit most events of the page, from 1
   */
  async after(after: number, filter: LogFilter, limit: number): Promise<LogPage> {
    const [stretch] = await this.reader.select<{ rows: number; upTo: number | null }>(STRETCH, {
      after,
      scan: SCAN_ROWS,
    });
    if (stretch?.upTo == null) {
      return { events: [], upTo: after, more: false, fromMemory: false };
    }
    const { upTo, rows } = stretch;
    const { condition, parameters } = conditionOf(filter);
    const events = await this.reader.select<LoggedEvent>(
      `SELECT ${COLUMNS} FROM outbox_events WHERE tenant_id = :tenant AND position > :after AND position <= :upTo
        ${condition} ORDER BY position LIMIT :limit`,
      { ...parameters, after, upTo, limit },
    );
    const isCut = events.length === limit;
    return {
      events,
      upTo: isCut ? (events.at(-1)?.position ?? upTo) : upTo,
      more: isCut || rows === SCAN_ROWS,
      fromMemory: false,
    };
  }

  /**
   * The same for whoever looks again after a page from memory: that is as far as this server has written itself. When it has been
   * told, the database is asked whether another server has written since.
   */
  async next(after: number, filter: LogFilter, limit: number): Promise<LogPage> {
    const recent = this.recent.after(after);
    return recent === null ? this.after(after, filter, limit) : pageOf(recent, after, filter, limit);
  }

  /**
   * How many events of these types lie behind `after`, within one look.
   * @returns with where to look on (`upTo`), null at the end of the log
   */
  async backlog(after: number, types: readonly string[]): Promise<Backlog & { rows: number; upTo: number | null }> {
    const { names, parameters } = typeParameters(types);
    const [found] = await this.reader.select<{
      rows: number;
      upTo: number | null;
      events: number;
      oldestAt: number | null;
    }>(
      `SELECT COUNT(*) AS "rows", MAX(position) AS "upTo", COUNT(wanted) AS "events", MIN(wanted) AS "oldestAt" FROM (
        SELECT position, CASE WHEN type IN (${names}) THEN occurred_at END AS wanted FROM outbox_events
        WHERE tenant_id = :tenant AND position > :after ORDER BY position LIMIT :scan
      ) AS stretch`,
      { ...parameters, after, scan: SCAN_ROWS },
    );
    const { rows = 0, upTo = null, events = 0, oldestAt = null } = found ?? {};
    return { rows, events, oldestAt, upTo: rows < SCAN_ROWS ? null : upTo };
  }

  /** The newest position of the tenant in the context; 0 when it has no events. */
  async headOfTenant(): Promise<number> {
    const [row] = await this.reader.select<{ head: number }>(HEAD_OF_TENANT);
    return row?.head ?? 0;
  }

  /** The first position of the tenant in the context behind `after`; null when there is none. */
  async firstAfter(after: number): Promise<number | null> {
    const [row] = await this.reader.select<{ position: number }>(FIRST_AFTER, { after });
    return row?.position ?? null;
  }

  /** The newest position over all tenants; 0 when the log is empty. */
  async head(): Promise<number> {
    const [row] = await this.reader.selectAcrossTenants<{ head: number | null }>(HEAD);
    return row?.head ?? 0;
  }

  /** All tenants that have events. */
  async tenants(): Promise<string[]> {
    const rows = await this.reader.selectAcrossTenants<{ tenantId: string }>(TENANTS);
    return rows.map(({ tenantId }) => tenantId);
  }

  /** Tenants with events behind `after`, up to `upTo`; keep the two within a few thousand of each other. */
  async tenantsBetween(after: number, upTo: number): Promise<string[]> {
    const rows = await this.reader.selectAcrossTenants<{ tenantId: string }>(TENANTS_BETWEEN, { after, upTo });
    return rows.map(({ tenantId }) => tenantId);
  }
}

function pageOf(recent: readonly LoggedEvent[], after: number, filter: LogFilter, limit: number): LogPage {
  const events: LoggedEvent[] = [];
  for (const event of recent) {
    if (!letsThrough(filter, event)) continue;
    events.push(event);
    if (events.length === limit) return { events, upTo: event.position, more: true, fromMemory: true };
  }
  return { events, upTo: recent.at(-1)?.position ?? after, more: false, fromMemory: true };
}

/** The same as the condition below. */
function letsThrough({ types, locationId, anywhere = [], notFrom }: LogFilter, event: LoggedEvent): boolean {
  if (types !== undefined && !types.includes(event.type)) return false;
  if (locationId !== undefined && event.locationId !== locationId && !anywhere.includes(event.type)) return false;
  return notFrom === undefined || event.origin !== notFrom;
}

function conditionOf({ types, locationId, anywhere = [], notFrom }: LogFilter): {
  condition: string;
  parameters: SqlParameters;
} {
  const parameters: Record<string, string> = {};
  let condition = '';
  if (types !== undefined) {
    const wanted = typeParameters(types);
    Object.assign(parameters, wanted.parameters);
    condition += ` AND type IN (${wanted.names})`;
  }
  if (locationId !== undefined) {
    const besides = typeParameters(anywhere, 'anywhere');
    Object.assign(parameters, besides.parameters, { locationId });
    condition += ` AND (location_id = :locationId${anywhere.length === 0 ? '' : ` OR type IN (${besides.names})`})`;
  }
  if (notFrom !== undefined) {
    parameters['notFrom'] = notFrom;
    condition += ' AND (origin IS NULL OR origin <> :notFrom)';
  }
  return { condition, parameters };
}

function typeParameters(
  types: readonly string[],
  prefix = 'type',
): { names: string; parameters: Record<string, string> } {
  return {
    names: types.map((_, index) => `:${prefix}${index}`).join(', '),
    parameters: Object.fromEntries(types.map((type, index) => [`${prefix}${index}`, type])),
  };
}
