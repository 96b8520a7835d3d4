import type { Instant } from '../../../shared/kernel/clock.ts';
import type { FreshnessPolicy, StockItemView } from '../contract.ts';
import type { KnownFreshness } from '../domain/location-freshness.ts';
import { toStockItemView } from './stock-view.ts';

/** Units of the stock item `s` whose holds are over at `:at` but not swept. Mostly told without a look at the holds. */
export const DUE_UNITS = `CASE WHEN s.no_hold_due_before <= :at THEN (
    SELECT COALESCE(SUM(h.units), 0) FROM holds h
    WHERE h.tenant_id = s.tenant_id AND h.sku = s.sku AND h.location_id = s.location_id
      AND h.state = 'HELD' AND h.expires_at <= :at
  ) ELSE 0 END`;

/** What is known of the freshness of a location `f`, as FreshnessRow. */
export const FRESHNESS_COLUMNS = `
  f.last_sequence AS "lastSequence", f.as_of AS "asOf", f.last_contact_at AS "lastContactAt",
  f.stale_after_seconds AS "staleAfterSeconds", f.silent_after_seconds AS "silentAfterSeconds",
  f.stale_caution_percent AS "staleCautionPercent", f.silent_caution_percent AS "silentCautionPercent"`;

/** The stock item `s` with the freshness of its location, if anything is known of it. */
export const STOCK_WITH_FRESHNESS = `stock_items s
  LEFT JOIN location_freshness f ON f.tenant_id = s.tenant_id AND f.location_id = s.location_id`;

/** Units of the stock item `s` that are left alone at `:at`: as `cautionUnits` of `cautionPercentAt`, in SQL. */
export const CAUTION_UNITS = cautionUnitsOf(
  's.on_hand',
  `CASE WHEN f.last_sequence IS NULL THEN 0
    WHEN :at - f.last_contact_at >= f.silent_after_seconds * 1000 THEN f.silent_caution_percent
    WHEN :at - f.last_contact_at >= f.stale_after_seconds * 1000 THEN f.stale_caution_percent
    ELSE 0 END`,
);

/** Divides whole numbers, on both engines; nothing is left alone of what is not there. */
export function cautionUnitsOf(onHand: string, percent: string): string {
  return `CASE WHEN ${onHand} > 0 THEN (${onHand} * (${percent}) + 99) / 100 ELSE 0 END`;
}

/** What a read of a single item selects: its balances, its due units, and how fresh its location is. */
export const STOCK_COLUMNS = `
  s.sku AS "sku", s.location_id AS "locationId", s.on_hand AS "onHand", s.held AS "held", s.committed AS "committed",
  s.incoming AS "incoming", s.safety_stock AS "safetyStock", s.version AS "version", s.updated_at AS "updatedAt",
  ${DUE_UNITS} AS "dueUnits", ${FRESHNESS_COLUMNS}`;

/** Null members: the location has no row. */
export type FreshnessRow = { readonly lastSequence: number | null } & {
  readonly [Property in 'asOf' | 'lastContactAt' | keyof FreshnessPolicy]: number | null;
};

export interface StockReadRow extends FreshnessRow {
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

export function viewOf(row: StockReadRow, at: Instant): StockItemView {
  return toStockItemView(row, knownOf(row), Number(row.dueUnits), at);
}

/** A row of a location that never pushed says nothing of its stock. */
export function knownOf(row: FreshnessRow): KnownFreshness {
  return row.lastSequence === null ? undefined : (row as NonNullable<KnownFreshness>);
}

/** Ids as the names of a JSON object, a list that both engines can read. Ids need no escaping. */
export function namesOf(ids: Iterable<string>): string {
  // Made by hand, because an object with so many names of its own is slow.
  return `{"${[...ids].join('":0,"')}":0}`;
}
