import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8');
/** As the page says of names without a path. */
const HERE = 'test/flow/access';

describe('docs/threat-model.md', () => {
  const named = [...new Set([...PAGE.matchAll(/`([\w./-]+\.spec\.ts)`/g)].map(([, name]) => name ?? ''))];

  it('names tests that there are', () => {
    const missing = named.filter((name) => !existsSync(join(ROOT, name.includes('/') ? name : `${HERE}/${name}`)));
    expect(named.length).toBeGreaterThan(30);
    expect(missing).toEqual([]);
  });

  it('has a control and a test for each threat', () => {
    const rows = PAGE.split('\n').filter((line) => /^\| [1-7]/.test(line) && line.split('|').length === 7);
    const bare = rows.filter((row) => {
      const [, , , threat = '', control = '', test = ''] = row.split('|');
      return threat.trim() === '' || control.trim() === '' || !/spec\.ts|every suite/.test(test);
    });
    expect(rows.length).toBeGreaterThan(30);
    expect(bare).toEqual([]);
  });
});
