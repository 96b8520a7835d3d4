import type { Instant } from '../../../shared/kernel/clock.ts';
import type { StockItemView } from '../contract.ts';
import { cautionPercentAt, cautionUnits, freshnessAt, type KnownFreshness } from '../domain/location-freshness.ts';
import type { StockItem, StockItemState } from '../domain/stock-item.ts';

/**
 * A stock item as callers see it at the instant `at`.
 * @param freshness of its location
 * @param dueUnits units that are still counted as held although their holds are over: nobody has swept them yet, but
 *   they are free (DESIGN rule 5)
 */
export function toStockItemView(
  state: Omit<StockItemState, 'lowStockThreshold' | 'noHoldDueBefore'>,
  freshness: KnownFreshness,
  dueUnits: number,
  at: Instant,
): StockItemView {
  const balances = storedBalances(state, dueUnits);
  const caution = cautionUnits(state.onHand, cautionPercentAt(freshness, at));
  return { ...balances, available: balances.available - caution, freshness: freshnessAt(freshness, at) };
}

/** The same of an item that a command has changed. */
export function viewOfItem(item: StockItem, dueUnits: number, at: Instant): StockItemView {
  return toStockItemView(item.state, item.freshness, dueUnits, at);
}

/** The same without what only the clock and the location's freshness say. */
export function storedBalances(
  state: Omit<StockItemState, 'lowStockThreshold' | 'noHoldDueBefore'>,
  dueUnits: number,
): Omit<StockItemView, 'freshness'> {
  const { sku, locationId, onHand, committed, incoming, safetyStock, version, updatedAt } = state;
  const held = state.held - dueUnits;
  const available = onHand - held - committed - safetyStock;
  return { sku, locationId, onHand, held, committed, incoming, safetyStock, available, version, updatedAt };
}
