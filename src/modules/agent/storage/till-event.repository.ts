import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import type { TillEventType } from '../contract.ts';
import type { OwnFact } from '../domain/shelf-item.ts';
import { type TillEventRow, tillEventsTable } from './till-event.table.ts';

/** An event as it is sent, still without its sequence. */
export interface OutgoingEvent {
  readonly id: string;
  readonly position: number;
  readonly type: TillEventType;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurredAt: number;
}

const COLUMNS = tillEventsTable.columns.map(({ name, property }) => `${name} AS "${property}"`).join(', ');

/** What waits for its cursor, and everything behind it, waits. */
const BETWEEN = `SELECT id AS "id", position AS "position", type AS "type", data AS "data", occurred_at AS "occurredAt"
  FROM till_events WHERE tenant_id = :tenant AND position >= :from AND position <= :to
    AND position < COALESCE((SELECT MIN(position) FROM till_events WHERE tenant_id = :tenant AND awaits_cursor = 1), :to + 1)
  ORDER BY position LIMIT :limit`;

const OLDEST = `SELECT occurred_at AS "oldestAt" FROM till_events
  WHERE tenant_id = :tenant AND position > :after ORDER BY position LIMIT 1`;

/** What a snapshot does not have: what it came too early for, and what waits at the centre for its product. */
const OF_SKU = `SELECT ${COLUMNS} FROM till_events WHERE tenant_id = :tenant AND sku = :sku AND position > :after
  ORDER BY position`;
const HOMELESS = `SELECT ${COLUMNS} FROM till_events WHERE tenant_id = :tenant AND sku = :sku AND outcome = 'dead'
  AND code = 'UNKNOWN_PRODUCT' AND position <= :after ORDER BY position`;
const AWAITING = `SELECT ${COLUMNS} FROM till_events WHERE tenant_id = :tenant AND awaits_cursor = 1 ORDER BY position`;

const NOT_TAKEN = `SELECT outcome AS "outcome", COUNT(*) AS "events" FROM till_events
  WHERE tenant_id = :tenant AND outcome IS NOT NULL GROUP BY outcome`;

/** What the tills recorded. */
@Injectable()
export class TillEvents {
  constructor(private readonly reader: Reader) {}

  /** @param row with an id of its own */
  add(tx: Transaction, row: TillEventRow): void {
    tx.insert(tillEventsTable, row);
  }

  get(tx: Transaction, id: string): Promise<TillEventRow | undefined> {
    return tx.get(tillEventsTable, id);
  }

  replace(tx: Transaction, row: TillEventRow): void {
    tx.replace(tillEventsTable, { ...row, version: row.version + 1 });
  }

  /** Facts about the sku behind a position, as the batch has them. */
  ofSku(tx: Transaction, sku: string, after: number): Promise<TillEventRow[]> {
    return this.select(tx, OF_SKU, { sku, after }, (row) => row.sku === sku && row.position > after);
  }

  /** Facts about a sku that the centre did not know; they are applied there when it does. */
  homelessOf(tx: Transaction, sku: string, after: number): Promise<TillEventRow[]> {
    return this.select(
      tx,
      HOMELESS,
      { sku, after },
      (row) => row.sku === sku && row.position <= after && row.outcome === 'dead' && row.code === 'UNKNOWN_PRODUCT',
    );
  }

  /** Counts without a cursor. */
  awaiting(tx: Transaction): Promise<TillEventRow[]> {
    return this.select(tx, AWAITING, {}, (row) => row.awaitsCursor);
  }

  // ---------------------------------------------------------------- as of the last commit

  async between(from: number, to: number, limit: number): Promise<OutgoingEvent[]> {
    const rows = await this.reader.select<Omit<OutgoingEvent, 'data'> & { data: string }>(BETWEEN, { from, to, limit });
    return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as OutgoingEvent['data'] }));
  }

  /** When the first event behind a position was recorded; null: there is none. */
  async oldestBehind(after: number): Promise<number | null> {
    const [oldest] = await this.reader.select<{ oldestAt: number }>(OLDEST, { after });
    return oldest?.oldestAt ?? null;
  }

  /** Events that the centre could not apply, by outcome. */
  async notTaken(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.reader.select<{ outcome: string; events: number }>(NOT_TAKEN);
    return new Map(rows.map(({ outcome, events }) => [outcome, events]));
  }

  /** What the database had before this batch, as the batch has it, and what the batch has added. */
  private async select(
    tx: Transaction,
    sql: string,
    parameters: Readonly<Record<string, string | number>>,
    test: (row: TillEventRow) => boolean,
  ): Promise<TillEventRow[]> {
    const stored = (await tx.select<Record<string, unknown>>(sql, parameters)).map(decode);
    tx.adopt(tillEventsTable, stored);
    return tx.known(tillEventsTable, test).sort((one, other) => one.position - other.position);
  }
}

function decode(row: Record<string, unknown>): TillEventRow {
  return {
    ...row,
    data: JSON.parse(row['data'] as string) as TillEventRow['data'],
    awaitsCursor: Boolean(row['awaitsCursor']),
  } as TillEventRow;
}

/** @returns what a snapshot has to be told of the row */
export function toOwnFact({ delta, awaitsCursor, data }: TillEventRow): OwnFact {
  return { delta, counted: awaitsCursor ? (data['counted'] as number) : null };
}
