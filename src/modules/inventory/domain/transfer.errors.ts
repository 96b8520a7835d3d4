import { DomainError } from '../../../shared/kernel/domain-error.ts';
import type { TransferStatus } from '../contract.ts';

/*
 * Everything that a transfer can refuse. Details become members of the problem document, so none of them is named like
 * one of its own members: `transferStatus`, because `status` there is the HTTP status.
 */

/** There is no such transfer. */
export class TransferNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(transferId: string) {
    super(`There is no transfer ${transferId}`, { transferId });
  }
}

/** It was received, or cancelled, and not in the way that is asked for now. */
export class TransferNotInTransit extends DomainError {
  readonly code = 'TRANSFER_NOT_IN_TRANSIT';
  readonly kind = 'refused';

  /** @param received units that arrived; null when it was cancelled */
  constructor(status: TransferStatus, received: number | null) {
    const told = received === null ? status : `${status} with ${received} units`;
    super(`The transfer is ${told}, which only one IN_TRANSIT allows`, { transferStatus: status, received });
  }
}

/** More units are said to have arrived than were dispatched. Only the transfer itself knows how many those were. */
export class MoreThanDispatched extends DomainError {
  readonly code = 'VALIDATION_FAILED';
  readonly kind = 'invalid';

  constructor(dispatched: number) {
    const message = `must be at most ${dispatched}, which were dispatched; record a RECEIPT for what came besides`;
    super(`quantity ${message}`, { errors: [{ field: 'quantity', message }] });
  }
}
