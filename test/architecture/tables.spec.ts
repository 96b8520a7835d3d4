import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, VIOLATIONS } from './cruise.ts';
import { filesBelow } from './sources.ts';
import { foreignTablesIn, tablesOf } from './tables.ts';

describe('Tables', () => {
  it('are found with their owners, so that the rule below has something to guard', () => {
    const tables = tablesOf(ROOT);
    expect(tables.get('stock_items')).toBe('inventory');
    expect(tables.get('reservations')).toBe('reservation');
    expect(tables.get('outbox_events')).toBe('shared');
  });

  it('are named by nobody but their owner', () => {
    expect(foreignTablesIn(ROOT)).toEqual([]);
  });
});

describe('The rule about tables', () => {
  it('fails on every planted violation and on nothing else', () => {
    const planted = filesBelow(join(VIOLATIONS, 'src')).flatMap((file) => {
      const table = /^\/\/ Names: (\S+)$/m.exec(readFileSync(join(VIOLATIONS, 'src', file), 'utf8'))?.[1];
      return table === undefined ? [] : [`${file} names ${table}`];
    });
    expect(planted).toHaveLength(5);
    expect(foreignTablesIn(VIOLATIONS).map(({ file, table }) => `${file} names ${table}`)).toEqual(planted);
  });
});
