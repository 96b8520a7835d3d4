import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Periodic } from '../../shared/housekeeping/periodic.ts';
import { Clock } from '../../shared/kernel/clock.ts';
import { runInContext } from '../../shared/kernel/context.ts';
import { Ids } from '../../shared/kernel/ids.ts';
import { Pace } from '../../shared/kernel/pace.ts';
import { Reader } from '../../shared/persistence/reader.ts';
import { Settings } from '../../shared/settings.ts';
import { ExpireDueReservations } from './contract.ts';

/** Chunks on their way at a time: one in a batch and one that waits, so that the writer never waits for the sweeper. */
const CHUNKS_AT_A_TIME = 2;
/** Due reservations that one look at the database finds, in chunks. */
const CHUNKS_PER_LOOK = 20;

const DUE = `SELECT tenant_id AS "tenantId", id AS "id" FROM reservations
  WHERE status = 'ACTIVE' AND expires_at <= :at ORDER BY expires_at, tenant_id, id LIMIT :rows`;

interface DueReservation {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * Stores what time has done: reservations that are due become EXPIRED and their units go back. Nothing waits for it,
 * because every command and single read decides by the clock; it keeps lists and tables short. It works in small
 * chunks of the bulk class, which interactive requests overtake.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly periodic: Periodic;

  constructor(
    private readonly commands: CommandBus,
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly settings: Settings,
    pace: Pace,
  ) {
    this.periodic = new Periodic(Sweeper.name, settings.sweepIntervalMs, () => this.sweep(), pace);
  }

  onApplicationBootstrap(): void {
    this.periodic.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.periodic.stop();
  }

  /** Drains everything that is due now. What a failure leaves stays due, and the next look finds it again. */
  async sweep(): Promise<void> {
    const rows = this.settings.sweepChunkReservations * CHUNKS_PER_LOOK;
    for (let more = true; more && !this.periodic.stopped;) {
      const due = await this.reader.selectAcrossTenants<DueReservation>(DUE, { at: this.clock.now(), rows });
      await this.expireAll(due);
      more = due.length === rows;
    }
  }

  private async expireAll(due: readonly DueReservation[]): Promise<void> {
    const chunks = this.chunksOf(due);
    const lanes = Array.from({ length: CHUNKS_AT_A_TIME }, async () => {
      for (let chunk = chunks.shift(); chunk !== undefined && !this.periodic.stopped; chunk = chunks.shift()) {
        await this.expire(chunk);
      }
    });
    await Promise.all(lanes);
  }

  private expire({ tenantId, ids }: Chunk): Promise<unknown> {
    const context = { tenantId, clientId: 'sweeper', correlationId: this.ids.next(), traceparent: null };
    return runInContext(context, () => this.commands.execute(new ExpireDueReservations(ids)));
  }

  /** A chunk holds reservations of one tenant, in the order in which they fell due. */
  private chunksOf(due: readonly DueReservation[]): Chunk[] {
    const chunks: Chunk[] = [];
    for (const tenantId of new Set(due.map((reservation) => reservation.tenantId))) {
      const ids = due.filter((reservation) => reservation.tenantId === tenantId).map(({ id }) => id);
      for (let from = 0; from < ids.length; from += this.settings.sweepChunkReservations) {
        chunks.push({ tenantId, ids: ids.slice(from, from + this.settings.sweepChunkReservations) });
      }
    }
    return chunks;
  }
}

interface Chunk {
  readonly tenantId: string;
  readonly ids: readonly string[];
}
