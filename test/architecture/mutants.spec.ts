import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readMutants } from '../../scripts/mutants/mutant.ts';

const mutants = readMutants('.');

describe('the mutants', () => {
  it('are at least 25', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(25);
  });

  it.each(mutants)('$name fits the sources, and the suites that kill it are there', ({ patch, suites }) => {
    expect(() => execFileSync('git', ['apply', '-C1', '--check', patch], { stdio: 'pipe' })).not.toThrow();
    expect(suites.filter((suite) => !existsSync(suite))).toEqual([]);
  });
});
