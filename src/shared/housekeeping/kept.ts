import type { Instant } from '../kernel/clock.ts';
import type { Reader } from '../persistence/reader.ts';
import type { Table } from '../persistence/table.ts';
import { NO_TENANT } from './retention-marks.ts';
import type { Purged, PurgePieces } from './purge-pieces.ts';

/** Rows that are kept for a set time and then purged. */
export interface Kept {
  /** What the metrics call them: a plural. */
  readonly kind: string;
  /**
   * Purges everything that is due at `at`, piece by piece, and ends early when a piece did nothing. Safe to repeat.
   * @throws as UnitOfWork.run
   */
  purgeDue(at: Instant, pieces: PurgePieces): Promise<void>;
  /** Since when the oldest of those that are still there is due, or will be; null when there is none. */
  oldestDueAt(reader: Reader): Promise<Instant | null>;
}

/** Its rows say themselves when they are over, or (null) that they are not yet. It needs an index on `expires_at`. */
export type ExpiringTable = Pick<Table<{ readonly expiresAt: Instant | null }>, 'name' | 'key' | 'columns'>;

/** @param table none of whose expired rows anything depends on */
export function keptUntilExpiry(table: ExpiringTable): Kept {
  const sql = deleteExpired(table);
  const oldest = `SELECT MIN(expires_at) AS "dueAt" FROM ${table.name}`;
  return {
    kind: table.name,
    async purgeDue(at, pieces) {
      let more = true;
      while (more) {
        let purged: Purged = { rows: 0 };
        await pieces.run(NO_TENANT, (tx) => {
          purged = pieces.deleteAcrossTenants(tx, table.name, sql, { at, rows: pieces.rowsMax });
          return Promise.resolve();
        });
        more = purged.rows === pieces.rowsMax;
      }
    },
    async oldestDueAt(reader) {
      const [row] = await reader.selectAcrossTenants<{ dueAt: number | null }>(oldest);
      return row?.dueAt ?? null;
    },
  };
}

/**
 * The rows to go are found by their expiry and deleted by their key. Their expiry is looked at again when they are
 * deleted, because another server may have renewed one meanwhile; the `+` keeps that look from being taken for a search.
 */
function deleteExpired({ name, key, columns }: ExpiringTable): string {
  const keyColumns = columns.filter(({ property }) => key.includes(property)).map((column) => column.name);
  const identity = ['tenant_id', ...keyColumns].join(', ');
  return `DELETE FROM ${name} WHERE +expires_at <= :at AND (${identity}) IN (
    SELECT ${identity} FROM ${name} WHERE expires_at <= :at ORDER BY expires_at LIMIT :rows)`;
}
