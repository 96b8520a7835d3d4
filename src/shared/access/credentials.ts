import type { IncomingMessage } from 'node:http';
import { KEY_CHARACTERS_MAX } from './api-key.ts';

export const API_KEY_HEADER = 'x-api-key';

export type CredentialKind = 'key' | 'token';

export interface Credential {
  readonly kind: CredentialKind;
  readonly text: string;
}

/** A token of ours has about 350 characters; a longer text is not looked at. */
const TOKEN_CHARACTERS_MAX = 2_048;

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** Printable ASCII without spaces at its ends, as a header can carry it. */
const KEY = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * What the caller sends of itself. Two credentials would leave it to us which of them counts, and a proxy in between
 * might decide otherwise; so they are none.
 * @returns null: none; 'several'; 'malformed': nothing that could be one
 */
export function credentialOf(message: IncomingMessage): Credential | null | 'several' | 'malformed' {
  const { [API_KEY_HEADER]: key, authorization } = message.headers;
  if (key === undefined && authorization === undefined) return null;
  if (key !== undefined && authorization !== undefined) return 'several';
  if (key !== undefined) {
    return typeof key === 'string' && key.length <= KEY_CHARACTERS_MAX && KEY.test(key)
      ? { kind: 'key', text: key }
      : 'malformed';
  }
  // Node keeps the first of several and hides the others.
  if ((message.headersDistinct.authorization?.length ?? 1) > 1) return 'several';
  const text = authorization === undefined ? undefined : BEARER.exec(authorization.slice(0, TOKEN_CHARACTERS_MAX))?.[1];
  return text === undefined || (authorization?.length ?? 0) > TOKEN_CHARACTERS_MAX
    ? 'malformed'
    : { kind: 'token', text };
}
