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
