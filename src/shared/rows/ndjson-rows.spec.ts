import { LineFault } from './lines.ts';
import { NdjsonRows } from './ndjson-rows.ts';
import type { RawRow } from './row-format.ts';

function rowOf(line: string | LineFault): RawRow | undefined {
  const rows: RawRow[] = [];
  new NdjsonRows(4).read(line, rows);
  return rows[0];
}

describe('NdjsonRows', () => {
  it('reads an object a line, spaces and a carriage return around it aside', () => {
    expect(rowOf(' {"sku":"A","counted":1e2}\r')).toEqual({ members: { sku: 'A', counted: 100 } });
  });

  it('passes by blank lines', () => {
    expect([rowOf(''), rowOf('\r'), rowOf('  ')]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['{"sku":', 'row', 'is not valid JSON'],
    ['[1]', 'row', 'must be a JSON object'],
    ['null', 'row', 'must be a JSON object'],
    ['{"a":1},{"a":1}', 'row', 'is not valid JSON'],
    ['{"a":1,"a":2}', 'a', 'is given more than once'],
    ['{"a":"\\ud800"}', 'a', 'has a lone surrogate, which is no character'],
    ['{"a":-0}', 'a', 'must not be minus zero'],
    ['{"a":{"b":{"c":{"d":{}}}}}', 'a.b.c.d', 'is nested deeper than 4 levels'],
  ])('refuses %s', (line, field, message) => {
    expect(rowOf(line)).toEqual({ errors: [{ field, message }] });
  });

  it('tells what is wrong with a line that could not be read', () => {
    expect(rowOf(new LineFault('is not valid UTF-8'))).toEqual({
      errors: [{ field: 'row', message: 'is not valid UTF-8' }],
    });
  });
});
