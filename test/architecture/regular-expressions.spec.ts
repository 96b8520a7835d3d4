import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { filesBelow } from './sources.ts';

const SOURCES = join(__dirname, '..', '..', 'src');

interface Literal {
  readonly at: string;
  readonly pattern: RegExp;
}

/** Every regular expression that stands in the program as such. */
function literals(): Literal[] {
  return filesBelow(SOURCES)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .flatMap((path) => {
      const file = ts.createSourceFile(path, readFileSync(join(SOURCES, path), 'utf8'), ts.ScriptTarget.Latest, true);
      const found: Literal[] = [];
      const look = (node: ts.Node): void => {
        if (ts.isRegularExpressionLiteral(node)) {
          const { line } = file.getLineAndCharacterOfPosition(node.getStart());
          const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/su.exec(node.text) ?? [];
          found.push({ at: `${path}:${line + 1} ${node.text}`, pattern: new RegExp(source, flags) });
        }
        ts.forEachChild(node, look);
      };
      look(file);
      return found;
    });
}

/** Parts that a caller may repeat until a pattern tires: what our patterns know, and what they do not. */
const PARTS = [
  'a',
  'A',
  '0',
  ' ',
  '\t',
  '-',
  '_',
  '.',
  ':',
  ',',
  '"',
  '""',
  'a.',
  '0-',
  ', ',
  '"",',
  ';charset=',
  'eyJ',
  '{a}',
  'ä',
];
const LENGTH = 500;
const FACTOR = 16;
/** Time that grows with the length alone gives about 1, with its square 16. */
const RATIO_MAX = 6;
/** A process that has to wait for its turn makes one look wrong, not all of them. */
const LOOKS = 25;

/** How much longer one text takes than as many characters in FACTOR shorter ones; the best of a few looks. */
function growthOf(pattern: RegExp, part: string, looks = LOOKS): number {
  const text = (length: number) => `${part.repeat(Math.ceil(length / part.length))}\u0000`;
  const [short, long] = [text(LENGTH), text(LENGTH * FACTOR)];
  const search = (subject: string) => {
    pattern.lastIndex = 0;
    return subject.search(pattern);
  };
  const duration = (work: () => void) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  let best = Infinity;
  for (let look = 0; look < looks && best > RATIO_MAX; look += 1) {
    const apart = duration(() => {
      for (let times = 0; times < FACTOR; times += 1) search(short);
    });
    const together = duration(() => search(long));
    // What takes no time at all cannot be told from noise.
    best = Math.min(best, together < 1 ? 1 : together / apart);
  }
  return best;
}

describe('The regular expressions of the program', () => {
  const all = literals();

  it('are found', () => {
    expect(all.length).toBeGreaterThan(40);
  });

  it('take time in proportion to what they look at', () => {
    const slow = all.flatMap(({ at, pattern }) =>
      PARTS.filter((part) => growthOf(pattern, part) > RATIO_MAX).map((part) => `${at}: ${JSON.stringify(part)}`),
    );
    expect(slow).toEqual([]);
  });

  it('would be told if they did not', () => {
    const growths = Array.from({ length: 4 }, () => growthOf(/a*b/, 'a', 2));
    expect(Math.max(...growths)).toBeGreaterThan(RATIO_MAX);
    expect(growthOf(/^[a-z]*:/, 'a')).toBeLessThan(RATIO_MAX);
  });
});
