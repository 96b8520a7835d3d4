import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../src/shared/http/error-codes.ts';
import { statusOf } from '../../src/shared/http/problem.ts';
import { DomainError, type ErrorKind } from '../../src/shared/kernel/domain-error.ts';
import { ROOT } from './cruise.ts';
import { filesBelow } from './sources.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');

describe('docs/errors.md', () => {
  const codes = Object.entries(ERROR_CODES).map(([code, { status, title }]) => `${code}: ${status} · ${title}`);

  it('has each code of the program with its status and title, and no other', () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(entriesOf(PAGE).sort()).toEqual(codes.sort());
  });

  it('says of each code when it is answered', () => {
    const silent = sectionsOf(PAGE).filter(({ text }) => !/^- \*\*When:\*\* \S/m.test(text));
    expect(silent.map(({ heading }) => heading)).toEqual([]);
  });

  it('speaks of no code that there is not', () => {
    const spoken = [...PAGE.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name);
    const unknown = spoken.filter((name) => !Object.hasOwn(ERROR_CODES, name) && !isSetting(name));
    expect(spoken.length).toBeGreaterThan(20);
    expect(unknown).toEqual([]);
  });

  it('is compared in a way that sees a code left out, one made up, and a wrong status', () => {
    const [first = '', second = '', ...rest] = codes;
    const page = [first.replace(/\d{3}/, '299'), 'MADE_UP: 400 · Nobody throws this', ...rest]
      .map(asSection)
      .join('\n');
    const found = entriesOf(page);
    expect(found).not.toContain(first);
    expect(found).not.toContain(second);
    expect(found).toContain('MADE_UP: 400 · Nobody throws this');
    expect(found).toEqual(expect.arrayContaining(rest));
  });
});

describe('Every refusal in the program', () => {
  const refusals = refusalsInSource();

  it('is found', () => {
    expect(refusals.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['INSUFFICIENT_STOCK', 'RESERVATION_EXPIRED', 'VERSION_MISMATCH', 'BUSY', 'NOT_FOUND']),
    );
  });

  it('has a code of the list, and a kind that leads to the status of that code', () => {
    const wrong = refusals.filter(
      ({ code, kind }) =>
        (ERROR_CODES as Record<string, { status: number } | undefined>)[code]?.status !== statusOf(new Refusal(kind)),
    );
    expect(wrong).toEqual([]);
  });
});

interface Section {
  readonly heading: string;
  readonly text: string;
}

/** The parts of the page under headings of the third level: one for each code. */
function sectionsOf(page: string): Section[] {
  return page
    .split(/^(?=#{1,3} )/m)
    .filter((part) => part.startsWith('### '))
    .map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      return { heading: heading.slice('### '.length), text: lines.join('\n') };
    });
}

/** `CODE: status · title`, as the first line under each heading says it. */
function entriesOf(page: string): string[] {
  return sectionsOf(page).map(({ heading, text }) => `${heading}: ${text.trim().split('\n')[0] ?? ''}`);
}

function asSection(entry: string): string {
  const [code = '', line = ''] = entry.split(/: (.*)/s);
  return `### ${code}\n\n${line}\n`;
}

/** Names of settings look like codes; run.md has them all. */
function isSetting(name: string): boolean {
  return readFileSync(join(ROOT, 'run.md'), 'utf8').includes(`\`${name}\``);
}

/** Code and kind of each refusal, as its class declares them. */
function refusalsInSource(): { file: string; code: string; kind: ErrorKind }[] {
  return filesBelow(join(ROOT, 'src'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(ROOT, 'src', file), 'utf8');
      return [...text.matchAll(/readonly code = '(\w+)';\s+readonly kind = '(\w+)'/g)].map(([, code = '', kind]) => ({
        file,
        code,
        kind: kind as ErrorKind,
      }));
    });
}

/** Stands for any refusal of its kind. */
class Refusal extends DomainError {
  readonly code = 'ANY';

  constructor(readonly kind: ErrorKind) {
    super('any');
  }
}
