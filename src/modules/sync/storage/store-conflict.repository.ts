import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { hashOfJson } from '../../../shared/kernel/json-content.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Settings } from '../../../shared/settings.ts';
import type { Contradicted, IncomingEvent } from '../contract.ts';
import { type StoreConflictRow, storeConflictsTable } from './store-conflict.table.ts';

const MS_PER_DAY = 86_400_000;

/** Most conflicts that are kept of one store: whoever has so many has one mistake, not so many. */
export const CONFLICTS_KEPT_MAX = 1_000;

const KEPT = `SELECT COUNT(*) AS "kept" FROM store_conflicts WHERE tenant_id = :tenant AND location_id = :locationId`;

/** An event that contradicts what came before. */
export interface NewConflict {
  readonly event: IncomingEvent;
  readonly contradicts: Contradicted;
}

/** Events that contradict each other, for somebody to look at. */
@Injectable()
export class StoreConflicts {
  private readonly keepMs: number;

  constructor(settings: Settings) {
    this.keepMs = settings.syncEventsKeepDays * MS_PER_DAY;
  }

  /**
   * Keeps those that are not kept yet, as long as there is room.
   * @returns how many had not come before
   */
  async keep(
    tx: Transaction,
    locationId: string,
    epoch: number,
    conflicts: readonly NewConflict[],
    at: Instant,
  ): Promise<number> {
    const rows = conflicts.map((conflict) => this.toRow(locationId, epoch, conflict, at));
    await tx.load(rows.map(({ id }) => ({ table: storeConflictsTable.name, values: [locationId, id] })));
    let kept = await this.kept(tx, locationId);
    let fresh = 0;
    for (const row of rows) {
      if (tx.loaded(storeConflictsTable, locationId, row.id) !== undefined) continue;
      fresh += 1;
      if (kept >= CONFLICTS_KEPT_MAX) continue;
      kept += 1;
      tx.insert(storeConflictsTable, row);
    }
    return fresh;
  }

  private async kept(tx: Transaction, locationId: string): Promise<number> {
    const [row] = await tx.select<{ kept: number | string }>(KEPT, { locationId });
    const changes = tx.knownChanges(storeConflictsTable, (known) => known.locationId === locationId);
    return changes.reduce(
      (sum, { before, now }) => sum + Number(now !== undefined) - Number(before !== undefined),
      Number(row?.kept ?? 0),
    );
  }

  private toRow(locationId: string, epoch: number, { event, contradicts }: NewConflict, at: Instant): StoreConflictRow {
    const { id: eventId, sequence, content, contentHash } = event;
    const id = hashOfJson([eventId, epoch, sequence, contentHash]);
    return {
      locationId,
      id,
      eventId,
      epoch,
      sequence,
      contradicts,
      content,
      receivedAt: at,
      expiresAt: at + this.keepMs,
    };
  }
}
