import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { filesBelow, moduleOf } from './sources.ts';

/** Of whom a table or a file is: a module, or `shared`. */
export type Owner = string;

export interface ForeignTable {
  /** Relative to `src`. */
  readonly file: string;
  readonly table: string;
  readonly owner: Owner;
}

/**
 * Every table with its owner: a module owns what a `*.table.ts` in its storage/ defines, shared owns what it defines
 * itself and what only the migrations name (the event log, which the unit of work writes without a definition).
 */
export function tablesOf(root: string): Map<string, Owner> {
  const tables = new Map<string, Owner>();
  for (const file of filesBelow(join(root, 'migrations'))) {
    for (const name of matchesIn(join(root, 'migrations', file), CREATED_TABLE)) tables.set(name, 'shared');
  }
  for (const file of programFiles(root)) {
    if (!/^modules\/[^/]+\/storage\/.+\.table\.ts$|^shared\//.test(file)) continue;
    for (const name of matchesIn(join(root, 'src', file), DEFINED_TABLE)) tables.set(name, ownerOf(file));
  }
  return tables;
}

/**
 * Where a text of the program names a table of somebody else: within SQL, as the `table` of a key, or whole. A module
 * gets at foreign rows only through the contract of their owner, whose keys keep the table's name to themselves.
 */
export function foreignTablesIn(root: string): ForeignTable[] {
  const tables = [...tablesOf(root)];
  return programFiles(root).flatMap((file) => {
    const texts = textsOf(readFileSync(join(root, 'src', file), 'utf8'));
    return tables
      .filter(([table, owner]) => owner !== ownerOf(file) && texts.some((text) => names(text, table)))
      .map(([table, owner]) => ({ file, table, owner }));
  });
}

const CREATED_TABLE = /\bCREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)/g;
const DEFINED_TABLE = /\bdefineTable\b[^;]*?\bname:\s*'([^']+)'/g;

function matchesIn(path: string, pattern: RegExp): string[] {
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, name]) => name ?? '');
}

/** Relative to `src`, without the specs. */
function programFiles(root: string): string[] {
  return filesBelow(join(root, 'src')).filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'));
}

function ownerOf(file: string): Owner {
  return moduleOf(file) ?? 'shared';
}

interface Text {
  readonly value: string;
  /** The property that it is the value of, as in `table: 'holds'`. */
  readonly property: string | null;
}

/** All texts of a file as the program sees them; a template is one text with a `?` for each of its values. */
function textsOf(source: string): Text[] {
  const texts: Text[] = [];
  const visit = (node: ts.Node): void => {
    const value = textOf(node);
    if (value !== null) {
      const { parent } = node;
      texts.push({ value, property: ts.isPropertyAssignment(parent) ? parent.name.getText() : null });
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true));
  return texts;
}

function textOf(node: ts.Node): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map((span) => `?${span.literal.text}`).join('');
}

/** Statements in any case, and clauses in capitals: in small letters those are English as well. */
const STATEMENT = /\bselect\b.+\bfrom\b|\binsert\s+into\b|\bupdate\b.+\bset\b|\bdelete\s+from\b/is;
const CLAUSE = /\b(?:FROM|JOIN|INTO|UPDATE|WHERE|TABLE)\b/;

function names({ value, property }: Text, table: string): boolean {
  if (value === table) return table.includes('_') || property === 'table' || property === 'tableName';
  return (STATEMENT.test(value) || CLAUSE.test(value)) && new RegExp(`\\b${table}\\b`, 'i').test(value);
}
