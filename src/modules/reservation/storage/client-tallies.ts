import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { ReservationState } from '../domain/reservation.ts';
import { type ClientTallyRow, clientTalliesTable } from './client-tally.table.ts';

/*
 * The tally of a client follows from its reservations and is written in the commit that changes them: read and written
 * once in a batch, however many of the batch's works are about that client (docs/decisions/0032).
 */

/** Has to be awaited before the client's tally is looked at or a tallied reservation of it is stored. */
export function loadTally(tx: Transaction, clientId: string): Promise<void> {
  return tx.load([{ table: clientTalliesTable.name, values: [clientId] }]);
}

/** @returns what the client holds, as the batch has it now */
export function tallyOf(tx: Transaction, clientId: string): ClientTallyRow {
  return tx.loaded(clientTalliesTable, clientId) ?? { clientId, reservations: 0, units: 0, version: 0 };
}

/** @param before undefined: it is new */
export function followInTally(tx: Transaction, before: ReservationState | undefined, now: ReservationState): void {
  if (!now.tallied) return;
  const [had, has] = [shareOf(before), shareOf(now)];
  if (had.reservations === has.reservations && had.units === has.units) return;
  const tally = tallyOf(tx, now.clientId);
  tx.replace(clientTalliesTable, {
    clientId: tally.clientId,
    reservations: tally.reservations - had.reservations + has.reservations,
    units: tally.units - had.units + has.units,
    version: tally.version + 1,
  });
}

function shareOf(state: ReservationState | undefined): Pick<ClientTallyRow, 'reservations' | 'units'> {
  if (state?.status !== 'ACTIVE') return { reservations: 0, units: 0 };
  return { reservations: 1, units: state.lines.reduce((sum, { quantity }) => sum + quantity, 0) };
}
