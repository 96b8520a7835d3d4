import { Injectable, Logger } from '@nestjs/common';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type CentralChange, type ChangeEvent, readChange } from '../domain/central-change.ts';
import type { ShelfHold, ShelfItem } from '../domain/shelf-item.ts';
import { Pickups } from '../storage/pickup.repository.ts';
import { holdKey, Shelf } from '../storage/shelf.repository.ts';
import { Streams } from '../storage/stream.repository.ts';

/** Applies what the centre tells, and the cursor behind it, in one commit: none is left out, none counts twice. */
@Injectable()
export class ApplyChanges {
  private readonly logger = new Logger(ApplyChanges.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly streams: Streams,
    private readonly shelf: Shelf,
    private readonly pickups: Pickups,
  ) {}

  /**
   * @param after the cursor that was asked with
   * @param cursor the one that was answered
   * @returns false when the changes do not follow what was applied last; then nothing was done
   */
  execute(after: string, events: readonly ChangeEvent[], cursor: string): Promise<boolean> {
    const { changes, readable } = this.read(events);
    return this.unitOfWork.run({ keys: [], workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      const stream = await this.streams.get(tx);
      if (!stream.follow(after, cursor, at)) return false;
      if (!readable) stream.wantSnapshot(at);
      await this.shelf.load(tx, new Set(changes.map(({ sku }) => sku)));
      await tx.load(changes.flatMap((change) => ('holdId' in change ? [holdKey(change.sku, change.holdId)] : [])));
      for (const change of changes) await this.apply(tx, change, at);
      this.streams.save(tx, stream);
      return true;
    });
  }

  /** A change that cannot be read would be missing for ever, so a snapshot makes up for it. */
  private read(events: readonly ChangeEvent[]): { changes: CentralChange[]; readable: boolean } {
    const changes: CentralChange[] = [];
    let readable = true;
    for (const event of events) {
      try {
        const change = readChange(event);
        if (change !== null) changes.push(change);
      } catch (error) {
        readable = false;
        this.logger.error({ err: error }, 'A change of the centre cannot be read; a snapshot will make up for it');
      }
    }
    return { changes, readable };
  }

  private async apply(tx: Transaction, change: CentralChange, at: Instant): Promise<void> {
    const item = await this.shelf.item(tx, change.sku);
    // The snapshot was read while changes went on, and has this one already.
    if (change.subjectVersion <= item.state.centralVersion) return;
    if (change.kind === 'moved') {
      item.move(change.delta, at);
    } else if (change.kind === 'policy') {
      item.setSafetyStock(change.safetyStock, at);
    } else {
      const hold = await this.shelf.hold(tx, change.sku, change.holdId);
      await this.shelf.saveHold(tx, await this.applyToHold(tx, item, hold, change, at));
    }
    this.shelf.save(tx, item);
  }

  private async applyToHold(
    tx: Transaction,
    item: ShelfItem,
    hold: ShelfHold,
    change: Extract<CentralChange, { holdId: string }>,
    at: Instant,
  ): Promise<ShelfHold> {
    switch (change.kind) {
      case 'held':
        return item.hold(hold, change.units, change.expiresAt, at);
      case 'shortened':
        return item.shorten(hold, change.expiresAt, at);
      case 'released':
        return item.release(hold, change.units, change.from, at);
      case 'fulfilled':
        return item.fulfil(hold, change.units, at);
      case 'committed': {
        const isPickedUp = await this.pickups.isPickedUp(tx, change.holdId);
        return item.commit(hold, change.units, isPickedUp, at);
      }
    }
  }
}
