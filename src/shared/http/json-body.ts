import { isUtf8 } from 'node:buffer';
import { type FieldError, FIELD_ERRORS_MAX } from './http-error.ts';
import { sizeOfJson, stringEnd } from './json-scan.ts';

/** What a body says, and what is wrong with it although it could be read. */
export interface JsonBody {
  /** Undefined when the text is no JSON at all; then `errors` says so. */
  readonly value: unknown;
  readonly errors: readonly FieldError[];
}

export interface JsonLimits {
  /** How deep objects and arrays may be nested. */
  readonly depthMax: number;
  /** Most members, items, objects and lists together; what has more is not read. */
  readonly valuesMax: number;
}

/** A value on the way through the body, with the way back up for naming it. */
interface Place {
  readonly value: object;
  readonly depth: number;
  readonly parent: Place | null;
  readonly name: string;
}

/**
 * Reads JSON strictly. Refused is what two readers could understand differently (duplicate names, numbers beyond the
 * range of a double, minus zero) and what a database might not store (lone surrogates).
 * Its work is bounded by the limits, and by one look at each byte.
 */
export function parseJsonBody(bytes: Buffer, limits: JsonLimits): JsonBody {
  return isUtf8(bytes)
    ? parseJsonText(bytes.toString('utf8'), limits, 'body')
    : unreadable('body', 'is not valid UTF-8');
}

/**
 * The same for a text, which may be a part of a body, such as a line.
 * @param name what its faults as a whole are told of
 */
export function parseJsonText(text: string, { depthMax, valuesMax }: JsonLimits, name: string): JsonBody {
  const size = sizeOfJson(text, valuesMax);
  if (size === null) {
    return unreadable(name, `has more than ${valuesMax} members and items; no right body of this call has so many`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the body, so it is not passed on.
    return unreadable(name, 'is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return unreadable(name, 'must be a JSON object');
  }
  const errors: FieldError[] = [];
  const members = walk(value, depthMax, name, errors);
  // A repeated name is one member less than there are colons; looking for it is only worth while then.
  if (members !== null && members !== size.members) {
    errors.push({ field: duplicateName(text) ?? name, message: 'is given more than once' });
  }
  return { value, errors };
}

function unreadable(field: string, message: string): JsonBody {
  return { value: undefined, errors: [{ field, message }] };
}

/** Iterative, so that no nesting can exhaust the stack. @returns the number of members, or null if not all were seen */
function walk(root: object, depthMax: number, rootName: string, errors: FieldError[]): number | null {
  const places: Place[] = [{ value: root, depth: 1, parent: null, name: '' }];
  let members = 0;
  let complete = true;
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    if (errors.length >= FIELD_ERRORS_MAX) return null;
    if (place.depth > depthMax) {
      errors.push({ field: pathOf(place), message: `is nested deeper than ${depthMax} levels` });
      complete = false;
      continue;
    }
    const isArray = Array.isArray(place.value);
    const container = place.value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(container)) {
      if (errors.length >= FIELD_ERRORS_MAX) return null;
      if (!isArray) {
        members += 1;
        if (!name.isWellFormed()) {
          errors.push({ field: pathOf(place) || rootName, message: 'has a member name with a lone surrogate' });
        }
      }
      const child = container[name];
      if (typeof child === 'object' && child !== null) {
        places.push({ value: child, depth: place.depth + 1, parent: place, name });
      } else {
        const message = faultOfScalar(child);
        if (message !== null) errors.push({ field: memberPath(pathOf(place), name, isArray), message });
      }
    }
  }
  return complete ? members : null;
}

function faultOfScalar(value: unknown): string | null {
  if (typeof value === 'string') {
    return value.isWellFormed() ? null : 'has a lone surrogate, which is no character';
  }
  if (typeof value !== 'number') return null;
  if (!Number.isFinite(value)) return 'is beyond the range of numbers';
  return Object.is(value, -0) ? 'must not be minus zero' : null;
}

function pathOf(place: Place): string {
  return place.parent === null ? '' : memberPath(pathOf(place.parent), place.name, Array.isArray(place.parent.value));
}

/** @returns e.g. `lines[0].quantity`; a name that no field could have is not repeated to the caller at full length */
export function memberPath(parent: string, name: string, isIndex: boolean): string {
  if (isIndex) return `${parent}[${name}]`;
  const shown = showName(name);
  return parent === '' ? shown : `${parent}.${shown}`;
}

const SHOWN_NAME_LENGTH_MAX = 64;

function showName(name: string): string {
  return name.toWellFormed().slice(0, SHOWN_NAME_LENGTH_MAX).toWellFormed();
}

/** Of a text that is known to be JSON: the first name that one object has twice. */
function duplicateName(text: string): string | undefined {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = stringEnd(text, at);
      const names = open.at(-1);
      if (names && isFollowedByColon(text, end)) {
        const name = JSON.parse(text.slice(at, end + 1)) as string;
        if (names.has(name)) return showName(name);
        names.add(name);
      }
      at = end;
    }
  }
  return undefined;
}

function isFollowedByColon(text: string, stringEndAt: number): boolean {
  let at = stringEndAt + 1;
  while (' \t\r\n'.includes(text[at] ?? ':')) at += 1;
  return text[at] === ':';
}
