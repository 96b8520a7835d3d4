import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { StreamPlace } from '../../../shared/kernel/context.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import type { RecordableMovement } from '../contract.ts';
import type { ProductState } from '../domain/product.ts';
import type { StockSight } from '../domain/sourcing.ts';
import type { MovementEntry, StockItem } from '../domain/stock-item.ts';
import { Room } from '../storage/room.ts';
import { StockItems } from '../storage/stock-item.repository.ts';

/** Goods that came or went, as a caller tells them. `quantity` as in RecordMovement. */
export interface ToldMovement {
  readonly type: RecordableMovement;
  readonly quantity: number;
  readonly reason: string | null;
  readonly reference: string | null;
}

/** What a movement and a count do to an item, whether they came in a request of their own or as a row of an import. */
@Injectable()
export class StockLedger {
  constructor(
    private readonly ids: Ids,
    private readonly items: StockItems,
    private readonly room: Room,
  ) {}

  /**
   * What comes before `move`: what takes units may have those of holds that are due; what sells has to be for sale, here
   * and elsewhere.
   * @returns undefined when there is nothing to wait for, which is so for nearly every movement
   * @throws InsufficientStock by the promise, and nothing was released
   */
  roomFor(
    tx: Transaction,
    { type, quantity }: ToldMovement,
    product: ProductState,
    item: StockItem,
    at: Instant,
  ): Promise<void> | undefined {
    const units = type === 'ADJUSTMENT' ? -quantity : quantity;
    if (type === 'RECEIPT' || type === 'RETURN' || units < 0) {
      return undefined;
    }
    const allowed = type !== 'SALE' || product.active;
    if (allowed && item.availableAt(at) >= units) {
      return undefined;
    }
    const fitsElsewhere = ({ sellsOnline }: StockSight): boolean => type !== 'SALE' || sellsOnline;
    return this.room.make(tx, item, { type, units, allowed, fitsElsewhere }, at);
  }

  /** @throws QuantityLimit */
  move(tx: Transaction, movement: ToldMovement, item: StockItem, at: Instant): MovementEntry {
    const { type, quantity: units, reason, reference } = movement;
    const movementId = this.ids.next();
    const entry = this.items.change(tx, item, type, () =>
      item.move({ movementId, type, units, reason, reference }, at),
    );
    this.items.appendToLedger(tx, entry);
    return entry;
  }

  /** A fact of a store. @throws QuantityLimit */
  record(
    tx: Transaction,
    fact: Omit<ToldMovement, 'reason'> & { readonly place: StreamPlace },
    item: StockItem,
    at: Instant,
  ): MovementEntry {
    const { type, quantity: units, reference, place } = fact;
    const movementId = this.ids.next();
    const entry = this.items.change(tx, item, type, () => item.recordFact({ movementId, type, units, reference }, at));
    this.items.appendToLedger(tx, entry, place);
    return entry;
  }

  /** On-hand becomes what a store's count makes of it. @throws QuantityLimit */
  settle(
    tx: Transaction,
    onHand: number,
    reason: string | null,
    item: StockItem,
    place: StreamPlace | null,
    at: Instant,
  ): MovementEntry {
    const movementId = this.ids.next();
    const entry = this.items.change(tx, item, 'COUNT', () => item.settle(onHand, { movementId, reason }, at));
    this.items.appendToLedger(tx, entry, place);
    return entry;
  }

  /** @throws QuantityLimit */
  count(tx: Transaction, counted: number, reason: string | null, item: StockItem, at: Instant): MovementEntry {
    const movementId = this.ids.next();
    const entry = this.items.change(tx, item, 'COUNT', () => item.count(counted, { movementId, reason }, at));
    this.items.appendToLedger(tx, entry);
    return entry;
  }
}
