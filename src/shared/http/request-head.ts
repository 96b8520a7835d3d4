import type { IncomingMessage } from 'node:http';

/*
 * What has to be known of a request's head before anything is made of it: how large it is, for which host it is, and
 * that its URL is a path.
 */

/** What a name and its value take besides themselves: colon, space, line end. */
const BYTES_PER_HEADER_LINE = 4;

export interface HeaderMeasure {
  readonly bytes: number;
  /** Host headers; Node keeps the first and hides the others. */
  readonly hosts: number;
}

/** @param rawHeaders names and values in turn; each character was one byte */
export function measureHeaders(rawHeaders: readonly string[]): HeaderMeasure {
  let bytes = (rawHeaders.length / 2) * BYTES_PER_HEADER_LINE;
  let hosts = 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    bytes += name.length + (rawHeaders[at + 1]?.length ?? 0);
    if (name.length === 'host'.length && name.toLowerCase() === 'host') hosts += 1;
  }
  return { bytes, hosts };
}

/** A name or an address, with a port or without (RFC 9110, section 7.2). Nothing here depends on which. */
const HOST = /^[A-Za-z0-9._~%!$&'()*+,;=:[\]-]*$/;

/**
 * Two readers could take a request with two hosts for two different ones, so it has to be refused (RFC 9112,
 * section 3.2); Node would answer a missing one by itself, and without a problem document.
 * @returns what is wrong with it, or null
 */
export function faultOfHost({ headers, httpVersion }: IncomingMessage, hosts: number): string | null {
  if (hosts === 0) return httpVersion === '1.1' ? 'is required (RFC 9112, section 3.2)' : null;
  if (hosts > 1) return 'must be sent once';
  return HOST.test(headers.host ?? '') ? null : 'must be a name or an address, with a port or without';
}

const SCHEME_AND_AUTHORITY = /^https?:\/\/[^/?#]*/i;

/** Clients of a proxy send the whole URL; every server has to read it as the path alone (RFC 9112, section 3.2.2). */
export function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  const path = url.replace(SCHEME_AND_AUTHORITY, '');
  return path === url || path.startsWith('/') ? path : `/${path}`;
}

const CONTINUE = /^100-continue$/i;

/** @returns whether the client wants to be asked for the body before it sends it */
export function waitsToBeAsked({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === '1.1' && CONTINUE.test(headers.expect);
}
