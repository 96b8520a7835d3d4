import { Injectable } from '@nestjs/common';
import { currentContext } from '../../../shared/kernel/context.ts';
import { Metrics, type TransactionType } from '../../../shared/operations/metrics.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { stockItemKey, StockLow, StockOversold } from '../contract.ts';
import { type MovementEntry, StockItem } from '../domain/stock-item.ts';
import { movementsTable } from './movement.table.ts';
import { productsTable } from './product.table.ts';
import { type StockItemRow, stockItemsTable } from './stock-item.table.ts';

/** Stock items and their ledger. */
@Injectable()
export class StockItems {
  constructor(private readonly metrics: Metrics) {}

  /** The item, or an empty one where nothing has happened yet. The sku and the location have to be known ones. */
  async get(tx: Transaction, sku: string, locationId: string): Promise<StockItem> {
    const row = await tx.get(stockItemsTable, sku, locationId);
    if (row !== undefined) {
      return StockItem.of(stateOf(row));
    }
    const product = await tx.get(productsTable, sku);
    return StockItem.unstocked(sku, locationId, product?.lowStockThreshold ?? null);
  }

  /** Several items, loaded together. */
  async getAll(tx: Transaction, places: readonly { sku: string; locationId: string }[]): Promise<StockItem[]> {
    await tx.load(places.map(({ sku, locationId }) => stockItemKey(sku, locationId)));
    const items: StockItem[] = [];
    for (const { sku, locationId } of places) {
      items.push(await this.get(tx, sku, locationId));
    }
    return items;
  }

  /** All items of a sku that exist. */
  async ofSku(tx: Transaction, sku: string): Promise<StockItem[]> {
    return (await tx.group(stockItemsTable, 'sku', sku)).map((row) => StockItem.of(stateOf(row)));
  }

  /**
   * Lets one verb change the item, stores it with its events, and counts the attempt by its outcome once the outcome
   * is certain.
   */
  async change<T>(tx: Transaction, item: StockItem, type: TransactionType, verb: (item: StockItem) => T): Promise<T> {
    this.countAttempt(tx, type, item.state.locationId);
    const result = verb(item);
    await this.save(tx, item);
    return result;
  }

  /** For verbs that are no stock transaction. Does nothing when the item has not changed. */
  async save(tx: Transaction, item: StockItem): Promise<void> {
    const { sku, locationId } = item.state;
    const stored = await tx.get(stockItemsTable, sku, locationId);
    if (item.version === (stored?.version ?? 0)) {
      return;
    }
    if (stored === undefined) {
      // The item has copied the product's threshold: a PUT of the product at the same moment would not find it.
      await tx.assume(productsTable, sku);
    }
    await tx.put(stockItemsTable, rowOf(item));
    const events = item.takeEvents();
    tx.record(events);
    tx.onSettled((status) => {
      for (const { type } of status === 'success' ? events : []) {
        if (type === StockOversold.type) this.metrics.countOversold();
        if (type === StockLow.type) this.metrics.countLowStock();
      }
    });
  }

  appendToLedger(tx: Transaction, entry: MovementEntry): void {
    tx.insert(movementsTable, { ...entry, correlationId: currentContext().correlationId });
  }

  countAttempt(tx: Transaction, type: TransactionType, locationId: string): void {
    tx.onSettled((status) => {
      this.metrics.countTransaction(type, status, locationId);
    });
  }
}

function rowOf(item: StockItem): StockItemRow {
  const { state, available } = item;
  return {
    ...state,
    isLow: state.lowStockThreshold !== null && available <= state.lowStockThreshold,
    isOut: available <= 0,
    isNegative: item.isOversold,
  };
}

function stateOf({ isLow: _low, isOut: _out, isNegative: _negative, ...state }: StockItemRow): StockItem['state'] {
  return state;
}
