import { planReplay, toText } from '../../scripts/replay/plan.ts';
import type { SaleRow } from '../../scripts/replay/sale-row.ts';

function aRow(change: Partial<SaleRow> = {}): SaleRow {
  return {
    kind: 'sale',
    line: 1,
    invoice: '536365',
    sku: '85123A',
    locationId: 'France',
    country: 'France',
    units: 6,
    at: 1000,
    description: 'HOLDER',
    foldedCase: false,
    ...change,
  };
}

describe('planReplay', () => {
  it('groups rows by invoice and puts invoices in time order, wherever their rows stand', () => {
    const rows = [
      aRow({ invoice: 'B', at: 2000 }),
      aRow({ invoice: 'A', at: 3000 }),
      aRow({ invoice: 'A', at: 1500, sku: '2' }),
      aRow({ invoice: 'C2', at: 1500, kind: 'return' }),
    ];
    const { invoices } = planReplay(rows, null);
    expect(invoices.map(({ invoice, at }) => [invoice, at])).toEqual([
      ['A', 1500],
      ['C2', 1500],
      ['B', 2000],
    ]);
    expect(invoices[0]?.reservations).toEqual([[rows[1], rows[2]]]);
    expect(invoices[1]).toMatchObject({ reservations: [], movements: [rows[3]] });
  });

  it('cuts an invoice of more than 100 lines into several reservations and loses no line', () => {
    const rows = Array.from({ length: 230 }, (_, index) => aRow({ line: index, sku: `S${index}` }));
    const [invoice] = planReplay(rows, null).invoices;
    expect(invoice?.reservations.map((part) => part.length)).toEqual([100, 100, 30]);
    expect(invoice?.reservations.flat()).toEqual(rows);
  });

  it('cuts where the lines of one sku would pass the most units of a reservation', () => {
    const rows = [aRow({ units: 600_000 }), aRow({ units: 400_000 }), aRow({ units: 1 })];
    expect(planReplay(rows, null).invoices[0]?.reservations.map((part) => part.length)).toEqual([2, 1]);
  });

  it('opens each stock item with what will leave it, returns not counted', () => {
    const rows = [
      aRow({ units: 6 }),
      aRow({ invoice: '2', kind: 'write-off', units: 4 }),
      aRow({ invoice: 'C3', kind: 'return', units: 3 }),
      aRow({ locationId: 'EIRE', units: 1 }),
      aRow({ invoice: 'C4', kind: 'return', sku: 'ONLY-RETURNED' }),
    ];
    expect(planReplay(rows, null).opening).toEqual([
      { sku: '85123A', locationId: 'France', part: 0, units: 10 },
      { sku: '85123A', locationId: 'EIRE', part: 0, units: 1 },
    ]);
  });

  it('opens every stock item with the units asked for, in receipts within the limit of one', () => {
    const rows = [aRow(), aRow({ locationId: 'EIRE' })];
    expect(planReplay(rows, 1_000_001).opening.map(({ locationId, part, units }) => [locationId, part, units])).toEqual(
      [
        ['France', 0, 1_000_000],
        ['France', 1, 1],
        ['EIRE', 0, 1_000_000],
        ['EIRE', 1, 1],
      ],
    );
    expect(planReplay(rows, 0).opening).toEqual([]);
  });

  it('names a product as most of its sales do, passes over remarks on write-offs, and falls back to the code', () => {
    const rows = [
      aRow({ description: '???missing', kind: 'write-off' }),
      aRow({ description: 'LA JARDIN' }),
      aRow({ description: 'LE JARDIN' }),
      aRow({ description: 'LE JARDIN' }),
      aRow({ description: '' }),
      aRow({ sku: '2', description: 'damaged', kind: 'write-off' }),
    ];
    expect(planReplay(rows, null).products).toEqual([
      { sku: '85123A', name: 'LE JARDIN' },
      { sku: '2', name: '2' },
    ]);
  });
});

describe('toText', () => {
  it('gives what the API takes as a text', () => {
    expect(toText(' a\u0000b\nc\u2028d ')).toBe('a b c d');
    expect(toText('x'.repeat(501))).toHaveLength(500);
    expect(toText(`${'x'.repeat(499)}😀`).isWellFormed()).toBe(true);
  });
});
