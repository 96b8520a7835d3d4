import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { ReleaseCause } from '../contract.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { type HoldRow, holdsTable } from './hold.table.ts';
import { StockItems } from './stock-item.repository.ts';

/** Due holds that are read at a time; a command rarely needs more than a few. */
const DUE_PAGE_ROWS = 100;

const HELD = "tenant_id = :tenant AND sku = :sku AND location_id = :locationId AND state = 'HELD'";

const DUE_UNITS = `
  SELECT (SELECT COALESCE(SUM(units), 0) FROM holds WHERE ${HELD} AND expires_at <= :at) AS "dueUnits",
    (SELECT MIN(expires_at) FROM holds WHERE ${HELD}) AS "firstExpiry"`;

const DUE_HOLDS = `
  SELECT hold_id AS "holdId", sku AS "sku", location_id AS "locationId", units AS "units", state AS "state",
    expires_at AS "expiresAt", version AS "version"
  FROM holds
  WHERE ${HELD} AND expires_at <= :at
    AND (expires_at > :afterExpiry OR (expires_at = :afterExpiry AND hold_id > :afterHoldId))
  ORDER BY expires_at, hold_id LIMIT ${DUE_PAGE_ROWS}`;

/** What holds have, and how their units come back when they are due (DESIGN rule 5). */
@Injectable()
export class Holds {
  constructor(private readonly items: StockItems) {}

  /** What a hold still has, in key order. */
  async of(tx: Transaction, holdId: string): Promise<HoldRow[]> {
    const rows = await tx.group(holdsTable, 'holdId', holdId);
    return rows.sort((a, b) => compare(a.sku, b.sku) || compare(a.locationId, b.locationId));
  }

  /**
   * What a hold has, if it is still whole: all of `heldUnits`, none of it due at `at`.
   * @returns undefined when it is over
   */
  async whole(tx: Transaction, holdId: string, heldUnits: number, at: Instant): Promise<HoldRow[] | undefined> {
    const rows = await this.of(tx, holdId);
    const units = rows.reduce((sum, row) => sum + row.units, 0);
    const isOver = rows.some(({ state, expiresAt }) => state !== 'HELD' || at >= expiresAt);
    return isOver || units !== heldUnits ? undefined : rows;
  }

  /** Whether a look at the holds of the item could find due ones; most of the time it could not. */
  mayHaveDue(item: StockItem, at: Instant): boolean {
    const { noHoldDueBefore } = item.state;
    return noHoldDueBefore !== null && at >= noHoldDueBefore;
  }

  /** Units of the item that are held by holds that are over at `at`: available again although nobody has swept them. */
  async dueUnits(tx: Transaction, item: StockItem, at: Instant): Promise<number> {
    if (!this.mayHaveDue(item, at)) {
      return 0;
    }
    const { sku, locationId } = item.state;
    const [stored] = await tx.select<DueUnits>(DUE_UNITS, { sku, locationId, at });
    // The statement saw the holds as they were before this batch.
    const dueUnits = tx
      .knownChanges(holdsTable, (row) => isDue(row, item, at))
      .reduce((sum, { before, now }) => sum + (now?.units ?? 0) - (before?.units ?? 0), Number(stored?.dueUnits ?? 0));
    if (dueUnits === 0) {
      const expiries = tx.known(holdsTable, (row) => isHeldOf(row, item)).map(({ expiresAt }) => expiresAt);
      const firstExpiry = Math.min(stored?.firstExpiry ?? Infinity, ...expiries);
      // A hold that this batch has released may still be the first that the statement saw: then the bound is only too low.
      item.knowNoHoldDueBefore(Number.isFinite(firstExpiry) ? firstExpiry : null);
    }
    return dueUnits;
  }

  /**
   * Makes `units` of the item available, if need be by releasing holds that are due: oldest first, only as many as it
   * takes.
   * @returns units that are or could be made available: fewer than `units`, and none released, when even all due holds
   *   do not suffice
   */
  async makeRoom(tx: Transaction, item: StockItem, units: number, at: Instant): Promise<number> {
    const available = item.availableAt(at);
    if (available >= units) {
      return available;
    }
    const most = available + (await this.dueUnits(tx, item, at));
    if (most < units) {
      return most;
    }
    const inBatch = tx.known(holdsTable, (row) => isDue(row, item, at));
    for await (const row of this.dueHolds(tx, item, inBatch, at)) {
      if (item.availableAt(at) >= units) {
        break;
      }
      this.release(tx, row, item, 'EXPIRED', at);
    }
    return most;
  }

  /** Gives the row's units back to its item. */
  release(tx: Transaction, row: HoldRow, item: StockItem, cause: ReleaseCause, at: Instant): void {
    this.items.change(tx, item, 'RELEASE', () => {
      item.release(row.units, row.state, row.holdId, cause, at);
    });
    tx.remove(holdsTable, row);
  }

  /** Each row with its item. */
  async withItems(tx: Transaction, rows: readonly HoldRow[]): Promise<{ row: HoldRow; item: StockItem }[]> {
    const items = await this.items.getAll(tx, rows);
    return items.flatMap((item, index) => {
      const row = rows[index];
      return row === undefined ? [] : [{ row, item }];
    });
  }

  /** Stores what a hold has from now on. Units that are now held for a shorter time are a change of their item, too. */
  renew(tx: Transaction, next: HoldRow, row: HoldRow, item: StockItem, at: Instant): void {
    this.put(tx, next);
    if (next.expiresAt < row.expiresAt) {
      item.shortenHold(Math.min(row.units, next.units), row.holdId, next.expiresAt, at);
      this.items.save(tx, item);
    }
  }

  put(tx: Transaction, row: HoldRow): void {
    tx.replace(holdsTable, row);
  }

  insert(tx: Transaction, row: HoldRow): void {
    tx.insert(holdsTable, row);
  }

  remove(tx: Transaction, row: HoldRow): void {
    tx.remove(holdsTable, row);
  }

  /** Due holds of an item, oldest first, as the batch has them: pages from the database, mixed with what the batch knows. */
  private async *dueHolds(
    tx: Transaction,
    item: StockItem,
    inBatch: readonly HoldRow[],
    at: Instant,
  ): AsyncGenerator<HoldRow> {
    const { sku, locationId } = item.state;
    const ahead = [...inBatch].sort(oldestFirst);
    const given = new Set<string>();
    let after = { afterExpiry: 0, afterHoldId: '' };
    for (let more = true; more;) {
      const stored = await tx.select<HoldRow>(DUE_HOLDS, { sku, locationId, at, ...after });
      const last = stored.at(-1);
      more = stored.length === DUE_PAGE_ROWS && last !== undefined;
      after = { afterExpiry: Number(last?.expiresAt), afterHoldId: last?.holdId ?? '' };
      const page = tx.adopt(holdsTable, stored).filter((row) => isDue(row, item, at));
      const upTo = more ? last : undefined;
      const known = ahead.filter((row) => upTo === undefined || oldestFirst(row, upTo) <= 0);
      for (const row of [...page, ...known].sort(oldestFirst)) {
        if (!given.has(row.holdId)) {
          given.add(row.holdId);
          yield row;
        }
      }
    }
  }
}

interface DueUnits {
  /** PostgreSQL sums to NUMERIC, which its driver hands out as text. */
  readonly dueUnits: number | string;
  readonly firstExpiry: Instant | null;
}

function isHeldOf(row: HoldRow, item: StockItem): boolean {
  const { sku, locationId } = item.state;
  return row.sku === sku && row.locationId === locationId && row.state === 'HELD';
}

function isDue(row: HoldRow, item: StockItem, at: Instant): boolean {
  return isHeldOf(row, item) && at >= row.expiresAt;
}

function oldestFirst(a: HoldRow, b: HoldRow): number {
  return a.expiresAt - b.expiresAt || compare(a.holdId, b.holdId);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
