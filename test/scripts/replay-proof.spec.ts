import { contradictions, type LedgerEntry } from '../../scripts/replay/proof.ts';
import { faultsOf, type Outcome, renderReport } from '../../scripts/replay/report.ts';
import { Tally, type MovedType } from '../../scripts/replay/tally.ts';

const ours = 'replay:r1:536365';
/** Newest first, as the API lists them: 10 received, 4 of them sold, 1 came back. */
const ledger: LedgerEntry[] = [
  { type: 'RETURN', delta: 1, onHandAfter: 7, correlationId: ours },
  { type: 'FULFILMENT', delta: -4, onHandAfter: 6, correlationId: ours },
  { type: 'RECEIPT', delta: 10, onHandAfter: 10, correlationId: ours },
];
const balances = { onHand: 7, held: 0, committed: 0 };
const expected = {
  acknowledged: new Map<MovedType, number>([
    ['RECEIPT', 10],
    ['FULFILMENT', 4],
    ['RETURN', 1],
  ]),
  openUnits: 0,
  correlationPrefix: 'replay:r1:',
};

describe('contradictions', () => {
  it('finds none where ledger, balances and answers agree', () => {
    expect(contradictions(balances, ledger, expected)).toEqual([]);
  });

  it('leaves movements of others out of what the run did, but not out of the sum', () => {
    const others = { type: 'RECEIPT', delta: 5, onHandAfter: 12, correlationId: 'replay:r2:opening' };
    expect(contradictions({ ...balances, onHand: 12 }, [others, ...ledger], expected)).toEqual([]);
  });

  it('finds a balance that its movements do not add up to', () => {
    expect(contradictions({ ...balances, onHand: 6 }, ledger, expected)).toEqual([
      'on hand are 6, but its movements add up to 7',
    ]);
  });

  it('finds a movement that states a wrong balance after it', () => {
    const wrong = ledger.map((entry) => (entry.type === 'FULFILMENT' ? { ...entry, onHandAfter: 5 } : entry));
    expect(contradictions(balances, wrong, expected)).toEqual([
      'a FULFILMENT says 5 on hand after it, the movements up to it say 6',
    ]);
  });

  it('finds a movement that was answered but is not there, and one that is there twice', () => {
    const lost = [{ ...ledger[1]!, onHandAfter: 6 }, ledger[2]!];
    expect(contradictions({ ...balances, onHand: 6 }, lost, expected)).toEqual([
      'RETURN of 1 was answered with success, the ledger has 0',
    ]);
    const doubled = [{ ...ledger[0]!, onHandAfter: 8 }, ...ledger];
    expect(contradictions({ ...balances, onHand: 8 }, doubled, expected)).toEqual([
      'RETURN of 1 was answered with success, the ledger has 2',
    ]);
  });

  it('finds units that are still held or committed after everything was fulfilled', () => {
    expect(contradictions({ ...balances, committed: 4 }, ledger, expected)).toEqual([
      '0 held and 4 committed, where at most 0 can be open',
    ]);
    expect(contradictions({ ...balances, committed: 4 }, ledger, { ...expected, openUnits: 4 })).toEqual([]);
  });
});

describe('faultsOf', () => {
  function anOutcome(change: { rowsRead?: number; recorded?: number } = {}): Outcome {
    const tally = new Tally();
    const item = { sku: 'A', locationId: 'S1' };
    tally.moved(item, 'RECEIPT', 4, 0);
    tally.moved(item, 'FULFILMENT', 4, 1);
    tally.notMoved('WRITE_OFF', 2, 1);
    tally.countRefusal('INSUFFICIENT_STOCK', 'invoice 2: 2 of 0', 1);
    const row = { line: 1, invoice: '1', ...item, country: 'S1', at: 0, description: '', foldedCase: false };
    return {
      runId: 'r1',
      seconds: 2,
      sales: {
        rowsRead: change.rowsRead ?? 3,
        rows: [
          { ...row, kind: 'sale', units: 4 },
          { ...row, kind: 'write-off', units: 2 },
        ],
        dirt: new Map([['quantity is zero', { rows: 1, example: '1 A' }]]),
        notes: { foldedCase: 0, noDescription: 0, repeated: 0 },
      },
      plan: {
        locations: [],
        products: [],
        opening: [{ ...item, units: 4, part: 0 }],
        invoices: [],
        stockItems: [item],
      },
      tally,
      proof: {
        stockItems: 1,
        movementsRead: 2,
        onHandUnits: 0,
        ledgerUnits: 0,
        movedByRun: new Map<MovedType, number>([
          ['RECEIPT', 4],
          ['FULFILMENT', change.recorded ?? 4],
        ]),
        faults: [],
      },
      traffic: { requests: 9, retries: 1 },
    };
  }

  it('finds none where every row and unit is accounted for', () => {
    expect(faultsOf(anOutcome())).toEqual([]);
    expect(renderReport(anOutcome())).toContain('The proof holds: ledger = balances for 1 stock items.');
  });

  it('finds a row that was neither sent nor reported', () => {
    expect(faultsOf(anOutcome({ rowsRead: 4 }))).toEqual(['4 rows were read, but 2 sent and 1 reported']);
  });

  it('finds units that the file sold but the ledger does not show', () => {
    expect(faultsOf(anOutcome({ recorded: 3 }))).toEqual([
      'FULFILMENT: the file says 4 units, the ledger has 3 and 0 were refused',
    ]);
    expect(renderReport(anOutcome({ recorded: 3 }))).toContain('THE PROOF FAILS: 1 contradictions.');
  });

  it('tells refusals by code and dirty rows by reason', () => {
    const report = renderReport(anOutcome());
    expect(report).toMatch(/INSUFFICIENT_STOCK +1 +1 +invoice 2: 2 of 0/);
    expect(report).toMatch(/quantity is zero +1 +1 A/);
  });
});
