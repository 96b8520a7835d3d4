import type { StockItemView } from '../contract.ts';
import type { StockItemState } from '../domain/stock-item.ts';

/**
 * A stock item as callers see it.
 * @param dueUnits units that are still counted as held although their holds are over: nobody has swept them yet, but
 *   they are free (DESIGN rule 5)
 */
export function toStockItemView(
  state: Omit<StockItemState, 'lowStockThreshold' | 'noHoldDueBefore'>,
  dueUnits: number,
): StockItemView {
  const { sku, locationId, onHand, committed, incoming, safetyStock, version, updatedAt } = state;
  const held = state.held - dueUnits;
  const available = onHand - held - committed - safetyStock;
  return { sku, locationId, onHand, held, committed, incoming, safetyStock, available, version, updatedAt };
}
