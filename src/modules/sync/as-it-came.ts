import { faultOfItem } from '../../shared/http/json-body.ts';
import { printable } from '../../shared/http/fields.ts';

/*
 * Events are kept as they came, whatever they hold. What of one is too large or too deep to be kept is left out, and its
 * fault says so.
 */

/** Longer texts are no type, version or time; they are not kept. */
const TEXT_KEPT_MAX = 200;
/** What nests deeper is not kept: nobody could show it. */
const DEPTH_KEPT_MAX = 32;

/**
 * What is wrong with how an event is written, whatever it says.
 * @param members the names that it may have
 */
export function faultOfEvent(event: Readonly<Record<string, unknown>>, members: ReadonlySet<string>): string | null {
  const written = faultOfItem(event);
  if (written !== undefined) return printable(`${written.field} ${written.message}`);
  const unknown = Object.keys(event).find((name) => !members.has(name));
  return unknown === undefined ? null : printable(`${unknown.slice(0, TEXT_KEPT_MAX)} is not known here`);
}

/** Without its data, where that is too long. @param charactersMax as JSON */
export function withDataWithin<Content extends { readonly data: unknown; readonly fault: string | null }>(
  content: Content,
  charactersMax: number,
): Content {
  const { data } = content;
  if (typeof data !== 'object' && typeof data !== 'string') return content;
  if (JSON.stringify(data).length <= charactersMax) return content;
  return { ...content, data: null, fault: `data is longer than ${charactersMax} characters, and is not kept` };
}

/** @returns whether it is kept as a type, a version or a time, which right ones are */
export function isScalar(value: unknown): boolean {
  return typeof value === 'string' ? value.length <= TEXT_KEPT_MAX : typeof value !== 'object';
}

export function scalarOf(value: unknown): unknown {
  return isScalar(value) ? value : null;
}

/** @returns null for what nests too deep */
export function shallow(value: unknown): unknown {
  return isWithin(value, DEPTH_KEPT_MAX) ? value : null;
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isWithin(member, depth - 1));
}
