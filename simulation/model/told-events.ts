/**
 * Events that say who did something that moves no stock and holds none: they are there for the audit, and the model
 * knows nothing of them.
 */
const FOR_THE_AUDIT = [
  'inventory.location.created',
  'inventory.location.changed',
  'inventory.product.changed',
  'sync.store.policy-changed',
  'sync.store.stream-opened',
  'sync.dead-letter.replayed',
  'sync.dead-letter.discarded',
];

/** A condition on rows of the log: only events that the model tells as well. */
export const TOLD_BY_THE_MODEL = `type NOT IN (${FOR_THE_AUDIT.map((type) => `'${type}'`).join(', ')})`;
