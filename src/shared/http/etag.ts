import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { VersionMatch } from '../kernel/version-match.ts';
import type { Exchange } from './exchange.ts';
import { JSON_TYPE } from './exchange.ts';
import { type FieldError, ValidationFailed } from './http-error.ts';
import { KEPT_BY_ITS_CALLER } from './security-headers.ts';

/** An entity tag, or how to make it of the body's JSON text. */
export type Tag = string | ((bodyText: string) => string);

/** The tag of a body that only a new version changes. */
export function versionTag(version: number): Tag {
  return `"${version}"`;
}

/**
 * The tag of a body that time changes too (a hold that runs out changes `available` without a new version).
 * `If-Match` compares the version alone, `If-None-Match` the whole.
 */
export function timedTag(version: number): Tag {
  return (bodyText) => `"${version}.${shortHash(bodyText)}"`;
}

/** The tag of a body that has no version of its own, e.g. sums over several resources. */
export function hashTag(bodyText: string): string {
  return `"${shortHash(bodyText)}"`;
}

export function renderTag(tag: Tag, bodyText: string): string {
  return typeof tag === 'string' ? tag : tag(bodyText);
}

/** 64 bits: two bodies of one version only have to differ from each other. */
const HASH_CHARACTERS = 11;

function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, HASH_CHARACTERS);
}

/** One member of a list of entity tags (RFC 9110, section 8.8.3), with the comma before the next one. */
const LISTED_TAG = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(,|$)/y;

interface EntityTag {
  readonly weak: boolean;
  readonly opaque: string;
}

/** @returns the tags, `any` for `*`, or null when the header is malformed */
function parseTags(header: string): 'any' | EntityTag[] | null {
  if (header.trim() === '*') return 'any';
  const tags: EntityTag[] = [];
  LISTED_TAG.lastIndex = 0;
  for (;;) {
    const match = LISTED_TAG.exec(header);
    if (match === null) return null;
    tags.push({ weak: match[1] !== undefined, opaque: match[2] ?? '' });
    if (match[3] === '') return tags;
  }
}

/** `3` or `3.<hash>`; 16 digits hold every version up to 2^53. */
const OWN_TAG = /^(\d{1,16})(?:\.[A-Za-z0-9_-]+)?$/;

/**
 * @returns the versions that the caller accepts, or null without the header. A weak tag matches nothing (RFC 9110,
 *   section 13.1.1), nor does one that is not ours, so the list may be empty.
 * @throws ValidationFailed when the header is malformed
 */
export function parseIfMatch(header: string | undefined): VersionMatch | null {
  if (header === undefined) return null;
  const tags = parseTags(header);
  if (tags === null) {
    throw new ValidationFailed([MALFORMED_IF_MATCH]);
  }
  return tags === 'any' ? 'any' : tags.flatMap(versionOf);
}

/** What `parseIfMatch` says of the request's header. */
export function ifMatchOf({ request }: Exchange): VersionMatch | null {
  return parseIfMatch(request.headers['if-match']);
}

const MALFORMED_IF_MATCH: FieldError = { field: 'If-Match', message: 'must be * or a list of quoted entity tags' };

/** The same check, for the list of everything that is wrong with a request. */
export function checkIfMatch(header: string | undefined, errors: FieldError[]): void {
  if (header !== undefined && parseTags(header) === null) {
    errors.push(MALFORMED_IF_MATCH);
  }
}

/**
 * What a call that makes or replaces a resource asks for: with `If-None-Match: *` it makes one, or is refused.
 * @throws ValidationFailed when a header is malformed, or `If-None-Match` names tags, which is for reads
 */
export function parseConditions(headers: IncomingHttpHeaders): VersionMatch | null {
  const ifMatch = parseIfMatch(headers['if-match']);
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined) return ifMatch;
  if (ifNoneMatch.trim() !== '*') {
    throw new ValidationFailed([{ field: 'If-None-Match', message: 'must be * where something is made' }]);
  }
  // Both together: it has to exist and must not.
  return ifMatch === null ? 'none' : [];
}

function versionOf({ weak, opaque }: EntityTag): number[] {
  const match = weak ? null : OWN_TAG.exec(opaque);
  const version = Number(match?.[1]);
  return Number.isSafeInteger(version) ? [version] : [];
}

/**
 * Answers a read with its tag: 304 and no body when `If-None-Match` names it (weak comparison), else the body.
 * A malformed `If-None-Match` is passed over, as the whole header may be.
 * @returns what the handler has to return
 */
export function answerRead({ request, reply }: Exchange, body: object, tag: Tag): string | undefined {
  const bodyText = JSON.stringify(body);
  const etag = renderTag(tag, bodyText);
  reply.header('etag', etag).header('cache-control', KEPT_BY_ITS_CALLER);
  const wanted = request.headers['if-none-match'];
  if (wanted !== undefined && names(wanted, etag)) {
    reply.code(304);
    return undefined;
  }
  reply.header('content-type', JSON_TYPE);
  return bodyText;
}

function names(ifNoneMatch: string, etag: string): boolean {
  const tags = parseTags(ifNoneMatch);
  return tags === 'any' || (tags?.some(({ opaque }) => `"${opaque}"` === etag) ?? false);
}
