import type { Instant } from '../../../shared/kernel/clock.ts';
import type { StockItemView } from '../contract.ts';
import { toStockItemView } from './stock-view.ts';

/** Units of the stock item `s` whose holds are over at `:at` but not swept. Mostly told without a look at the holds. */
export const DUE_UNITS = `CASE WHEN s.no_hold_due_before <= :at THEN (
    SELECT COALESCE(SUM(h.units), 0) FROM holds h
    WHERE h.tenant_id = s.tenant_id AND h.sku = s.sku AND h.location_id = s.location_id
      AND h.state = 'HELD' AND h.expires_at <= :at
  ) ELSE 0 END`;

/** What a read of a single item selects: its balances, and its due units. */
export const STOCK_COLUMNS = `
  s.sku AS "sku", s.location_id AS "locationId", s.on_hand AS "onHand", s.held AS "held", s.committed AS "committed",
  s.incoming AS "incoming", s.safety_stock AS "safetyStock", s.version AS "version", s.updated_at AS "updatedAt",
  ${DUE_UNITS} AS "dueUnits"`;

export interface StockReadRow {
  readonly sku: string;
  readonly locationId: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
  readonly incoming: number;
  readonly safetyStock: number;
  readonly version: number;
  readonly updatedAt: Instant | null;
  /** PostgreSQL sums to NUMERIC, which its driver hands out as text. */
  readonly dueUnits: number | string;
}

export function viewOf(row: StockReadRow): StockItemView {
  return toStockItemView(row, Number(row.dueUnits));
}
