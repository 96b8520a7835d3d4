import type { Api } from './http.ts';
import { allPages, type Movement, type Reservation, type StockItem, stockPath, type Transfer } from './shop.ts';

/**
 * Checks rules 1 and 2 of DESIGN section 3 over everything that the API shows, and lists what does not hold.
 * The server must be at rest, and no ACTIVE reservation may fall due meanwhile.
 * @param commandsOnly no fact has lowered on-hand, so nothing may be oversold
 */
export async function brokenInvariants(api: Api, { commandsOnly }: { commandsOnly: boolean }): Promise<string[]> {
  const items = await allPages<StockItem>(api, '/v1/stock');
  const reservations = await allPages<Reservation>(api, '/v1/reservations');
  const transfers = await allPages<Transfer>(api, '/v1/transfers');
  const promised = promisedUnits(reservations);
  const onTheWay = unitsOnTheWay(transfers);
  const moved = new Map<string, string[]>();
  const broken: string[] = [];

  for (const item of items) {
    const name = `${item.sku}@${item.locationId}`;
    const expected = promised.get(name) ?? { held: 0, committed: 0 };
    promised.delete(name);
    if (item.held !== expected.held) broken.push(`${name} held ${item.held}, active lines ${expected.held}`);
    if (item.committed !== expected.committed) {
      broken.push(`${name} committed ${item.committed}, confirmed lines ${expected.committed}`);
    }
    const incoming = onTheWay.get(name) ?? 0;
    if (item.incoming !== incoming) broken.push(`${name} incoming ${item.incoming}, in transit ${incoming}`);
    const available = item.onHand - item.held - item.committed - item.safetyStock;
    if (item.available !== available) broken.push(`${name} available ${item.available} instead of ${available}`);
    if (commandsOnly && item.onHand - item.held - item.committed < 0) broken.push(`${name} is oversold`);
    const ledger = await allPages<Movement>(api, stockPath(item.sku, item.locationId, '/movements'));
    broken.push(...brokenLedger(item, ledger));
    for (const { type, delta, reference } of [...ledger].reverse()) {
      if (reference !== null) moved.set(reference, [...(moved.get(reference) ?? []), `${type} ${delta} ${name}`]);
    }
  }
  for (const [name, units] of promised) {
    if (units.held + units.committed > 0) broken.push(`${name} is promised but no stock item is listed`);
  }
  for (const reservation of reservations) broken.push(...brokenLines(reservation));
  for (const transfer of transfers) broken.push(...brokenTransfer(transfer, moved.get(transfer.id) ?? []));
  return broken;
}

function unitsOnTheWay(transfers: readonly Transfer[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const { status, sku, toLocationId, quantity } of transfers) {
    const name = `${sku}@${toLocationId}`;
    if (status === 'IN_TRANSIT') units.set(name, (units.get(name) ?? 0) + quantity);
  }
  return units;
}

/** A transfer's movements are those that its status tells, and no others, so no unit is made or lost on the way. */
function brokenTransfer(transfer: Transfer, moved: readonly string[]): string[] {
  const { id, sku, fromLocationId, toLocationId, quantity, received, status } = transfer;
  const missing = quantity - (received ?? quantity);
  const expected = [
    `TRANSFER_OUT ${-quantity} ${sku}@${fromLocationId}`,
    ...(status === 'CANCELLED' ? [`TRANSFER_IN ${quantity} ${sku}@${fromLocationId}`] : []),
    ...(status === 'RECEIVED' ? [`TRANSFER_IN ${quantity} ${sku}@${toLocationId}`] : []),
    ...(missing > 0 ? [`WRITE_OFF ${-missing} ${sku}@${toLocationId}`] : []),
  ];
  return [...expected].sort().join() === [...moved].sort().join()
    ? []
    : [`transfer ${id} is ${status}, but has moved ${moved.join(', ') || 'nothing'}`];
}

function promisedUnits(reservations: readonly Reservation[]): Map<string, { held: number; committed: number }> {
  const promised = new Map<string, { held: number; committed: number }>();
  for (const { status, lines } of reservations) {
    for (const { sku, allocations } of lines) {
      for (const { locationId, quantity, fulfilled } of allocations) {
        const name = `${sku}@${locationId}`;
        const units = promised.get(name) ?? { held: 0, committed: 0 };
        if (status === 'ACTIVE') units.held += quantity;
        if (status === 'CONFIRMED' && !fulfilled) units.committed += quantity;
        promised.set(name, units);
      }
    }
  }
  return promised;
}

/** The ledger adds up to on-hand, and each entry continues the one before. */
function brokenLedger(item: StockItem, ledger: readonly Movement[]): string[] {
  const name = `${item.sku}@${item.locationId}`;
  const broken: string[] = [];
  let onHand = 0;
  for (const { delta, onHandAfter, movementId } of [...ledger].reverse()) {
    onHand += delta;
    if (onHand !== onHandAfter) broken.push(`${name} movement ${movementId}: ${onHandAfter} instead of ${onHand}`);
  }
  if (onHand !== item.onHand) broken.push(`${name} on hand ${item.onHand}, ledger ${onHand}`);
  if (new Set(ledger.map((movement) => movement.movementId)).size !== ledger.length) {
    broken.push(`${name} lists a movement twice`);
  }
  return broken;
}

function brokenLines({ id, lines }: Reservation): string[] {
  return lines
    .filter((line) => line.allocations.reduce((sum, { quantity }) => sum + quantity, 0) !== line.quantity)
    .map((line) => `reservation ${id}: the allocations of ${line.sku} do not add up to ${line.quantity}`);
}
