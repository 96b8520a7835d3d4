import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { ValidationFailed } from '../http/http-error.ts';
import { cellsOf, CsvRows } from './csv-rows.ts';
import { type Line, LineFault } from './lines.ts';
import type { RawRow } from './row-format.ts';

const SHAPE = {
  variants: [
    { required: ['sku', 'counted'], optional: ['reason'] },
    { required: ['sku', 'type', 'quantity'], optional: [] },
  ],
  numbers: new Set(['counted', 'quantity']),
};

function rowsOf(lines: readonly Line[], recordMax = 1_000): RawRow[] {
  const format = new CsvRows(SHAPE, recordMax);
  const rows: RawRow[] = [];
  for (const line of lines) format.read(line, rows);
  format.end(rows);
  return rows;
}

const shown = (rows: readonly RawRow[]): unknown[] =>
  rows.map((row) => ('members' in row ? row.members : row.errors.map(({ message }) => message.slice(0, 20))));

const HEADER = 'sku,counted,reason';
const NO_RECORD = ['is no CSV record: a '];

describe('CsvRows', () => {
  it('reads rows by the names of the header, in any order, and takes empty cells for absent', () => {
    expect(shown(rowsOf(['reason,sku,counted', 'lost,A,0', ',B,12']))).toEqual([
      { reason: 'lost', sku: 'A', counted: 0 },
      { sku: 'B', counted: 12 },
    ]);
  });

  it('knows a second sort of rows by its header', () => {
    expect(shown(rowsOf(['sku,type,quantity', 'A,ADJUSTMENT,-3']))).toEqual([
      { sku: 'A', type: 'ADJUSTMENT', quantity: -3 },
    ]);
  });

  it('reads quoted fields, line ends of both kinds, and passes by blank lines', () => {
    expect(shown(rowsOf([`${HEADER}\r`, '\r', '"A","1","says ""no"", so"\r', '', 'B,2,"two\r', 'lines"\r']))).toEqual([
      { sku: 'A', counted: 1, reason: 'says "no", so' },
      { sku: 'B', counted: 2, reason: 'two\r\nlines' },
    ]);
  });

  it('leaves what is no whole number as the text that it is, for the rules to refuse', () => {
    expect(shown(rowsOf([HEADER, 'A,1.0,', 'B,+1,', 'C, 1,', 'D,1e2,', 'E,12345678901,', 'F,-0,']))).toEqual([
      { sku: 'A', counted: '1.0' },
      { sku: 'B', counted: '+1' },
      { sku: 'C', counted: ' 1' },
      { sku: 'D', counted: '1e2' },
      { sku: 'E', counted: '12345678901' },
      { sku: 'F', counted: -0 },
    ]);
  });

  it('refuses a row with too few or too many fields alone', () => {
    expect(shown(rowsOf([HEADER, 'A,1', 'B,2,', 'C,3,,']))).toEqual([
      ['has 2 fields, but th'],
      { sku: 'B', counted: 2 },
      ['has 4 fields, but th'],
    ]);
  });

  it.each([
    ['within a field', 'A 5" wide,1,'],
    ['behind a closing quote', '"A"x,1,'],
    ['that is never closed', '"A,1,'],
    ['that is closed lines later by the next mistake', 'A,1,"x'],
  ])('refuses a row with a quote %s alone', (_, wrong) => {
    expect(shown(rowsOf([HEADER, wrong, 'B,2,', 'C,3,', wrong, 'D,4,']))).toEqual([
      NO_RECORD,
      { sku: 'B', counted: 2 },
      { sku: 'C', counted: 3 },
      NO_RECORD,
      { sku: 'D', counted: 4 },
    ]);
  });

  it('gives up an open quote when the record grows beyond the limit, and reads what it had swallowed', () => {
    const lines = Array.from({ length: 5 }, (_, n) => `R${n},${n},`);
    expect(shown(rowsOf([HEADER, '"A,1,', ...lines], 20))).toEqual([
      NO_RECORD,
      ...lines.map((_, n) => ({ sku: `R${n}`, counted: n })),
    ]);
  });

  it('gives up an open quote at a line that cannot be read', () => {
    expect(shown(rowsOf([HEADER, '"A,1,', 'B,2,', new LineFault('is too odd'), 'C,3,"c"']))).toEqual([
      NO_RECORD,
      { sku: 'B', counted: 2 },
      ['is too odd'],
      { sku: 'C', counted: 3, reason: 'c' },
    ]);
  });

  it('looks at lines behind an open quote twice, not once for each', () => {
    const lines = Array.from({ length: 200_000 }, () => 'A,1,');
    const withQuotes = lines.flatMap((line, n) => (n % 1_000 === 0 ? ['"', line] : [line]));
    // With a look at all that was swallowed for each line this would run into the time-out.
    expect(rowsOf([HEADER, ...withQuotes], 50_000)).toHaveLength(withQuotes.length);
  });

  it.each([
    ['names an unknown column', ['sku,counted,size']],
    ['lacks a column', ['sku']],
    ['mixes the two sorts', ['sku,counted,type,quantity']],
    ['names a column twice', ['sku,counted,sku']],
    ['is a row', ['A,1']],
    ['is not there', []],
    ['cannot be read', [new LineFault('is not valid UTF-8')]],
    ['is not closed', ['"sku,counted']],
  ])('refuses everything when the header %s', (_, lines) => {
    expect(() => rowsOf(lines)).toThrow(ValidationFailed);
  });

  it('is ready for rows once it has its header', () => {
    const format = new CsvRows(SHAPE, 1_000);
    format.read('', []);
    expect(format.isReady).toBe(false);
    format.read(HEADER, []);
    expect(format.isReady).toBe(true);
  });
});

describe('cellsOf', () => {
  it('reads a record as csv-parse does, and refuses what that refuses', () => {
    const record = fc
      .array(fc.constantFrom('a', ',', '"', '""', '",', ',"', '\n', 'b c'), { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join(''))
      // Outside of quotes a line feed ends the record, so cellsOf never sees one there.
      .filter((text) => !text.replace(/"(?:[^"]|"")*"/g, '').includes('\n'));
    fc.assert(
      fc.property(record, (text) => {
        expect(cellsOf(text)).toEqual(byLibrary(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

function byLibrary(text: string): string[] | null {
  try {
    const records: string[][] = parse(text, { record_delimiter: '\r\n', relax_column_count: true });
    return records[0] ?? [''];
  } catch {
    return null;
  }
}
