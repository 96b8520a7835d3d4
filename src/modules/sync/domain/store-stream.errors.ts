import { DomainError } from '../../../shared/kernel/domain-error.ts';

/*
 * What a store's stream can refuse. Details become members of the problem document.
 */

/** Another agent of the store has opened a newer epoch: this one was replaced, or restored from a copy. */
export class StaleEpoch extends DomainError {
  readonly code = 'STALE_EPOCH';
  readonly kind = 'refused';

  constructor(epoch: number, currentEpoch: number) {
    super(`Epoch ${epoch} is over, the store is in epoch ${currentEpoch}; open a stream of your own`, { currentEpoch });
  }
}

/** No stream of the store was ever opened with this epoch. */
export class EpochNeverGiven extends DomainError {
  readonly code = 'VALIDATION_FAILED';
  readonly kind = 'invalid';

  constructor() {
    const error = { field: 'epoch', message: 'was never given to this store' };
    super(`${error.field} ${error.message}`, { errors: [error] });
  }
}

/** The store speaks of something that it has not reported yet. */
export class SequenceAhead extends DomainError {
  readonly code = 'SEQUENCE_AHEAD';
  readonly kind = 'refused';

  constructor(sequence: number, nextSequence: number) {
    super(`The centre waits for number ${nextSequence} of the store; send all up to ${sequence} first`, {
      nextSequence,
    });
  }
}

/** There is no such reconciliation of the store, or none any more. */
export class ReconciliationNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(reconciliationId: string) {
    super(`There is no reconciliation ${reconciliationId}`, { reconciliationId });
  }
}
