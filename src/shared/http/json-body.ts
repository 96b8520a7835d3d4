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

/**
 * Names of members of the body that are lists whose items stand each for themselves: what is wrong with how one is
 * written, or with a value in it, is no fault of the body but the item's own (`faultOfItem`).
 */
export type OpenLists = ReadonlySet<string>;

const NO_OPEN_LISTS: OpenLists = new Set();

/** By item. Items are objects, each from one body, so nothing is kept longer than the body. */
const itemFaults = new WeakMap<object, FieldError>();

/** @returns what is wrong with how an item of an open list is written, its field told from the item on */
export function faultOfItem(item: object): FieldError | undefined {
  return itemFaults.get(item);
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
export function parseJsonBody(bytes: Buffer, limits: JsonLimits, openLists = NO_OPEN_LISTS): JsonBody {
  return isUtf8(bytes)
    ? parseJsonText(bytes.toString('utf8'), limits, 'body', openLists)
    : unreadable('body', 'is not valid UTF-8');
}

/**
 * The same for a text, which may be a part of a body, such as a line.
 * @param name what its faults as a whole are told of
 */
export function parseJsonText(
  text: string,
  { depthMax, valuesMax }: JsonLimits,
  name: string,
  openLists = NO_OPEN_LISTS,
): JsonBody {
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
  const items = itemsOf(value as Readonly<Record<string, unknown>>, openLists);
  const members = walk(placeOfRoot(value), { depthMax, errorsMax: FIELD_ERRORS_MAX, name, passOver: items }, errors);
  const membersOfItems = judgeItems(items, depthMax);
  // A repeated name is one member less than there are colons; looking for it is only worth while then.
  if (members === null || membersOfItems === null || members + membersOfItems !== size.members) {
    tellDuplicates(text, value as Readonly<Record<string, unknown>>, openLists, members !== null, errors);
  }
  return { value, errors };
}

/** The items of open lists that are objects. */
function itemsOf(root: Readonly<Record<string, unknown>>, openLists: OpenLists): ReadonlySet<object> {
  const items = new Set<object>();
  for (const name of openLists) {
    const list = Object.hasOwn(root, name) ? root[name] : undefined;
    if (!Array.isArray(list)) continue;
    for (const item of list as unknown[]) {
      if (typeof item === 'object' && item !== null) items.add(item);
    }
  }
  return items;
}

/** Where the items of an open list are nested: in a list in the body. */
const ITEM_DEPTH = 3;

/** @returns the members of all of them, or null if not all were seen */
function judgeItems(items: ReadonlySet<object>, depthMax: number): number | null {
  let members: number | null = 0;
  for (const item of items) {
    const errors: FieldError[] = [];
    const place: Place = { value: item, depth: ITEM_DEPTH, parent: null, name: '' };
    const own = walk(place, { depthMax, errorsMax: 1, name: '', passOver: NO_ITEMS }, errors);
    if (errors[0] !== undefined) itemFaults.set(item, errors[0]);
    members = own === null || members === null ? null : members + own;
  }
  return members;
}

const NO_ITEMS: ReadonlySet<object> = new Set();

/** @param complete whether it is known that there is a duplicate, or else another fault, outside of the items */
function tellDuplicates(
  text: string,
  root: Readonly<Record<string, unknown>>,
  openLists: OpenLists,
  complete: boolean,
  errors: FieldError[],
): void {
  for (const { path, name } of duplicateNames(text)) {
    const [list, index, ...inner] = path;
    const item = typeof list === 'string' && openLists.has(list) ? (root[list] as unknown[])[index as number] : null;
    if (typeof item === 'object' && item !== null) {
      const field = memberPath(inner.reduce<string>(joinPath, ''), name, false);
      if (!itemFaults.has(item)) itemFaults.set(item, { field, message: 'is given more than once' });
    } else if (complete) {
      errors.push({ field: showName(name), message: 'is given more than once' });
      return;
    }
  }
}

function joinPath(path: string, step: string | number): string {
  return memberPath(path, String(step), typeof step === 'number');
}

interface WalkLimits {
  readonly depthMax: number;
  readonly errorsMax: number;
  /** What faults of the whole are told of. */
  readonly name: string;
  /** Objects that are not looked into. */
  readonly passOver: ReadonlySet<object>;
}

function placeOfRoot(value: object): Place {
  return { value, depth: 1, parent: null, name: '' };
}

function unreadable(field: string, message: string): JsonBody {
  return { value: undefined, errors: [{ field, message }] };
}

/** Iterative, so that no nesting can exhaust the stack. @returns the number of members, or null if not all were seen */
function walk(root: Place, limits: WalkLimits, errors: FieldError[]): number | null {
  const { depthMax, errorsMax, passOver } = limits;
  const places: Place[] = [root];
  let members = 0;
  let complete = true;
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    if (errors.length >= errorsMax) return null;
    if (place.depth > depthMax) {
      errors.push({ field: pathOf(place), message: `is nested deeper than ${depthMax} levels` });
      complete = false;
      continue;
    }
    const isArray = Array.isArray(place.value);
    const container = place.value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(container)) {
      if (errors.length >= errorsMax) return null;
      if (!isArray) {
        members += 1;
        if (!name.isWellFormed()) {
          errors.push({ field: pathOf(place) || limits.name, message: 'has a member name with a lone surrogate' });
        }
      }
      const child = container[name];
      if (typeof child === 'object' && child !== null) {
        if (!passOver.has(child)) places.push({ value: child, depth: place.depth + 1, parent: place, name });
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

/** An object or list that is open where the text is being read. */
interface Frame {
  /** The names of an object so far; null in a list. */
  readonly names: Set<string> | null;
  /** The member or item that is being read. */
  at: string | number;
}

/** Of a text that is known to be JSON: the names that an object has twice, and where the object stands. */
function* duplicateNames(text: string): Generator<{ path: (string | number)[]; name: string }> {
  const open: Frame[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') open.push({ names: new Set(), at: '' });
    else if (character === '[') open.push({ names: null, at: 0 });
    else if (character === '}' || character === ']') open.pop();
    else if (character === ',') {
      const frame = open.at(-1);
      if (typeof frame?.at === 'number') frame.at += 1;
    } else if (character === '"') {
      const end = stringEnd(text, at);
      const frame = open.at(-1);
      if (frame?.names && isFollowedByColon(text, end)) {
        const name = JSON.parse(text.slice(at, end + 1)) as string;
        frame.at = name;
        if (frame.names.has(name)) yield { path: open.slice(0, -1).map((outer) => outer.at), name };
        frame.names.add(name);
      }
      at = end;
    }
  }
}

function isFollowedByColon(text: string, stringEndAt: number): boolean {
  let at = stringEndAt + 1;
  while (' \t\r\n'.includes(text[at] ?? ':')) at += 1;
  return text[at] === ':';
}
