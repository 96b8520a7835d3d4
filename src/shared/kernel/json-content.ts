import { hash } from 'node:crypto';

/**
 * Values below this are not told apart. What nests so deep is refused wherever it comes from; only that it does must not
 * exhaust the stack.
 */
const DEPTH_MAX = 64;

/** Characters of a hash, 6 bits each: with 132 bits nobody finds two contents that share one. */
const HASH_CHARACTERS = 22;

/**
 * Names a JSON value: the same for two spellings of it, whatever the order of members, the white space or the notation
 * of numbers. What is absent (undefined) is another value than null.
 */
export function hashOfJson(value: unknown): string {
  return hash('sha256', canonical(value, 1), 'base64url').slice(0, HASH_CHARACTERS);
}

function canonical(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) {
    return value === undefined ? 'absent' : JSON.stringify(value);
  }
  if (depth > DEPTH_MAX) return 'deeper';
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  }
  const members = value as Readonly<Record<string, unknown>>;
  let text = '{';
  for (const name of Object.keys(members).sort()) {
    text += `${JSON.stringify(name)}:${canonical(members[name], depth + 1)},`;
  }
  return `${text}}`;
}
