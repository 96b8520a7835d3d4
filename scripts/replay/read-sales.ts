import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { COLUMNS, type DirtReason, isDirty, readRow, type SaleRecord, type SaleRow } from './sale-row.ts';

/** A file as it was read: `rowsRead` is the number of usable rows plus all dirty ones. */
export interface Sales {
  readonly rowsRead: number;
  readonly rows: readonly SaleRow[];
  /** By reason: how many rows, and the first of them as an example. */
  readonly dirt: ReadonlyMap<DirtReason, { rows: number; example: string }>;
  /** What was put right or let stand on the way, in rows; these rows are sent. */
  readonly notes: { readonly foldedCase: number; readonly noDescription: number; readonly repeated: number };
}

/** A record longer than this is a lost quotation mark that swallows the lines after it. */
const RECORD_CHARACTERS_MAX = 10_000;

/**
 * Reads a file of sales and judges every row of it. Blank lines are no rows.
 * @throws Error when the file cannot be read or lacks a column
 */
export async function readSales(file: string): Promise<Sales> {
  const rows: SaleRow[] = [];
  const dirt = new Map<DirtReason, { rows: number; example: string }>();
  let rowsRead = 0;
  const countDirt = (reason: DirtReason, example: string): void => {
    const known = dirt.get(reason);
    if (known === undefined) dirt.set(reason, { rows: 1, example });
    else known.rows += 1;
  };
  const parser = parse({
    bom: true,
    info: true,
    columns: (header: string[]) => checkedHeader(header.map((name) => name.trim())),
    max_record_size: RECORD_CHARACTERS_MAX,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      rowsRead += 1;
      countDirt('not a CSV record', error?.code ?? 'unreadable');
    },
  });
  await pipeline(
    createReadStream(file),
    parser,
    async (records: AsyncIterable<{ record: SaleRecord; info: { lines: number } }>) => {
      for await (const { record, info } of records) {
        rowsRead += 1;
        const row = readRow(record, info.lines);
        if (isDirty(row)) countDirt(row.reason, row.given);
        else rows.push(row);
      }
    },
  );
  return { rowsRead, rows, dirt, notes: notesOf(rows) };
}

function checkedHeader(header: string[]): string[] {
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new Error(`the file has no column ${missing.join(', ')}; its first line names ${header.join(', ')}`);
  }
  return header;
}

function notesOf(rows: readonly SaleRow[]): Sales['notes'] {
  const seen = new Set<string>();
  let repeated = 0;
  for (const { invoice, sku, units, at, locationId } of rows) {
    const same = [invoice, sku, units, at, locationId].join('|');
    if (seen.has(same)) repeated += 1;
    seen.add(same);
  }
  return {
    foldedCase: rows.filter((row) => row.foldedCase).length,
    noDescription: rows.filter((row) => row.description === '').length,
    // The same article scanned twice at a till gives equal rows, so they are sales of their own.
    repeated,
  };
}
