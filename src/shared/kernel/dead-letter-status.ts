/** DEAD: waits for an operator. REPLAYED: processed after all. DISCARDED: given up, with a reason. */
export const DEAD_LETTER_STATUSES = ['DEAD', 'REPLAYED', 'DISCARDED'] as const;
export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number];
