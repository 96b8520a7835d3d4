import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cruise, cruiseSourcesOf, modulesUnderRules, ROOT, ruleNames, VIOLATIONS } from './cruise.ts';
import { filesBelow } from './sources.ts';

describe('The boundaries of the program', () => {
  let cruise: Cruise;
  beforeAll(async () => {
    cruise = await cruiseSourcesOf(ROOT);
  });

  it('are crossed nowhere', () => {
    expect(cruise.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  });

  it('were looked for in every source file and in what it imports', () => {
    const sources = filesBelow(join(ROOT, 'src')).map((path) => `src/${path}`);
    expect(sources.length).toBeGreaterThan(40);
    expect(cruise.files).toEqual(expect.arrayContaining(sources));
    expect(cruise.dependencyCount).toBeGreaterThan(2 * sources.length);
    expect(cruise.files.some((path) => path.includes('node_modules/@nestjs/'))).toBe(true);
  });

  it('hold for every folder under src/modules', () => {
    const folders = readdirSync(join(ROOT, 'src', 'modules'));
    expect(folders).not.toEqual([]);
    expect(modulesUnderRules()).toEqual(expect.arrayContaining(folders));
  });
});

describe('Each boundary rule', () => {
  let planted: Cruise;
  beforeAll(async () => {
    planted = await cruiseSourcesOf(VIOLATIONS);
  });

  it.each(ruleNames())('%s fails on its planted violation', (name) => {
    expect(planted.violations.filter(({ rule }) => rule.name === name)).not.toEqual([]);
  });

  it('fails only where its violation was planted', () => {
    const unexpected = planted.violations.filter(({ rule, from }) => !brokenBy(from).includes(rule.name));
    expect(unexpected).toEqual([]);
  });

  it('is the rule of every planted violation, so that none of them outlives its rule', () => {
    const claimed = filesBelow(join(VIOLATIONS, 'src')).flatMap((path) => brokenBy(`src/${path}`));
    expect(new Set(claimed)).toEqual(new Set(ruleNames()));
  });
});

/** The rules that a planted file says it breaks, in its `// Breaks: <rule>` lines. */
function brokenBy(path: string): string[] {
  const text = readFileSync(join(VIOLATIONS, path), 'utf8');
  return [...text.matchAll(/^\/\/ Breaks: (\S+)$/gm)].map(([, name]) => name ?? '');
}
