import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSales, type Sales } from '../../scripts/replay/read-sales.ts';
import { type DirtReason, isDirty, readRow, type SaleRecord } from '../../scripts/replay/sale-row.ts';

const sale = {
  InvoiceNo: '536365',
  StockCode: '85123A',
  Description: ' WHITE HANGING HEART T-LIGHT HOLDER ',
  Quantity: '6',
  InvoiceDate: '2010-12-01 08:26:00',
  Country: 'United Kingdom',
};

function reasonOf(change: Partial<Record<keyof typeof sale, string | undefined>>): DirtReason | null {
  const row = readRow({ ...sale, ...change }, 1);
  return isDirty(row) ? row.reason : null;
}

describe('readRow', () => {
  it('reads a sale: country as location, code as sku, units without sign', () => {
    expect(readRow(sale, 7)).toEqual({
      kind: 'sale',
      line: 7,
      invoice: '536365',
      sku: '85123A',
      locationId: 'United-Kingdom',
      country: 'United Kingdom',
      units: 6,
      at: Date.UTC(2010, 11, 1, 8, 26),
      description: 'WHITE HANGING HEART T-LIGHT HOLDER',
      foldedCase: false,
    });
  });

  it('takes a C invoice as a return and another negative quantity as a write-off', () => {
    expect(readRow({ ...sale, InvoiceNo: 'C536365', Quantity: '-6' }, 1)).toMatchObject({ kind: 'return', units: 6 });
    expect(readRow({ ...sale, Quantity: '-6' }, 1)).toMatchObject({ kind: 'write-off', units: 6 });
  });

  it('takes a lower-case twin as the same product and says so', () => {
    expect(readRow({ ...sale, StockCode: '85123a' }, 1)).toMatchObject({ sku: '85123A', foldedCase: true });
  });

  it.each<[DirtReason, Partial<SaleRecord>]>([
    ['no invoice number', { InvoiceNo: ' ' }],
    ['invoice number is no id', { InvoiceNo: '536 365' }],
    ['no country', { Country: '' }],
    ['no country', { Country: undefined }],
    ['country is no id', { Country: 'x'.repeat(65) }],
    ['country is no id', { Country: '..' }],
    ['no stock code', { StockCode: '' }],
    ['stock code is no product', { StockCode: 'POST' }],
    ['stock code is no product', { StockCode: 'm' }],
    ['stock code is no product', { StockCode: 'BANK CHARGES' }],
    ['stock code is no product', { StockCode: 'gift_0001_20' }],
    ['stock code is no id', { StockCode: '85123 A' }],
    ['stock code is no id', { StockCode: '851ß23' }],
    ['quantity is no whole number', { Quantity: '' }],
    ['quantity is no whole number', { Quantity: '1.5' }],
    ['quantity is no whole number', { Quantity: '1e3' }],
    ['quantity is no whole number', { Quantity: 'six' }],
    ['quantity is no whole number', { Quantity: '9'.repeat(400) }],
    ['quantity is zero', { Quantity: '0' }],
    ['quantity is zero', { Quantity: '-0' }],
    ['quantity beyond the limit', { Quantity: '1000001' }],
    ['quantity beyond the limit', { Quantity: '-1000001' }],
    ['cancellation that adds units', { InvoiceNo: 'C536365' }],
    ['date cannot be read', { InvoiceDate: '' }],
    ['date cannot be read', { InvoiceDate: '12/1/2010 8:26' }],
    ['date cannot be read', { InvoiceDate: '2011-02-30 08:26:00' }],
    ['date cannot be read', { InvoiceDate: '2011-02-03 25:26:00' }],
  ])('reports "%s" for %j', (reason, change) => {
    expect(reasonOf(change)).toBe(reason);
  });

  it.each([
    ['the most units', { Quantity: '1000000' }],
    ['a product without digits in its code', { StockCode: 'DCGSSGIRL' }],
    ['a time without seconds', { InvoiceDate: '2010-12-01 08:26' }],
    ['a country unknown to the retailer', { Country: 'Unspecified' }],
    ['an empty description', { Description: '' }],
  ])('sends a row with %s', (_, change) => {
    expect(reasonOf(change)).toBeNull();
  });
});

describe('readSales', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'replay-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
  const line = '536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom';

  function read(...lines: string[]): Promise<Sales> {
    const file = join(folder, 'sales.csv');
    writeFileSync(file, lines.join('\r\n'));
    return readSales(file);
  }

  it('counts every row once: as usable or under the reason why not', async () => {
    const sales = await read(
      `\uFEFF${header}`,
      line,
      '',
      line,
      line.replace('85123A', 'POST'),
      line.replace('HOLDER', '"HOLDER, ""WHITE"""').replace('85123A', '85123a'),
      line.replace('HOLDER', ''),
      line.replace(',6,', ',0,'),
      '536365,85123A,HOLDER,6',
      `${line},one column too many`,
      line.replace('HOLDER', 'HOL"DER'),
      line.replace('536365', '536366'),
    );

    expect(sales.rowsRead).toBe(10);
    expect(sales.rows).toHaveLength(5);
    expect(Object.fromEntries([...sales.dirt].map(([reason, { rows }]) => [reason, rows]))).toEqual({
      'stock code is no product': 1,
      'quantity is zero': 1,
      'not a CSV record': 3,
    });
    expect(sales.rows.map((row) => row.line)).toEqual([2, 4, 6, 7, 12]);
    expect(sales.notes).toEqual({ foldedCase: 1, noDescription: 1, repeated: 3 });
  });

  it('counts a quotation that never ends instead of losing the rows in it', async () => {
    const swallowed = Array.from({ length: 1000 }, () => line);
    const sales = await read(header, line, line.replace('HOLDER', '"HOLDER'), ...swallowed);
    expect(sales.rows.length + (sales.dirt.get('not a CSV record')?.rows ?? 0)).toBe(sales.rowsRead);
    expect(sales.dirt.get('not a CSV record')?.rows).toBeGreaterThan(0);
  });

  it('refuses a file that lacks columns and names them', async () => {
    await expect(read('InvoiceNo,StockCode,Quantity', '1,2,3')).rejects.toThrow(
      'the file has no column Description, InvoiceDate, Country; its first line names InvoiceNo, StockCode, Quantity',
    );
  });

  it('refuses a file that is not there', async () => {
    await expect(readSales(join(folder, 'none.csv'))).rejects.toThrow('ENOENT');
  });
});
