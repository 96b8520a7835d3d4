import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cruise.ts';
import { filesBelow } from './sources.ts';

const NOT_OURS = ['.git', 'coverage', 'data', 'dist', 'node_modules'];
/** A developer's own settings, and what stands in for the folder `.git` in a worktree. */
const PRIVATE_FILES = ['.env', '.git'];

/** Put together here, so that this file does not contain what it looks for. */
const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp; readonly example: string }[] = [
  {
    what: 'an absolute path of the machine on which it was written',
    pattern: new RegExp(`(?<![\\w.~-])/(?:${['work', 'root', 'home/[a-z]+'].join('|')})/`),
    example: `see ${['', 'work', 'notes.md'].join('/')}`,
  },
  {
    what: 'the address of a package registry',
    pattern: new RegExp(['registry', '(?:npmjs|yarnpkg|[a-z-]+)', '(?:org|com|io|local|internal)'].join('\\.')),
    example: ['https://registry', 'npmjs', 'org/pg'].join('.'),
  },
  {
    what: 'a rule that is switched off in passing',
    pattern: new RegExp(['eslint', 'disable|@ts', '(?:ignore|nocheck)'].join('-')),
    example: `// ${['eslint', 'disable', 'next-line'].join('-')}`,
  },
];

describe('The repository', () => {
  const texts = filesBelow(ROOT, (path) => !NOT_OURS.includes(path))
    .filter((path) => !PRIVATE_FILES.includes(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));

  it('is read whole', () => {
    expect(texts.map(({ path }) => path)).toEqual(expect.arrayContaining(['package-lock.json', 'src/main.ts']));
    expect(texts.length).toBeGreaterThan(100);
  });

  it.each(FORBIDDEN)('contains nowhere $what', ({ pattern, example }) => {
    expect(pattern.test(example)).toBe(true);
    expect(texts.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('locks its packages by content, not by the registry that they came from', () => {
    const packages = lockedPackages().filter(([path]) => path !== '');
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(packages.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  });

  it('locks the packages of every platform, because npm ci refuses a lock that lacks one', () => {
    const locked = lockedPackages();
    const isLocked = (name: string): boolean => locked.some(([path]) => path.endsWith(`node_modules/${name}`));
    const optional = locked.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
    expect(optional.length).toBeGreaterThan(10);
    expect(optional.filter((name) => !isLocked(name))).toEqual([]);
  });
});

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The entries of package-lock.json; the root's path is empty. */
function lockedPackages(): [path: string, entry: LockedPackage][] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages);
}
