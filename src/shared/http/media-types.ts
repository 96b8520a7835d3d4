import type { IncomingHttpHeaders } from 'node:http';
import { PROBLEM_TYPE } from './problem.ts';

const JSON_MEDIA_TYPE = 'application/json';
const JSON_WITH_PARAMETERS = /^application\/json[ \t]*(?:;|$)/i;
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*"?([^";\s]*)/gi;

/** @returns whether a body follows these headers; of a chunked one it is not known yet, so it counts */
export function announcesBody(headers: IncomingHttpHeaders): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && !/^0+$/.test(length);
}

/**
 * @param gzip whether the body may be compressed
 * @returns whether the body is said to be JSON in UTF-8
 */
export function isJsonBody(headers: IncomingHttpHeaders, gzip = false): boolean {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity' && !(gzip && isGzip(headers))) return false;
  const type = headers['content-type'];
  if (type === JSON_MEDIA_TYPE) return true;
  if (type === undefined || !JSON_WITH_PARAMETERS.test(type)) return false;
  return isInUtf8(type);
}

/** @returns whether the body is said to be compressed with gzip */
export function isGzip(headers: IncomingHttpHeaders): boolean {
  return ['gzip', 'x-gzip'].includes(headers['content-encoding']?.trim().toLowerCase() ?? '');
}

/** @returns whether a content type names no charset other than UTF-8 */
export function isInUtf8(contentType: string): boolean {
  return [...contentType.matchAll(CHARSET)].every(([, charset]) => /^utf-?8$/i.test(charset ?? ''));
}

/** One range of an Accept header. */
interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

/**
 * @param accept the header; without it anything goes (RFC 9110, section 12.5.1)
 * @param types of the answers besides JSON
 * @returns whether JSON answers, or at least problem documents, are admitted
 */
export function acceptsJson(accept: string | undefined, types: readonly string[] = []): boolean {
  if (accept === undefined || accept === '*/*' || accept === JSON_MEDIA_TYPE || accept.trim() === '') return true;
  const ranges = accept.split(',').map(toRange);
  return [JSON_MEDIA_TYPE, PROBLEM_TYPE, ...types].some((type) => qualityOf(type, ranges) > 0);
}

function toRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
}

/** The most specific range that covers a type decides about it. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  for (const candidate of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((one) => one.type === candidate);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
