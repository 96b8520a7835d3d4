import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ONLY_CALLER } from '../../shared/http/caller.ts';
import { idempotencyKeysTable } from '../../shared/http/idempotency-key.table.ts';
import { keptUntilExpiry } from '../../shared/housekeeping/kept.ts';
import { Periodic } from '../../shared/housekeeping/periodic.ts';
import { PurgePieces } from '../../shared/housekeeping/purge-pieces.ts';
import { Clock } from '../../shared/kernel/clock.ts';
import { runInContext } from '../../shared/kernel/context.ts';
import { Reader } from '../../shared/persistence/reader.ts';
import { Settings } from '../../shared/settings.ts';
import { AgentSettings } from './agent-settings.ts';
import { Streams } from './storage/stream.repository.ts';

const MS_PER_DAY = 86_400_000;

/** The last acknowledged event of a piece that is old enough, with all before it: numbers stay without a hole. */
const DUE = `SELECT MAX(position) AS "position" FROM (
  SELECT position, occurred_at FROM till_events
  WHERE tenant_id = :tenant AND position > :after AND position <= :acknowledged ORDER BY position LIMIT :rows
) AS piece WHERE occurred_at <= :before`;

/** A fact about a sku that the centre does not know yet is needed when a snapshot is taken over. */
const FORGET = `DELETE FROM till_events WHERE tenant_id = :tenant AND position > :after AND position <= :position
  AND (outcome IS NULL OR outcome <> 'dead' OR code <> 'UNKNOWN_PRODUCT')`;

const FORGET_PICKUPS = `DELETE FROM till_pickups WHERE tenant_id = :tenant AND position <= :position AND updated_at <= :before`;

/** Of units that a pickup took, nobody tells after such a time. */
const FORGET_TAKEN = `DELETE FROM shelf_holds WHERE tenant_id = :tenant AND held = 0 AND committed = 0
  AND updated_at <= :before`;

/**
 * Keeps the tables short: answers under keys that are over, and events that the centre has had for STORE_EVENT_KEEP_DAYS.
 * Until then they could be sent again, should the centre be restored from a backup.
 */
@Injectable()
export class Tidying implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly periodic: Periodic;
  private readonly keys = keptUntilExpiry(idempotencyKeysTable);

  constructor(
    private readonly pieces: PurgePieces,
    private readonly streams: Streams,
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly agent: AgentSettings,
    settings: Settings,
  ) {
    this.periodic = new Periodic(Tidying.name, settings.purgeIntervalMs, () => this.tidy());
  }

  onApplicationBootstrap(): void {
    this.periodic.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.pieces.stop();
    await this.periodic.stop();
  }

  async tidy(): Promise<void> {
    const now = this.clock.now();
    await this.keys.purgeDue(now, this.pieces);
    const context = { ...ONLY_CALLER, clientId: 'retention', correlationId: 'retention', traceparent: null };
    await runInContext(context, async () => {
      let more = true;
      while (more) more = await this.forgetPiece(now - this.agent.eventKeepDays * MS_PER_DAY);
    });
  }

  /** @returns whether something was forgotten, so that there may be more */
  private async forgetPiece(before: number): Promise<boolean> {
    const { purgedThrough: after, acknowledged } = await this.streams.read();
    const range = { after, acknowledged, before, rows: this.pieces.rowsMax };
    const [due] = await this.reader.select<{ position: number | null }>(DUE, range);
    const position = due?.position ?? null;
    if (position === null) return false;
    return this.pieces.run(ONLY_CALLER.tenantId, async (tx) => {
      const stream = await this.streams.get(tx);
      // A new epoch may have taken it back meanwhile, to send it again.
      if (position > stream.state.acknowledged) return;
      stream.purged(position, this.clock.now());
      this.streams.save(tx, stream);
      this.pieces.delete(tx, 'till_events', FORGET, { after, position });
      this.pieces.delete(tx, 'till_pickups', FORGET_PICKUPS, { position, before });
      this.pieces.delete(tx, 'shelf_holds', FORGET_TAKEN, { before });
    });
  }
}
