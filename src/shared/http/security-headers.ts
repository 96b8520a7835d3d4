/** Answers that no browser has to do anything with, even if one shows them: they load nothing and stand in no frame. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The pages of the documentation load what lies beside them, and ask the API. Their styles stand in the page. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const EVERY_ANSWER = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/**
 * What every answer says unless its route knows better. What one caller may see is nobody else's to keep: a read that
 * has an ETag may be kept by its caller (etag.ts), everything else by nobody. There is no word of CORS, which closes
 * the API to pages of other origins; HSTS is for whoever ends TLS before us.
 */
const API_ANSWER = { ...EVERY_ANSWER, 'content-security-policy': API_POLICY, 'cache-control': 'no-store' } as const;
const PAGE_ANSWER = { ...EVERY_ANSWER, 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-cache' } as const;

/** @param url as it was asked for */
export function securityHeaders(url: string): Readonly<Record<string, string>> {
  return url.startsWith('/docs') ? PAGE_ANSWER : API_ANSWER;
}

/** For a read that its caller may keep, and asks about again with If-None-Match. */
export const KEPT_BY_ITS_CALLER = 'private, no-cache';
