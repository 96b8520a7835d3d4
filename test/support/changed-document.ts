import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Json = Record<string, unknown>;

/** A place in the OpenAPI document and what stands there instead; undefined: it is taken out. */
export type Change = readonly [place: readonly (string | number)[], value?: unknown];

/** docs/openapi.json as text. */
export const OPENAPI_TEXT = readFileSync(join(__dirname, '..', '..', 'docs', 'openapi.json'), 'utf8');

/**
 * The committed OpenAPI document with changes, to see what notices them.
 * @throws Error when there is no such place, because then nothing would be changed
 */
export function changedDocument(...changes: readonly Change[]): unknown {
  const document = JSON.parse(OPENAPI_TEXT) as Json;
  for (const [place, value] of changes) {
    const name = String(place.at(-1));
    const parent = place.slice(0, -1).reduce<Json | undefined>((at, part) => at?.[part] as Json | undefined, document);
    if (parent === undefined) throw new Error(`The document has no ${place.join(' > ')}`);
    if (value !== undefined) parent[name] = value;
    else if (!Reflect.deleteProperty(parent, name)) throw new Error(`${name} cannot be taken out`);
  }
  return document;
}
