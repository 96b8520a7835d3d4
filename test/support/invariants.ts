import type { Api } from './http.ts';
import { allPages, type Movement, type Reservation, type StockItem, stockPath } from './shop.ts';

/**
 * Checks rules 1 and 2 of DESIGN section 3 over everything that the API shows, and lists what does not hold.
 * The server must be at rest, and no ACTIVE reservation may fall due meanwhile.
 * @param commandsOnly no fact has lowered on-hand, so nothing may be oversold
 */
export async function brokenInvariants(api: Api, { commandsOnly }: { commandsOnly: boolean }): Promise<string[]> {
  const items = await allPages<StockItem>(api, '/v1/stock');
  const reservations = await allPages<Reservation>(api, '/v1/reservations');
  const promised = promisedUnits(reservations);
  const broken: string[] = [];

  for (const item of items) {
    const name = `${item.sku}@${item.locationId}`;
    const expected = promised.get(name) ?? { held: 0, committed: 0 };
    promised.delete(name);
    if (item.held !== expected.held) broken.push(`${name} held ${item.held}, active lines ${expected.held}`);
    if (item.committed !== expected.committed) {
      broken.push(`${name} committed ${item.committed}, confirmed lines ${expected.committed}`);
    }
    const available = item.onHand - item.held - item.committed - item.safetyStock;
    if (item.available !== available) broken.push(`${name} available ${item.available} instead of ${available}`);
    if (commandsOnly && item.onHand - item.held - item.committed < 0) broken.push(`${name} is oversold`);
    broken.push(...(await brokenLedger(api, item)));
  }
  for (const [name, units] of promised) {
    if (units.held + units.committed > 0) broken.push(`${name} is promised but no stock item is listed`);
  }
  for (const reservation of reservations) broken.push(...brokenLines(reservation));
  return broken;
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
async function brokenLedger(api: Api, item: StockItem): Promise<string[]> {
  const name = `${item.sku}@${item.locationId}`;
  const ledger = await allPages<Movement>(api, stockPath(item.sku, item.locationId, '/movements'));
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
