import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Kept } from '../../shared/housekeeping/kept.ts';
import type { PurgePieces } from '../../shared/housekeeping/purge-pieces.ts';
import { Retention } from '../../shared/housekeeping/retention.ts';
import type { Instant } from '../../shared/kernel/clock.ts';
import { EventRetention } from '../../shared/outbox/event-retention.ts';
import { Reader } from '../../shared/persistence/reader.ts';
import type { Transaction } from '../../shared/persistence/transaction.ts';
import { Settings } from '../../shared/settings.ts';
import { RESERVATION_SUBJECT_PREFIX, subjectOf } from './domain/reservation.ts';
import { Reservations } from './storage/reservation.repository.ts';

const MS_PER_DAY = 86_400_000;
/** A reservation goes with its places and events: about this many rows. */
const ROWS_PER_RESERVATION = 10;

const ENDED = "status IN ('FULFILLED', 'CANCELLED', 'EXPIRED')";
const TENANTS_DUE = `SELECT DISTINCT tenant_id AS "tenantId" FROM (
  SELECT tenant_id FROM reservations WHERE ${ENDED} AND updated_at <= :endedBy ORDER BY updated_at LIMIT :rows) AS due`;
const DUE = `SELECT id AS "id" FROM reservations
  WHERE tenant_id = :tenant AND ${ENDED} AND updated_at <= :endedBy ORDER BY updated_at LIMIT :rows`;
const FIRST_ENDED = `SELECT MIN(updated_at) AS "endedAt" FROM reservations WHERE ${ENDED}`;

/**
 * How long a reservation that is over is kept: FULFILLED, CANCELLED or EXPIRED, it does not change any more, so its last
 * change was its end. It goes with its events in one commit, because its timeline is read from them.
 */
@Injectable()
export class EndedReservations implements Kept, OnModuleInit {
  readonly kind = 'reservations';
  private readonly keepMs: number;

  constructor(
    private readonly retention: Retention,
    private readonly events: EventRetention,
    private readonly reservations: Reservations,
    private readonly reader: Reader,
    settings: Settings,
  ) {
    this.keepMs = settings.reservationKeepDays * MS_PER_DAY;
  }

  onModuleInit(): void {
    this.events.keepWithOwner(RESERVATION_SUBJECT_PREFIX);
    this.retention.keep(this);
  }

  async purgeDue(at: Instant, pieces: PurgePieces): Promise<void> {
    const rows = Math.max(1, Math.floor(pieces.rowsMax / ROWS_PER_RESERVATION));
    const parameters = { endedBy: at - this.keepMs, rows };
    for (let more = true; more;) {
      more = false;
      const tenants = await this.reader.selectAcrossTenants<{ tenantId: string }>(TENANTS_DUE, parameters);
      for (const { tenantId } of tenants) {
        let purged = 0;
        await pieces.run(tenantId, async (tx) => {
          purged = await this.purgeSome(tx, parameters);
          pieces.count(tx, this.kind, purged);
        });
        more ||= purged > 0;
      }
    }
  }

  async oldestDueAt(reader: Reader): Promise<Instant | null> {
    const [row] = await reader.selectAcrossTenants<{ endedAt: number | null }>(FIRST_ENDED);
    return row?.endedAt == null ? null : row.endedAt + this.keepMs;
  }

  /** @returns how many; none while others have still to read their events */
  private async purgeSome(tx: Transaction, due: { endedBy: Instant; rows: number }): Promise<number> {
    const ids = (await tx.select<{ id: string }>(DUE, due)).map(({ id }) => id);
    if (ids.length === 0) return 0;
    const released = await this.events.release(tx, ids.map(subjectOf));
    const gone = ids.filter((id) => released.has(subjectOf(id)));
    await this.reservations.remove(tx, gone);
    return gone.length;
  }
}
