/** What there is to be sold, and where. */
export const WEB_PLACES = ['W1', 'W2'] as const;
export const STORES = ['S1', 'S2'] as const;
/** Few and short, so that shoppers take the last unit from each other. */
export const HOT_SKUS = ['hot-1', 'hot-2', 'hot-3', 'hot-4', 'hot-5'] as const;
/** Of which there is always enough. */
export const IMPORTED_SKUS = ['bulk-1', 'bulk-2', 'bulk-3', 'bulk-4', 'bulk-5', 'bulk-6', 'bulk-7'] as const;
export const TILL_SKUS = ['till-1', 'till-2', 'till-3'] as const;
export const OPENING_UNITS = 400;

/** A text as SQL has it. All of ours are made of letters, digits and hyphens. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
