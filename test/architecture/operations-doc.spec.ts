import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './cruise.ts';
import { filesBelow } from './sources.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
const LEVELS: Readonly<Record<string, string>> = { log: 'info', warn: 'warn', error: 'error', fatal: 'fatal' };

describe('docs/operations.md', () => {
  it('has every line that the program writes by itself, with its level, and no other', () => {
    const written = [...new Set(linesOfProgram())];
    expect(written.length).toBeGreaterThan(8);
    expect(linesOnPage(PAGE).sort()).toEqual(written.sort());
  });

  it('is compared in a way that sees another text and another level', () => {
    const first = linesOnPage(PAGE)[0];
    const changed = PAGE.replace('finishing what is in flight', 'finishing');
    expect(linesOnPage(changed)[0]).not.toBe(first);
    expect(linesIn('this.logger.warn({ err }, `The check ${name} failed`);')).toEqual(['warn The check … failed']);
    expect(linesIn("logger.log(`${a}: b`); this.logger.debug('not for operators'); log.warn('x');")).toEqual([
      'info …: b',
    ]);
  });

  it('names only headings that it has', () => {
    const anchors = [...PAGE.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...PAGE.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });
});

/** `level text`, one for each text in the table of lines. */
function linesOnPage(page: string): string[] {
  const table = /\| level \| line .*?\n\n/s.exec(page)?.[0] ?? '';
  return [...table.matchAll(/^\| (info|warn|error|fatal) +\| (.*?) +\|/gm)].flatMap(([, level = '', cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => `${level} ${text}`),
  );
}

function linesOfProgram(): string[] {
  return filesBelow(join(ROOT, 'src'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .flatMap((path) => linesIn(readFileSync(join(ROOT, 'src', path), 'utf8')));
}

/** What calls of `logger` say in words of their own; an error that is logged as it is has none. */
function linesIn(source: string): string[] {
  const lines: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: logger, name } = node.expression;
      const level = /(^|\.)logger$/.test(logger.getText()) ? LEVELS[name.text] : undefined;
      const text = node.arguments.map(textOf).find((found) => found !== null);
      if (level !== undefined && text != null) lines.push(`${level} ${text}`);
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true));
  return lines;
}

/** A text with `…` for each value in it; two that are added are one. */
function textOf(node: ts.Node): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node)) {
    const [left, right] = [textOf(node.left), textOf(node.right)];
    return left === null || right === null ? null : left + right;
  }
  return null;
}
