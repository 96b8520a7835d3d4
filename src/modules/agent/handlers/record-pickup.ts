import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type PickedUp, RecordPickup } from '../contract.ts';
import { Pickups } from '../storage/pickup.repository.ts';
import { Shelf } from '../storage/shelf.repository.ts';
import { Recorder } from './recorder.ts';

/**
 * Records that a customer took a reservation. What is known to be committed to it leaves the shelf; if the confirmation is
 * still on its way, it leaves when that arrives (domain/shelf-item.ts).
 */
@CommandHandler(RecordPickup)
export class RecordPickupHandler implements ICommandHandler<RecordPickup> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly shelf: Shelf,
    private readonly pickups: Pickups,
    private readonly recorder: Recorder,
  ) {}

  execute(command: RecordPickup): Promise<PickedUp> {
    const { reservationId } = command;
    return this.unitOfWork.run(command, async (tx) => {
      const before = await this.pickups.get(tx, reservationId);
      if (before !== undefined && !before.isDead) {
        return { eventId: before.eventId, reservationId, lines: [], isNew: false };
      }
      const at = this.clock.now();
      const lines = await this.takeAll(tx, reservationId, at);
      const data = { reservationId };
      const fact = { type: 'pickup', sku: null, data, reference: null, delta: 0, awaitsCursor: false } as const;
      const { id, position } = await this.recorder.record(tx, fact, at);
      await this.pickups.put(tx, {
        reservationId,
        eventId: id,
        position,
        isDead: false,
        updatedAt: at,
        version: (before?.version ?? 0) + 1,
      });
      return { eventId: id, reservationId, lines, isNew: true };
    });
  }

  private async takeAll(tx: Transaction, reservationId: string, at: number): Promise<PickedUp['lines']> {
    const holds = (await this.shelf.holdsOf(tx, reservationId)).filter(({ committed }) => committed > 0);
    await this.shelf.load(
      tx,
      holds.map(({ sku }) => sku),
    );
    const lines: { sku: string; units: number }[] = [];
    for (const hold of holds) {
      const item = await this.shelf.item(tx, hold.sku);
      lines.push({ sku: hold.sku, units: hold.committed });
      await this.shelf.saveHold(tx, item.take(hold, at));
      this.shelf.save(tx, item);
    }
    return lines.sort((one, other) => (one.sku < other.sku ? -1 : 1));
  }
}
