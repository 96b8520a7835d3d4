import { Injectable } from '@nestjs/common';
import { currentContext } from '../../../shared/kernel/context.ts';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import { Metrics, type TransactionType } from '../../../shared/operations/metrics.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { DomainEvent } from '../../../shared/kernel/domain-event.ts';
import { freshnessKey, productKey, stockItemKey, StockLow, stockOfSkuKey, StockOversold } from '../contract.ts';
import { type MovementEntry, StockItem, type StockItemState } from '../domain/stock-item.ts';
import { locationFreshnessTable } from './location-freshness.table.ts';
import { movementsTable } from './movement.table.ts';
import { productsTable } from './product.table.ts';
import { type StockItemRow, stockItemsTable } from './stock-item.table.ts';

interface Place {
  readonly sku: string;
  readonly locationId: string;
}

/** Stock items and their ledger. */
@Injectable()
export class StockItems {
  constructor(private readonly metrics: Metrics) {}

  /** The item, or an empty one where nothing has happened yet. The sku and the location have to be known ones. */
  async get(tx: Transaction, sku: string, locationId: string): Promise<StockItem> {
    await this.load(tx, [{ sku, locationId }]);
    return this.loaded(tx, sku, locationId);
  }

  /** Several items, loaded together. */
  async getAll(tx: Transaction, places: readonly Place[]): Promise<StockItem[]> {
    await this.load(tx, places);
    return places.map(({ sku, locationId }) => this.loaded(tx, sku, locationId));
  }

  /** All items of the skus that exist, loaded together. */
  async ofSkus(tx: Transaction, skus: readonly string[]): Promise<StockItem[]> {
    await tx.load(skus.map(stockOfSkuKey));
    const rows: StockItemRow[] = [];
    for (const sku of new Set(skus)) rows.push(...(await tx.group(stockItemsTable, 'sku', sku)));
    await tx.load(rows.map(({ locationId }) => freshnessKey(locationId)));
    return rows.map((row) => itemOf(tx, row));
  }

  /**
   * Lets one verb change the item, stores it with its events, and counts the attempt by its outcome once the outcome
   * is certain.
   */
  change<T>(tx: Transaction, item: StockItem, type: TransactionType, verb: (item: StockItem) => T): T {
    this.countAttempt(tx, type, item.state.locationId);
    const result = verb(item);
    this.save(tx, item);
    return result;
  }

  /** For verbs that are no stock transaction. Does nothing when the item has not changed. */
  save(tx: Transaction, item: StockItem): void {
    const { sku, locationId } = item.state;
    const stored = tx.loaded(stockItemsTable, sku, locationId);
    if (item.version === (stored?.version ?? 0)) {
      return;
    }
    if (stored === undefined) {
      // The item has copied the product's threshold: a PUT of the product at the same moment would not find it.
      tx.assume(productsTable, sku);
    }
    tx.replace(stockItemsTable, rowOf(item));
    const events = item.takeEvents();
    tx.record(events);
    this.countAlarms(tx, events);
  }

  /** Loads items together, and the products of those where nothing has happened yet. */
  async load(tx: Transaction, places: readonly Place[]): Promise<void> {
    const keys = places.flatMap(itemKeys);
    if (!tx.knows(keys)) await tx.load(keys);
    const products = productKeysOfUnstocked(tx, places);
    if (products.length > 0) await tx.load(products);
  }

  /** Whether `load` has nothing to do for these. Whoever asks first needs no promise. */
  areLoaded(tx: Transaction, places: readonly Place[]): boolean {
    return tx.knows(places.flatMap(itemKeys)) && tx.knows(productKeysOfUnstocked(tx, places));
  }

  /** The item, if all of its keys were loaded before (stockKeys); without a promise, for rows by the million. */
  loaded(tx: Transaction, sku: string, locationId: string): StockItem {
    const row = tx.loaded(stockItemsTable, sku, locationId);
    if (row !== undefined) return itemOf(tx, row);
    const { lowStockThreshold = null } = tx.loaded(productsTable, sku) ?? {};
    return StockItem.unstocked(sku, locationId, lowStockThreshold, tx.loaded(locationFreshnessTable, locationId));
  }

  /** Whether there is such a product; the item was loaded by `load`. */
  isOfKnownProduct(tx: Transaction, sku: string, locationId: string): boolean {
    return tx.loaded(stockItemsTable, sku, locationId) !== undefined || tx.loaded(productsTable, sku) !== undefined;
  }

  private countAlarms(tx: Transaction, events: readonly DomainEvent[]): void {
    const oversold = events.some(({ type }) => type === StockOversold.type);
    const low = events.some(({ type }) => type === StockLow.type);
    if (oversold || low) {
      tx.onSettled((status) => {
        if (status === 'success' && oversold) this.metrics.countOversold();
        if (status === 'success' && low) this.metrics.countLowStock();
      });
    }
  }

  /** @param place of the store's report that it is; most of them are known by the context */
  appendToLedger(tx: Transaction, entry: MovementEntry, place = currentContext().originPlace ?? null): void {
    const { correlationId, clientId, keyId = null, origin = null } = currentContext();
    const { epoch: originEpoch = null, sequence: originSequence = null } = place ?? {};
    tx.insert(movementsTable, { ...entry, correlationId, clientId, keyId, origin, originEpoch, originSequence });
  }

  countAttempt(tx: Transaction, type: TransactionType, locationId: string): void {
    tx.onSettled((status) => {
      this.metrics.countTransaction(type, status, locationId);
    });
  }
}

function itemKeys({ sku, locationId }: Place): EntityKey[] {
  return [stockItemKey(sku, locationId), freshnessKey(locationId)];
}

function productKeysOfUnstocked(tx: Transaction, places: readonly Place[]): EntityKey[] {
  const unstocked = places.filter(({ sku, locationId }) => tx.loaded(stockItemsTable, sku, locationId) === undefined);
  return unstocked.map(({ sku }) => productKey(sku));
}

function rowOf(item: StockItem): StockItemRow {
  const { state, isLow, isOut, isOversold: isNegative } = item;
  const { sku, locationId, onHand, held, committed, incoming, safetyStock } = state;
  const { lowStockThreshold, noHoldDueBefore, version, updatedAt } = state;
  return {
    sku,
    locationId,
    onHand,
    held,
    committed,
    incoming,
    safetyStock,
    lowStockThreshold,
    noHoldDueBefore,
    isLow,
    isOut,
    isNegative,
    version,
    updatedAt,
  };
}

function itemOf(tx: Transaction, row: StockItemRow): StockItem {
  return StockItem.of(stateOf(row), tx.loaded(locationFreshnessTable, row.locationId));
}

/** The flags are left out one by one: a rest pattern costs ten times as much, once for each look at an item. */
function stateOf(row: StockItemRow): StockItemState {
  const { sku, locationId, onHand, held, committed, incoming, safetyStock } = row;
  const { lowStockThreshold, noHoldDueBefore, version, updatedAt } = row;
  return {
    sku,
    locationId,
    onHand,
    held,
    committed,
    incoming,
    safetyStock,
    lowStockThreshold,
    noHoldDueBefore,
    version,
    updatedAt,
  };
}
