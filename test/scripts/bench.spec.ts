import { cpuSecondsIn, cpuSecondsOf } from '../../bench/cpu-time.ts';
import { countRow } from '../../bench/import/count-rows.ts';
import { residentMegabytesOf } from '../../bench/memory.ts';
import { summarise } from '../../bench/summary.ts';
import { resultsTable, withResults } from '../../bench/page.ts';
import { median, meets, type Row, type RowResult } from '../../bench/row.ts';

describe('median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('meets', () => {
  it('counts the goal itself as met', () => {
    expect([0.59, 0.6].map((value) => meets(value, { atLeast: 0.6 }))).toEqual([false, true]);
    expect([1, 1.01].map((value) => meets(value, { atMost: 1 }))).toEqual([true, false]);
  });
});

describe('CPU time of a process', () => {
  it('is user plus kernel time, whatever the process is called', () => {
    const stat = '4242 (node (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 99 99 20 0';
    expect(cpuSecondsIn(stat)).toBe(2);
  });

  it('is unknown for a process that is not there', () => {
    expect(cpuSecondsOf(2 ** 30)).toBeNaN();
  });
});

describe('Memory of a process', () => {
  it('is what it has in RAM', () => {
    expect(residentMegabytesOf(process.pid)).toBeGreaterThan(20);
    expect(residentMegabytesOf(2 ** 30)).toBeNaN();
  });
});

describe('The file that the bench imports', () => {
  it('is about a thousand skus at as many locations as it takes, each stock item once', () => {
    const rows = Array.from({ length: 2_500 }, (_, n) => countRow(n));
    expect(new Set(rows.map(({ sku, locationId }) => `${sku} ${locationId}`)).size).toBe(2_500);
    expect(new Set(rows.map(({ locationId }) => locationId)).size).toBe(3);
  });
});

describe('summarise', () => {
  const round = { requests: 100, seconds: 1, perSecond: 100, serverCpuMicros: 200, clientBusy: 0.5, failures: '' };

  it('divides the medians and tells how the rounds scattered', () => {
    const measured = [60, 50, 90].map((perSecond) => ({ ...round, perSecond }));
    expect(summarise(measured, [round, round, round])).toEqual({
      value: 0.6,
      detail: '0.50 to 0.90 round by round',
      throughput: '60/s of 100/s',
      cpuPerRequest: '200 µs, reference 200 µs',
      invalid: null,
    });
  });

  it('compares what a request costs where that is asked', () => {
    const measured = [400, 500, 900].map((serverCpuMicros) => ({ ...round, serverCpuMicros }));
    expect(summarise(measured, [round, round, round], 'serverCpuMicros')).toMatchObject({
      value: 2.5,
      detail: '2.00 to 4.50 round by round',
    });
  });

  it('is invalid when any answer was no success', () => {
    const { invalid } = summarise([round], [{ ...round, failures: '409: 12' }]);
    expect(invalid).toBe('answers other than success: 409: 12');
  });

  it('says when the load generator may have been what was measured', () => {
    expect(summarise([round], [{ ...round, clientBusy: 0.99 }]).detail).toContain('no core to spare');
  });
});

describe('the page of results', () => {
  const row: Row = {
    id: 'a',
    measured: 'this',
    reference: 'that',
    goal: { atLeast: 0.6 },
    run: () => Promise.reject(new Error('not here')),
  };
  const result: RowResult = { value: 0.7, detail: 'steady', throughput: '7/s', cpuPerRequest: '1 µs', invalid: null };

  it('keeps rows that miss their goal, are invalid or could not run', () => {
    const table = resultsTable([
      { row, result },
      { row, result: { ...result, value: 0.5 } },
      { row, result: { ...result, invalid: 'answers other than success: 409: 1' } },
      { row, result: new Error('no PostgreSQL | here\nor there') },
    ]);
    expect(table.split('\n').slice(2)).toEqual([
      '| this | that | at least 0.60 | 0.70 | 7/s | 1 µs | steady |',
      '| this | that | at least 0.60 | **0.50** (missed) | 7/s | 1 µs | steady |',
      '| this | that | at least 0.60 | **invalid** | 7/s | 1 µs | answers other than success: 409: 1 |',
      '| this | that | at least 0.60 | not run |  |  | no PostgreSQL \\| here or there |',
    ]);
  });

  it('replaces the results and leaves what was written by hand', () => {
    const first = withResults(null, 'FIRST');
    const second = withResults(`${first}\nA reason, by hand.\n`, 'SECOND');
    expect(first).toContain('FIRST');
    expect(second).toContain('SECOND');
    expect(second).not.toContain('FIRST');
    expect(second).toContain('A reason, by hand.');
  });

  it('refuses a page without its marks instead of writing over it', () => {
    expect(() => withResults('# Mine', 'X')).toThrow('docs/benchmarks.md lacks the lines');
  });
});
