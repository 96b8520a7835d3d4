import { LineScreen } from '../../scripts/demo/screen.ts';
import { openingUnits, stepsOf } from '../../scripts/demo/steps.ts';
import { lagTable, quantile } from '../../scripts/demo/verdict.ts';
import type { SaleRow } from '../../scripts/replay/sale-row.ts';
import { runScript } from '../support/start-process.ts';

function aRow(changes: Partial<SaleRow>): SaleRow {
  return {
    ...{ kind: 'sale', line: 2, invoice: '536365', sku: 'A', locationId: 'UK', country: 'UK', units: 6, at: 0 },
    ...{ description: '', foldedCase: false },
    ...changes,
  };
}

describe('npm run demo', () => {
  it('ends with equal balances, although a line was cut and the centre was killed', async () => {
    const { code, output } = await runScript('demo', ['--sales', '120', '--rate', '60'], {});
    expect({ code, output }).toMatchObject({ code: 0 });
    for (const told of ['S2 is cut', 'S2 is mended', 'centre was killed', 'is there again', 'to the unit']) {
      expect(output).toContain(told);
    }
    expect(output).toMatch(/S1 connected, \d+ to tell, [\d.]+ s behind/);
    expect(output).toMatch(/all stores +\d+ +[\d.]+ s +[\d.]+ s +[\d.]+ s/);
  });

  it.each([[['--sales', '0']], [['--rate', 'fast']], [['one.csv', 'two.csv']], [['--what']]])(
    'explains itself when it is called with %j',
    async (args) => {
      const { code, output } = await runScript('demo', args, {});
      expect(code).toBe(2);
      expect(output).toContain('usage: npm run demo');
    },
  );
});

describe('The steps of the demo', () => {
  const rows = [
    aRow({}),
    aRow({ invoice: '536366', sku: 'B', units: 500 }),
    aRow({ kind: 'return', sku: 'B', units: 2 }),
    aRow({ kind: 'write-off', sku: 'C' }),
  ];

  it('are the rows over and over, without what no till books, at stores by invoice', () => {
    const steps = stepsOf(rows, ['S1', 'S2'], 7);
    expect(steps.map(({ sku }) => sku)).toEqual(['A', 'B', 'B', 'A', 'B', 'B', 'A']);
    expect(steps.map(({ units }) => units)).toEqual([6, 12, 2, 6, 12, 2, 6]);
    expect(new Set(steps.map(({ key }) => key)).size).toBe(7);
    expect(steps[0]?.locationId).not.toBe(steps[1]?.locationId);
  });

  it('are partly made on the web, of which some are given up', () => {
    const kinds = new Map<string, number>();
    for (const { kind } of stepsOf([aRow({})], ['S1'], 100)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    expect(Object.fromEntries(kinds)).toEqual({ 'change of mind': 5, pickup: 15, sale: 80 });
  });

  it('begin with as many units as will be asked for', () => {
    const opening = openingUnits(stepsOf(rows, ['S1'], 6));
    expect([...opening.values()]).toEqual([
      { sku: 'A', locationId: 'S1', units: 12 },
      { sku: 'B', locationId: 'S1', units: 26 },
    ]);
  });

  it('cannot be made of nothing', () => {
    expect(() => stepsOf([aRow({ kind: 'write-off' })], ['S1'], 1)).toThrow('no sale');
  });
});

describe('The verdict of the demo', () => {
  it('tells quantiles that were really measured', () => {
    const sorted = Array.from({ length: 100 }, (_, n) => n + 1);
    expect([0.5, 0.99, 1].map((part) => quantile(sorted, part))).toEqual([50, 99, 100]);
    expect(quantile([7], 0.5)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('shows them beside those of a copy every 15 minutes', () => {
    const table = lagTable(new Map([['S1', [0.5, 0.1]]]));
    expect(table).toMatch(/S1 +2 +0\.100 s +0\.500 s +0\.500 s/);
    expect(table).toMatch(/a copy every 15 minutes +450 s +891 s +900 s/);
  });
});

describe('The screen of the demo without a terminal', () => {
  it('writes plain lines, not for every look', () => {
    const lines: string[] = [];
    const screen = new LineScreen((line) => lines.push(line));
    const store = { locationId: 'S1', state: 'AWAY', pendingEvents: 3, lagSeconds: 1.25 };
    screen.begin(10);
    screen.show(1, { stores: [store], oversold: null, drift: null });
    screen.show(2, { stores: [store], oversold: 0, drift: 5 });
    screen.tell('the line is cut');
    screen.end();
    screen.show(10, { stores: [], oversold: 0, drift: 0 });
    expect(lines).toEqual([
      '1/10 | S1 away, 3 to tell, 1.3 s behind | the centre is away',
      '* the line is cut',
      '10/10 | 0 oversold, drift 0 units',
    ]);
  });
});
