import { isId, QUANTITY_MAX } from './limits.ts';

/** What a row of the file asks of the stock: a sale holds and takes, a return brings back, a write-off removes. */
export type RowKind = 'sale' | 'return' | 'write-off';

/** One usable row. */
export interface SaleRow {
  readonly kind: RowKind;
  /** The line of the file on which it ends, the header being line 1. */
  readonly line: number;
  readonly invoice: string;
  readonly sku: string;
  readonly locationId: string;
  readonly country: string;
  /** Units moved, 1..QUANTITY_MAX; the direction is in `kind`. */
  readonly units: number;
  /** Milliseconds; the file names no zone, so it only serves to order rows. */
  readonly at: number;
  /** Trimmed; empty when the file has none. */
  readonly description: string;
  /** The file wrote the sku in lower case: it is a twin of the upper-case code. */
  readonly foldedCase: boolean;
}

/** Why a row is not sent. Every row is either sent or counted under one of these, the first that applies. */
export type DirtReason =
  | 'not a CSV record'
  | 'no invoice number'
  | 'invoice number is no id'
  | 'no country'
  | 'country is no id'
  | 'no stock code'
  | 'stock code is no product'
  | 'stock code is no id'
  | 'quantity is no whole number'
  | 'quantity is zero'
  | 'quantity beyond the limit'
  | 'cancellation that adds units'
  | 'date cannot be read';

export interface DirtyRow {
  readonly reason: DirtReason;
  /** What stood there, as an example for the report. */
  readonly given: string;
}

/** Columns that the file must have; others are passed over. */
export const COLUMNS = ['InvoiceNo', 'StockCode', 'Description', 'Quantity', 'InvoiceDate', 'Country'] as const;
export type SaleRecord = Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>;

/** Codes under which the retailer booked money: nothing lies on a shelf under them. */
const SERVICE_CODES: ReadonlySet<string> = new Set([
  'POST', // postage
  'DOT', // postage of the web shop
  'C2', // carriage
  'C3',
  'M', // manual entry
  'D', // discount
  'S', // samples
  'B', // bad debt
  'ADJUST',
  'ADJUST2',
  'AMAZONFEE',
  'BANK CHARGES',
  'CRUK', // commission to a charity
]);
/** Gift vouchers and test entries come in families. */
const SERVICE_CODE_FAMILIES = /^(GIFT_|TEST\d)/;

/** Judges one record of the file: a row to send, or the first reason why it cannot be sent. */
export function readRow(record: SaleRecord, line: number): SaleRow | DirtyRow {
  const written = (column: (typeof COLUMNS)[number]): string => (record[column] ?? '').trim();
  const invoice = written('InvoiceNo');
  const code = written('StockCode');
  const quantity = written('Quantity');
  const country = written('Country');
  const dirty = (reason: DirtReason, given: string): DirtyRow => ({ reason, given });

  if (invoice === '') return dirty('no invoice number', code);
  if (!isId(invoice)) return dirty('invoice number is no id', invoice);
  if (country === '') return dirty('no country', invoice);
  const locationId = toLocationId(country);
  if (!isId(locationId)) return dirty('country is no id', country);
  const sku = toSku(code);
  if (sku === '') return dirty('no stock code', invoice);
  if (isServiceCode(sku)) return dirty('stock code is no product', code);
  if (!isId(sku)) return dirty('stock code is no id', code);
  if (!/^[+-]?\d{1,15}$/.test(quantity)) return dirty('quantity is no whole number', quantity);
  const signedUnits = Number(quantity);
  if (signedUnits === 0) return dirty('quantity is zero', `${invoice} ${code}`);
  if (Math.abs(signedUnits) > QUANTITY_MAX) return dirty('quantity beyond the limit', quantity);
  const cancels = /^c/i.test(invoice);
  if (cancels && signedUnits > 0) return dirty('cancellation that adds units', `${invoice} ${quantity}`);
  const at = toOrder(written('InvoiceDate'));
  if (at === null) return dirty('date cannot be read', written('InvoiceDate'));

  const kind = cancels ? 'return' : signedUnits < 0 ? 'write-off' : 'sale';
  const units = Math.abs(signedUnits);
  const description = written('Description');
  return { kind, line, invoice, sku, locationId, country, units, at, description, foldedCase: sku !== code };
}

export function isDirty(row: SaleRow | DirtyRow): row is DirtyRow {
  return 'reason' in row;
}

/**
 * Lower-case twins (`85123a` beside `85123A`) carry the same description and price in the file, so they are one
 * product, booked by a clerk without the shift key.
 */
function toSku(code: string): string {
  return code.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

function isServiceCode(sku: string): boolean {
  return SERVICE_CODES.has(sku) || SERVICE_CODE_FAMILIES.test(sku);
}

/** `United Kingdom` becomes `United-Kingdom`: what an id cannot contain becomes a dash. */
function toLocationId(country: string): string {
  return country.replace(/[^A-Za-z0-9._:-]/gu, '-');
}

/** @returns milliseconds as if the time were UTC, or null when it is no date of the calendar */
function toOrder(text: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::(\d{2}))?$/.exec(text);
  if (match === null) return null;
  const iso = `${match[1]}T${match[2]}:${match[3] ?? '00'}.000Z`;
  const at = new Date(iso);
  // Date rolls 30 February over into March; comparing with what was written finds that.
  return !Number.isNaN(at.getTime()) && at.toISOString() === iso ? at.getTime() : null;
}
