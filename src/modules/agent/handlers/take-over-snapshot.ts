import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { emptyLine, noHold, type OwnFact, type SnapshotLine, withFacts } from '../domain/shelf-item.ts';
import { Pickups } from '../storage/pickup.repository.ts';
import { Shelf } from '../storage/shelf.repository.ts';
import { Streams } from '../storage/stream.repository.ts';
import { TillEvents, toOwnFact } from '../storage/till-event.repository.ts';
import type { TillEventRow } from '../storage/till-event.table.ts';

/** A snapshot that is being taken over. */
export interface SnapshotRound {
  readonly round: number;
  /** Own facts up to this position are in the snapshot. */
  readonly included: number;
}

/** Items that one work looks at: at 50 to 100 µs each it stays near BULK_SLICE_MS. */
export const SNAPSHOT_PIECE_ITEMS = 100;

const LEFT_OVER = `SELECT sku AS "sku" FROM shelf_items WHERE tenant_id = :tenant AND round < :round
  ORDER BY round, sku LIMIT :limit`;

/**
 * Puts the centre's balances in the place of the shelf's, item by item, each with the store's own facts on top that the
 * snapshot does not have. Each item is right at any time, before or after it; a snapshot that was broken off is begun
 * anew, and what it has done already is done again with the same result.
 */
@Injectable()
export class TakeOverSnapshot {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly streams: Streams,
    private readonly shelf: Shelf,
    private readonly events: TillEvents,
    private readonly pickups: Pickups,
  ) {}

  /** Nothing else leads on from what the shelf shows. */
  want(): Promise<void> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const stream = await this.streams.get(tx);
      if (stream.state.snapshotWanted) return;
      stream.wantSnapshot(this.clock.now());
      this.streams.save(tx, stream);
    });
  }

  /**
   * @param nextSequence of the snapshot's first line, in the epoch of this store; null: not told, so everything that was
   *   acknowledged before it was asked for
   */
  begin(nextSequence: number | null): Promise<SnapshotRound> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const stream = await this.streams.get(tx);
      const round = stream.beginSnapshot(this.clock.now());
      this.streams.save(tx, stream);
      const { base, acknowledged } = stream.state;
      return { round, included: nextSequence === null ? acknowledged : base + nextSequence - 1 };
    });
  }

  piece(snapshot: SnapshotRound, lines: readonly SnapshotLine[]): Promise<void> {
    return this.unitOfWork.run({ keys: [], workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      await this.shelf.load(
        tx,
        lines.map(({ sku }) => sku),
      );
      for (const line of lines) await this.start(tx, snapshot, line, at);
    });
  }

  /** What the snapshot does not have, the centre does not have: only the store's own facts remain of it. */
  async sweep(snapshot: SnapshotRound): Promise<void> {
    for (;;) {
      const rows = await this.reader.select<{ sku: string }>(LEFT_OVER, {
        round: snapshot.round,
        limit: SNAPSHOT_PIECE_ITEMS,
      });
      if (rows.length === 0) return;
      await this.unitOfWork.run({ keys: [], workClass: 'bulk' }, async (tx) => {
        const at = this.clock.now();
        for (const { sku } of rows) {
          const homeless = await this.events.homelessOf(tx, sku, snapshot.included);
          await this.start(tx, snapshot, emptyLine(sku), at, homeless);
        }
      });
    }
  }

  end(snapshot: SnapshotRound, cursor: string): Promise<void> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const stream = await this.streams.get(tx);
      stream.endSnapshot(snapshot.round, cursor, this.clock.now());
      this.streams.save(tx, stream);
    });
  }

  /**
   * The feed has caught up with the snapshot, so its cursor says exactly what is in the balances. The counts that were
   * made meanwhile get it, and what they found replaces what the feed has brought since.
   */
  settle(): Promise<void> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const at = this.clock.now();
      const stream = await this.streams.get(tx);
      stream.settle(at);
      this.streams.save(tx, stream);
      const awaiting = await this.events.awaiting(tx);
      for (const sku of new Set(awaiting.map((row) => row.sku ?? ''))) {
        await this.beginAnew(tx, sku, awaiting, at);
      }
      for (const row of awaiting) {
        const settled = (await this.events.get(tx, row.id)) ?? row;
        const data = { ...settled.data, cursor: stream.state.cursor };
        this.events.replace(tx, { ...settled, data, awaitsCursor: false });
      }
    });
  }

  private async start(
    tx: Transaction,
    { round, included }: SnapshotRound,
    line: SnapshotLine,
    at: Instant,
    homeless: readonly TillEventRow[] = [],
  ): Promise<void> {
    const { sku } = line;
    const item = await this.shelf.item(tx, sku);
    const rows = [...homeless, ...(await this.events.ofSku(tx, sku, included))];
    const facts = rows.map(toOwnFact);
    const lastCount = rows.filter(({ awaitsCursor }) => awaitsCursor).at(-1)?.position ?? 0;
    item.start(line, facts, round, at);
    this.correct(tx, rows, withFacts(line.onHand, facts) - sumOf(line.onHand, facts));
    for (const hold of await this.shelf.holdsOn(tx, sku)) {
      await this.shelf.saveHold(tx, { ...hold, held: 0, committed: 0, taken: 0 });
    }
    for (const { holdId, units, state, expiresAt } of line.holds) {
      const stored = await this.shelf.hold(tx, sku, holdId);
      const empty = { ...noHold(sku, holdId), version: stored.version + 1, updatedAt: at, expiresAt };
      const hold = { ...empty, held: state === 'HELD' ? units : 0, committed: state === 'COMMITTED' ? units : 0 };
      const pickedUpAt = await this.pickups.pendingBehind(tx, holdId, included);
      await this.shelf.saveHold(tx, pickedUpAt === null ? hold : item.take(hold, at));
      // A count that begins anew did not find what had been picked up before.
      if (pickedUpAt !== null && pickedUpAt < lastCount) item.move(hold.committed, at);
    }
    this.shelf.save(tx, item);
  }

  /** What the last count of the sku found, and what happened after it, is what is there. */
  private async beginAnew(tx: Transaction, sku: string, awaiting: readonly TillEventRow[], at: Instant): Promise<void> {
    const last = awaiting.filter((row) => row.sku === sku).at(-1);
    if (last === undefined) return;
    const item = await this.shelf.item(tx, sku);
    const later = await this.events.ofSku(tx, sku, last.position);
    const onHand =
      withFacts(last.data['counted'] as number, later.map(toOwnFact)) -
      (await this.pickedUpSince(tx, sku, last.position));
    const correction = onHand - item.state.onHand;
    item.move(correction, at);
    this.shelf.save(tx, item);
    this.correct(tx, [last], correction);
  }

  private async pickedUpSince(tx: Transaction, sku: string, position: number): Promise<number> {
    let units = 0;
    for (const { holdId, taken } of await this.shelf.holdsOn(tx, sku)) {
      if ((await this.pickups.pendingBehind(tx, holdId, position)) !== null) units += taken;
    }
    return units;
  }

  /** Keeps the sum of what the facts changed equal to what the shelf has beyond the centre's figure. */
  private correct(tx: Transaction, rows: readonly TillEventRow[], correction: number): void {
    const last = rows.filter(({ awaitsCursor }) => awaitsCursor).at(-1);
    if (correction !== 0 && last !== undefined) {
      this.events.replace(tx, { ...last, delta: last.delta + correction });
    }
  }
}

function sumOf(onHand: number, facts: readonly OwnFact[]): number {
  return facts.reduce((units, { delta }) => units + delta, onHand);
}
