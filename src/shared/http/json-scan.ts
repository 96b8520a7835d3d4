/*
 * What can be told of a JSON text before it is read: V8 needs 140 ms for the worst megabyte, and everything behind it
 * several times more, but one look at each character is 3 ms.
 */

export interface JsonSize {
  /** Members of all objects together, of a text that is JSON: each colon outside of strings is one. */
  readonly members: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;

/**
 * Counts without judging: of what is no JSON it says something, too.
 * @param valuesMax most members, items, objects and lists together
 * @returns null as soon as there are more
 */
export function sizeOfJson(text: string, valuesMax: number): JsonSize | null {
  let members = 0;
  // No value but the outermost comes without an opening bracket or a comma before it.
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = stringEnd(text, at);
        break;
      case COLON:
        members += 1;
        break;
      case COMMA:
      case OPEN_BRACKET:
      case OPEN_BRACE:
        values += 1;
        if (values > valuesMax) return null;
        break;
      default:
    }
  }
  return { members };
}

/** @returns where the string that begins at `start` has its closing quote; the end of the text when it has none */
export function stringEnd(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at !== -1 && isEscaped(text, at)) {
    at = text.indexOf('"', at + 1);
  }
  return at === -1 ? text.length : at;
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}
