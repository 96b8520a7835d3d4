/*
 * Scripts take their key from HOLDFAST_API_KEY and look for none in a file: what is found by itself would be sent by itself,
 * to whatever server an option names.
 */

/** The key of whoever runs the script; null: none. */
export function apiKeyOf(env: Readonly<Record<string, string | undefined>>): string | null {
  return env['HOLDFAST_API_KEY'] || null;
}

/** What to do about an answer of 401. */
export const KEY_HINT =
  'set HOLDFAST_API_KEY to a key of this server, for example by: export HOLDFAST_API_KEY=$(cat data/admin.key)';

/** The server does not know who asks, so it answers nothing else, either. */
export class KeyNeeded extends Error {
  constructor(code: string, detail: string) {
    super(`${code}: ${detail}; ${KEY_HINT}`);
  }
}
