import type { TransferView } from '../../src/modules/inventory/contract.ts';
import type { RequestOf } from './requests.ts';
import { assertVersion, changeItem, makeRoom } from './stock-rules.ts';
import { type Item, itemAt, Refused, type Work, type World } from './world.ts';

/* Transfers in two steps (DESIGN section 4): units leave one place, are on their way, and come in at the other or go back. */

/** A command: no more than is available, holds that are over given back for it as for a sale. */
export function dispatch(work: Work, request: RequestOf<'dispatch'>): TransferView {
  const { world, at } = work;
  const { sku, fromLocationId, toLocationId, quantity } = request;
  if (!world.products.has(sku)) throw new Refused('UNKNOWN_PRODUCT');
  if (![fromLocationId, toLocationId].every((place) => world.locations.has(place))) {
    throw new Refused('UNKNOWN_LOCATION');
  }
  const source = itemAt(world, sku, fromLocationId);
  makeRoom(work, source, quantity, ({ locationId }) => locationId !== toLocationId);
  const transfer: TransferView = {
    id: work.witness.transferId,
    ...{ sku, fromLocationId, toLocationId, quantity },
    ...{ received: null, status: 'IN_TRANSIT', reason: null, createdAt: at, updatedAt: at, version: 0 },
  };
  move(work, source, 'TRANSFER_OUT', -quantity, transfer);
  changeItem(work, itemAt(world, sku, toLocationId), 'incoming-changed', onTheWay(transfer, quantity), () => {
    world.transfers.set(transfer.id, transfer);
  });
  return change(work, transfer, 'dispatched');
}

/** Facts: all of the units come in, and those that are missing are written off, which is nothing to alarm. */
export function receive(work: Work, { id, quantity, ifMatch }: RequestOf<'receive'>): TransferView {
  const transfer = transferInPath(work.world, id);
  const received = quantity ?? transfer.quantity;
  const missing = transfer.quantity - received;
  if (missing < 0) throw new Refused('VALIDATION_FAILED');
  assertVersion(ifMatch, transfer.version);
  if (transfer.status === 'RECEIVED' && transfer.received === received) return transfer;
  assertInTransit(transfer);
  const target = itemAt(work.world, transfer.sku, transfer.toLocationId);
  const arrived = { ...transfer, status: 'RECEIVED' as const, received };
  move(work, target, 'TRANSFER_IN', transfer.quantity, transfer, () => {
    work.world.transfers.set(id, arrived);
  });
  if (missing > 0) move(work, target, 'WRITE_OFF', -missing, transfer, undefined, 'quietly');
  return change(work, arrived, 'received', { received, reason: null });
}

export function cancelTransfer(work: Work, { id, ifMatch }: RequestOf<'cancelTransfer'>): TransferView {
  const { world } = work;
  const transfer = transferInPath(world, id);
  assertVersion(ifMatch, transfer.version);
  if (transfer.status === 'CANCELLED') return transfer;
  assertInTransit(transfer);
  const { sku, fromLocationId, toLocationId, quantity } = transfer;
  const cancelled = { ...transfer, status: 'CANCELLED' as const };
  move(work, itemAt(world, sku, fromLocationId), 'TRANSFER_IN', quantity, transfer);
  changeItem(work, itemAt(world, sku, toLocationId), 'incoming-changed', onTheWay(transfer, -quantity), () => {
    world.transfers.set(id, cancelled);
  });
  return change(work, cancelled, 'cancelled', { reason: null });
}

function onTheWay({ id: transferId }: TransferView, delta: number): object {
  return { transferId, delta };
}

/** A movement of a transfer, which its reference names. */
function move(
  work: Work,
  item: Item,
  movementType: 'TRANSFER_OUT' | 'TRANSFER_IN' | 'WRITE_OFF',
  delta: number,
  { id: reference }: TransferView,
  besides: () => void = () => undefined,
  alarms: 'loudly' | 'quietly' = 'loudly',
): void {
  const apply = (): void => {
    item.onHand += delta;
    besides();
  };
  changeItem(work, item, 'moved', { movementType, delta, reason: null, reference }, apply, alarms);
}

function transferInPath({ transfers }: World, id: string): TransferView {
  const transfer = transfers.get(id);
  if (transfer === undefined) throw new Refused('NOT_FOUND');
  return transfer;
}

function assertInTransit({ status }: TransferView): void {
  if (status !== 'IN_TRANSIT') throw new Refused('TRANSFER_NOT_IN_TRANSIT');
}

/** Every change of a transfer: a version and an event, which belongs to the target. */
function change(work: Work, transfer: TransferView, type: string, data: object = {}): TransferView {
  const changed: TransferView = { ...transfer, updatedAt: work.at, version: transfer.version + 1 };
  work.world.transfers.set(transfer.id, changed);
  const { id: transferId, sku, fromLocationId, toLocationId, quantity } = changed;
  work.events.push({
    type: `inventory.transfer.${type}`,
    subject: `transfer/${transferId}`,
    subjectVersion: changed.version,
    locationId: toLocationId,
    occurredAt: work.at,
    data: { transferId, sku, fromLocationId, toLocationId, quantity, ...data },
  });
  return changed;
}
