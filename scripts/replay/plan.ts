import { LINES_MAX, QUANTITY_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import type { SaleRow } from './sale-row.ts';

export interface StockItemRef {
  readonly sku: string;
  readonly locationId: string;
}

/** Everything that one invoice asks for. */
export interface Invoice {
  readonly invoice: string;
  /** When its first row was booked. */
  readonly at: number;
  /** Its sales, cut into as many reservations as the limits of one ask for. */
  readonly reservations: readonly (readonly SaleRow[])[];
  /** Returns and write-offs, each a movement of its own. */
  readonly movements: readonly SaleRow[];
}

/** What will be sent, in order: locations and products, opening stock, then the invoices. */
export interface Plan {
  readonly locations: readonly { readonly locationId: string; readonly name: string }[];
  readonly products: readonly { readonly sku: string; readonly name: string }[];
  readonly opening: readonly (StockItemRef & { readonly units: number; readonly part: number })[];
  readonly invoices: readonly Invoice[];
  readonly stockItems: readonly StockItemRef[];
}

/**
 * @param openingUnits units of every stock item to begin with; null: exactly what the file sells and writes off there
 */
export function planReplay(rows: readonly SaleRow[], openingUnits: number | null): Plan {
  const items = groupBy(rows, ({ sku, locationId }) => `${sku} ${locationId}`);
  const stockItems = [...items.values()].map(([{ sku, locationId }]) => ({ sku, locationId }));
  return {
    locations: [...groupBy(rows, (row) => row.locationId).values()].map(([{ locationId, country }]) => ({
      locationId,
      name: toText(country),
    })),
    products: [...groupBy(rows, (row) => row.sku)].map(([sku, ofSku]) => ({ sku, name: productName(sku, ofSku) })),
    opening: [...items.values()].flatMap((ofItem) => receipts(ofItem, openingUnits ?? unitsThatLeave(ofItem))),
    invoices: [...groupBy(rows, (row) => row.invoice).values()].map(planInvoice).sort(byTime),
    stockItems,
  };
}

/** A text as the API takes it: without control characters and line ends, well-formed, not longer than the limit. */
export function toText(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .slice(0, TEXT_LENGTH_MAX)
    .toWellFormed()
    .trim();
}

function planInvoice(rows: Rows): Invoice {
  return {
    invoice: rows[0].invoice,
    at: Math.min(...rows.map((row) => row.at)),
    reservations: cutIntoReservations(rows.filter((row) => row.kind === 'sale')),
    movements: rows.filter((row) => row.kind !== 'sale'),
  };
}

/** One reservation takes LINES_MAX lines and QUANTITY_MAX units of a sku at a location; what is beyond starts the next. */
function cutIntoReservations(rows: readonly SaleRow[]): SaleRow[][] {
  const parts: SaleRow[][] = [];
  let unitsByItem = new Map<string, number>();
  for (const row of rows) {
    const item = `${row.sku} ${row.locationId}`;
    const part = parts.at(-1);
    const units = (unitsByItem.get(item) ?? 0) + row.units;
    if (part === undefined || part.length === LINES_MAX || units > QUANTITY_MAX) {
      parts.push([row]);
      unitsByItem = new Map([[item, row.units]]);
    } else {
      part.push(row);
      unitsByItem.set(item, units);
    }
  }
  return parts;
}

/** In time order; invoices of the same minute by number, so that two runs send the same sequence. */
function byTime(one: Invoice, other: Invoice): number {
  return one.at - other.at || (one.invoice < other.invoice ? -1 : 1);
}

/** Returns come on top of the opening stock and are not counted on: they may arrive after the sale. */
function unitsThatLeave(rows: Rows): number {
  return rows.reduce((units, row) => units + (row.kind === 'return' ? 0 : row.units), 0);
}

/** One movement takes QUANTITY_MAX units at most. */
function receipts([{ sku, locationId }]: Rows, units: number): Plan['opening'] {
  return Array.from({ length: Math.ceil(units / QUANTITY_MAX) }, (_, part) => ({
    sku,
    locationId,
    part,
    units: Math.min(QUANTITY_MAX, units - part * QUANTITY_MAX),
  }));
}

/**
 * The description that most of its sales carry (spellings differ); its code when there is none. Write-offs are passed
 * over, because a clerk's remark ("damaged", "???missing") stands there instead of the name.
 */
function productName(sku: string, rows: Rows): string {
  const named = rows.filter((row) => row.kind !== 'write-off' && toText(row.description) !== '');
  const spellings = [...groupBy(named, (row) => toText(row.description))];
  return spellings.sort((one, other) => other[1].length - one[1].length)[0]?.[0] ?? sku;
}

/** A group is never empty. */
type Rows = readonly [SaleRow, ...SaleRow[]];

function groupBy(rows: readonly SaleRow[], keyOf: (row: SaleRow) => string): Map<string, Rows> {
  const groups = new Map<string, [SaleRow, ...SaleRow[]]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
