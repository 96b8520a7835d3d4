import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { type PickupRow, pickupsTable } from './till-event.table.ts';

/** Which reservations were handed over here. */
@Injectable()
export class Pickups {
  get(tx: Transaction, reservationId: string): Promise<PickupRow | undefined> {
    return tx.get(pickupsTable, reservationId);
  }

  put(tx: Transaction, row: PickupRow): Promise<void> {
    return tx.put(pickupsTable, row);
  }

  /** Whether what is committed to the reservation has left with its customer. */
  async isPickedUp(tx: Transaction, reservationId: string): Promise<boolean> {
    return (await this.get(tx, reservationId))?.isDead === false;
  }

  /** @returns where in the stream it was picked up, if that is behind `position`; else null */
  async pendingBehind(tx: Transaction, reservationId: string, position: number): Promise<number | null> {
    const row = await this.get(tx, reservationId);
    return row !== undefined && !row.isDead && row.position > position ? row.position : null;
  }
}
