/*
 * What the HTTP API accepts (see /openapi.json). The replay speaks to the server from outside, so it states the limits
 * that it relies on instead of importing them; a wrong one would show as a 400 in the table of refusals.
 */

/** Most units of one line or movement, and of all lines of one sku in a reservation. */
export const QUANTITY_MAX = 1_000_000;
/** Most lines of one reservation. */
export const LINES_MAX = 100;
/** Largest page of a list. */
export const PAGE_ITEMS_MAX = 200;
/** Most characters of a name, a reason or a reference. */
export const TEXT_LENGTH_MAX = 500;

/** A sku, a location or an order as the API takes it. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9._:-]{1,64}$/.test(text) && text !== '.' && text !== '..';
}
