import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { currentContext } from '../../../shared/kernel/context.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { FulfilHold } from '../contract.ts';
import { InsufficientStock } from '../domain/inventory.errors.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { Holds } from '../storage/hold.repository.ts';
import type { HoldRow } from '../storage/hold.table.ts';
import { StockItems } from '../storage/stock-item.repository.ts';
import { LateFacts } from './late-facts.ts';

/** Committed units leave the shelf, as FULFILMENT movements. All of them or, while on-hand is short anywhere, none. */
@CommandHandler(FulfilHold)
export class FulfilHoldHandler implements ICommandHandler<FulfilHold> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ids: Ids,
    private readonly items: StockItems,
    private readonly holds: Holds,
    private readonly late: LateFacts,
  ) {}

  execute({ holdId, locationId, reference, at, fact, keys }: FulfilHold): Promise<void> {
    return this.unitOfWork.run({ keys }, async (tx) => {
      const rows = (await this.holds.of(tx, holdId)).filter(
        (row) => row.state === 'COMMITTED' && (locationId === null || row.locationId === locationId),
      );
      const pairs = await this.holds.withItems(tx, rows);
      if (fact === null) this.assertOnHand(tx, pairs);
      for (const { row, item } of pairs) {
        const { onHand } = item.state;
        const isCounted = fact === 'late' && (await this.isCounted(tx, row));
        const movement = { movementId: this.ids.next(), reference };
        const entry = this.items.change(tx, item, 'FULFILMENT', () =>
          fact === null ? item.fulfil(row.units, holdId, movement, at) : item.handOver(row.units, holdId, movement, at),
        );
        this.items.appendToLedger(tx, entry);
        if (isCounted) this.late.restore(tx, item, onHand, currentContext().originPlace ?? null, at);
        this.holds.remove(tx, row);
      }
    });
  }

  /** @throws InsufficientStock */
  private assertOnHand(tx: Transaction, pairs: readonly { row: HoldRow; item: StockItem }[]): void {
    const short = pairs.filter(({ row, item }) => item.state.onHand < row.units);
    if (short.length === 0) return;
    short.forEach(({ row }) => {
      this.items.countAttempt(tx, 'FULFILMENT', row.locationId);
    });
    throw new InsufficientStock(
      short.map(({ row, item }) => ({
        sku: row.sku,
        locationId: row.locationId,
        requested: row.units,
        available: Math.max(0, item.state.onHand),
      })),
    );
  }

  /** Whether the store has counted the item after these units were handed over. */
  private async isCounted(tx: Transaction, { sku, locationId }: HoldRow): Promise<boolean> {
    const place = currentContext().originPlace ?? null;
    return place !== null && (await this.late.reportedAfter(tx, sku, locationId, place)).isCounted;
  }
}
