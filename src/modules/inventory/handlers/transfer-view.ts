import type { TransferView } from '../contract.ts';
import type { TransferState } from '../domain/transfer.ts';

/** A transfer as callers see it, of a state or of a row. */
export function toTransferView(state: TransferState): TransferView {
  const { id, sku, fromLocationId, toLocationId, quantity, received } = state;
  const { status, reason, createdAt, updatedAt, version } = state;
  return { id, sku, fromLocationId, toLocationId, quantity, received, status, reason, createdAt, updatedAt, version };
}
