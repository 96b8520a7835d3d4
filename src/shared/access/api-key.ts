import { hash, randomBytes } from 'node:crypto';
import type { KeyRole } from './roles.ts';

/** As many as nobody can guess, ever (issue: 256 bits). */
const KEY_BYTES = 32;

/** Longest text that can be a key: HOLDFAST_ADMIN_KEY may be chosen, the others are shorter. */
export const KEY_CHARACTERS_MAX = 200;

/** @returns e.g. `hf_store_q3…`: what it is can be told by whoever finds it in a log or a repository */
export function makeApiKey(role: KeyRole): string {
  return `hf_${role}_${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * What is stored of a key, and looked up with each request. Slow hashes and salts protect secrets that people choose,
 * because those can be guessed; 256 random bits cannot, so a fast one gives nothing away (docs/decisions/0030).
 */
export function hashOfKey(key: string): string {
  return hash('sha256', key, 'base64url');
}
