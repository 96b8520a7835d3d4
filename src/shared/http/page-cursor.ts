import { hash } from 'node:crypto';
import { currentContext } from '../kernel/context.ts';
import { ValidationFailed } from './http-error.ts';

/** Where a page ended: the sort values of its last row. */
export type CursorPosition = readonly (string | number)[];

/** The filters of a list; the limit is not one of them and may change from page to page. */
export type CursorFilters = Readonly<Record<string, unknown>>;

/**
 * An opaque cursor. It names the last row that was seen instead of counting rows, so it stays right while rows are added.
 * @param list the list's name, e.g. `reservations`
 */
export function encodeCursor(list: string, filters: CursorFilters, position: CursorPosition): string {
  const text = JSON.stringify([sealOf(list, filters, position), ...position]);
  return Buffer.from(text).toString('base64url');
}

/**
 * @returns the position of a cursor of this very list, under the same filters and for the same tenant
 * @throws ValidationFailed for any other text, so that a caller never gets a page that belongs to another question
 */
export function decodeCursor(cursor: string, list: string, filters: CursorFilters): CursorPosition {
  const parts = parse(cursor);
  if (parts !== null) {
    const [seal, ...position] = parts;
    if (isPosition(position) && seal === sealOf(list, filters, position)) {
      return position;
    }
  }
  throw new ValidationFailed([
    { field: 'cursor', message: 'is not a nextCursor of this list under these filters; begin again without it' },
  ]);
}

function parse(cursor: string): unknown[] | null {
  const bytes = Buffer.from(cursor, 'base64url');
  // The decoder passes over what is no base64url; only the very text that was given out is a cursor.
  if (bytes.toString('base64url') !== cursor) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Positions become SQL parameters, so only what could have come from a row is let through. */
function isPosition(values: readonly unknown[]): values is CursorPosition {
  return values.every(
    (value) =>
      Number.isSafeInteger(value) || (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')),
  );
}

/** 96 bits: it tells lists and filters apart; it is no secret, because a cursor gives no rights. */
const SEAL_CHARACTERS = 16;

function sealOf(list: string, filters: CursorFilters, position: CursorPosition): string {
  const named = Object.entries(filters).filter(([, value]) => value !== undefined && value !== null);
  named.sort(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify([currentContext().tenantId, list, named, position]);
  return hash('sha256', text, 'base64url').slice(0, SEAL_CHARACTERS);
}
