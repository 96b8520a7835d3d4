import { Injectable } from '@nestjs/common';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { shelfKey } from '../contract.ts';
import { isOver, noHold, type ShelfHold, ShelfItem } from '../domain/shelf-item.ts';
import { shelfHoldsTable, shelfItemsTable } from './shelf.table.ts';

/** The shelf: its items, and what holds have of them. */
@Injectable()
export class Shelf {
  /** Loads what a work is going to touch, a statement for each table. */
  load(tx: Transaction, skus: Iterable<string>): Promise<void> {
    return tx.load([...skus].map(shelfKey));
  }

  async item(tx: Transaction, sku: string): Promise<ShelfItem> {
    const row = await tx.get(shelfItemsTable, sku);
    return row === undefined ? ShelfItem.unknown(sku) : ShelfItem.of(row);
  }

  /** @param item was loaded by `item` in this work */
  save(tx: Transaction, item: ShelfItem): void {
    tx.replace(shelfItemsTable, item.state);
  }

  async hold(tx: Transaction, sku: string, holdId: string): Promise<ShelfHold> {
    return (await tx.get(shelfHoldsTable, sku, holdId)) ?? noHold(sku, holdId);
  }

  holdsOf(tx: Transaction, holdId: string): Promise<ShelfHold[]> {
    return tx.group(shelfHoldsTable, 'hold', holdId);
  }

  holdsOn(tx: Transaction, sku: string): Promise<ShelfHold[]> {
    return tx.group(shelfHoldsTable, 'sku', sku);
  }

  /** Stores the hold, or forgets it when nothing is left of it. */
  async saveHold(tx: Transaction, hold: ShelfHold): Promise<void> {
    if (!isOver(hold)) {
      await tx.put(shelfHoldsTable, hold);
      return;
    }
    const stored = await tx.get(shelfHoldsTable, hold.sku, hold.holdId);
    if (stored !== undefined) tx.remove(shelfHoldsTable, stored);
  }
}

export function holdKey(sku: string, holdId: string): EntityKey {
  return { table: shelfHoldsTable.name, values: [sku, holdId] };
}
